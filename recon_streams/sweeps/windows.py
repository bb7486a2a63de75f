"""The end of a window: what still waits for a bank is over, and the report is made, once.

The tick of a window comes when its grace is over. By then every bank has answered or has had its
time; a sweep without an answer is UNKNOWN, and says so.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.deadline import Working
from recon_streams.discrepancies.register import note
from recon_streams.discrepancies.summary import Open, open_at
from recon_streams.kernel.calendars import Calendars
from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.reports.ageing import open_by_age
from recon_streams.reports.backing import backing_of
from recon_streams.reports.dataset import ALL_ACCOUNTS, IntradayDataset
from recon_streams.reports.parts import OpenDiscrepancies
from recon_streams.reports.store import put
from recon_streams.schedule.handler import DueTick
from recon_streams.schedule.planner import CommonPlanner, next_aligned
from recon_streams.sweeps import store, window_store
from recon_streams.sweeps.answer import Judged, without_answer
from recon_streams.sweeps.findings import Findings, evidence_of, findings_of_answer
from recon_streams.sweeps.sweep import BankState
from recon_streams.sweeps.terms import SweepTerms
from recon_streams.sweeps.window_report import Between, account_window
from topics.catalogue import inputs
from topics.ticks import TOPIC as TICKS
from topics.ticks import WindowTick

KIND: Final = "window"
# A report of more accounts than somebody can open is several reports.
_ACCOUNTS_MAX: Final = 20_000
_SLICE: Final = 32
# Ticks say when something was due, and nothing about money.
_SOURCES: Final = tuple(
    name
    for contract in inputs()
    if contract.name != TICKS
    for name in (contract.name, *contract.aliases)
)


def window_planner(terms: SweepTerms) -> CommonPlanner:
    """Return when windows are reported: each after its grace."""

    def next_due(after: datetime) -> datetime:
        return next_aligned(after, every=terms.window, offset=terms.window_grace)

    return CommonPlanner(
        kind=KIND, next_due=next_due, make=lambda due_at: WindowTick(due_at=due_at)
    )


class WindowHandler:
    """The `TickHandler` of windows."""

    def __init__(
        self, terms: SweepTerms, directories: DirectoryCache, calendars: Calendars
    ) -> None:
        """Report windows by `terms`, on the accounts that `directories` finds."""
        self._terms = terms
        self._directories = directories
        self._calendars = calendars

    @property
    def kind(self) -> str:
        """The tag of its ticks."""
        return KIND

    async def take(self, unit: UnitOfWork, ticks: Sequence[DueTick]) -> list[Outcome]:
        """Close the windows of `ticks`; one that is closed is a DUPLICATE."""
        return [await self._close(unit, due) for due in ticks]

    async def _close(self, unit: UnitOfWork, due: DueTick) -> Outcome:
        until = next_aligned(due.tick.due_at, every=self._terms.window) - self._terms.window
        if not await store.close_window(
            unit.connection, window_from=until - self._terms.window, window_until=until
        ):
            where = f"window {until:%Y-%m-%dT%H:%M:%SZ}"
            return Outcome(disposition=Disposition.DUPLICATE, duplicate_of=where)
        await _give_up(unit, until, due)
        await self._report(unit, until, due)
        return Outcome(disposition=Disposition.OBSERVATION)

    async def _report(self, unit: UnitOfWork, until: datetime, due: DueTick) -> None:
        """Store and publish what the sweeps of the window found; without any there is none."""
        connection, window = unit.connection, self._terms.window
        last = await window_store.last_sweeps(connection, after=until - window, until=until)
        if not last:
            return
        before = await window_store.last_sweeps(connection, after=None, until=until - window)
        ranges = {
            number: (before[number].version, each.version)
            for number, each in last.items()
            if number in before
        }
        events = await window_store.events_between(connection, ranges)
        directory = await self._directories.current(connection)
        covered = await window_store.coverage(connection, _SOURCES)
        open_ = await self._open(connection, last, due.record.appended_at)
        accounts = []
        for place, (number, each) in enumerate(last.items()):
            accounts.append(
                account_window(
                    directory.by_number(number),
                    Between(before=before.get(number), last=each, events=events.get(number, ())),
                    window=window,
                    discrepancies=open_.get(number, ()),
                    coverage=covered,
                )
            )
            if place % _SLICE == 0:
                await asyncio.sleep(0)
        ordered = tuple(sorted(accounts, key=lambda each: (each.account_id, each.currency)))
        through_at = max(each.swept_at for each in last.values())
        for first in range(0, len(ordered), _ACCOUNTS_MAX):
            part = ordered[first : first + _ACCOUNTS_MAX]
            is_all = len(part) == len(ordered)
            dataset = IntradayDataset(
                window_from=until - window,
                window_until=until,
                inputs_through_at=through_at,
                accounts=part,
                backing=backing_of(part),
                scope=ALL_ACCOUNTS if is_all else f"part-{1 + first // _ACCOUNTS_MAX}",
            )
            await put(unit, dataset)

    async def _open(
        self, connection: Session, numbers: Collection[int], at: datetime
    ) -> dict[int, tuple[OpenDiscrepancies, ...]]:
        found: dict[int, list[Open]] = {}
        for each in await open_at(connection, numbers, at):
            found.setdefault(each.account, []).append(each)
        # Ages count the days on which banks work; those of a window are a day or two at most.
        working = Working(days=self._calendars.named(None), zone=UTC)
        return {
            number: open_by_age(of_account, at, working) for number, of_account in found.items()
        }


async def _give_up(unit: UnitOfWork, until: datetime, due: DueTick) -> None:
    """Decide the sweeps that wait in vain."""
    found = Findings()
    at = due.record.appended_at
    origin = f"{due.record.topic}/{due.record.partition}/{due.record.offset}"
    for waiting in await store.waiting_before(unit.connection, until):
        judged = Judged(
            state=BankState.UNREACHABLE,
            verdict=without_answer(waiting.tier),
            detail="no answer came before the window closed",
        )
        store.settle(unit, waiting.key, judged, origin=origin, at=at)
        findings_of_answer(waiting.key[0], judged, waiting.connector, found, is_final=True)
    await unit.flush()
    await note(unit, found.found, found.cleared, at=at, evidence=evidence_of([due.record]))
