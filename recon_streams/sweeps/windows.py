"""The end of a window: what still waits for a bank is over, and the report is made, once.

The tick of a window comes when its grace is over. By then every bank has answered or has had its
time; a sweep without an answer is UNKNOWN, and says so.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.register import note
from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.schedule.handler import DueTick
from recon_streams.schedule.planner import CommonPlanner, next_aligned
from recon_streams.sweeps import store
from recon_streams.sweeps.answer import Judged, without_answer
from recon_streams.sweeps.findings import Findings, evidence_of, findings_of_answer
from recon_streams.sweeps.sweep import BankState
from recon_streams.sweeps.terms import SweepTerms
from topics.ticks import WindowTick

KIND: Final = "window"


def window_planner(terms: SweepTerms) -> CommonPlanner:
    """Return when windows are reported: each after its grace."""

    def next_due(after: datetime) -> datetime:
        return next_aligned(after, every=terms.window, offset=terms.window_grace)

    return CommonPlanner(
        kind=KIND, next_due=next_due, make=lambda due_at: WindowTick(due_at=due_at)
    )


class WindowHandler:
    """The `TickHandler` of windows."""

    def __init__(self, terms: SweepTerms) -> None:
        """Report windows by `terms`."""
        self._terms = terms

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
        return Outcome(disposition=Disposition.OBSERVATION)


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
