"""Where a sweep tick becomes a sweep: looked at, kept, told of, and the bank asked."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from recon_streams.book.intake import DecisionFailed
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.finding import Cleared, Finding
from recon_streams.discrepancies.register import note
from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.positions.observing import read_states
from recon_streams.positions.rolling import Past, Rolling, Seen
from recon_streams.positions.state import AccountState
from recon_streams.registry.definition import AccountSweep
from recon_streams.schedule.handler import DueTick
from recon_streams.sweeps import question, store
from recon_streams.sweeps.completion import tell_if_complete
from recon_streams.sweeps.findings import Findings, evidence_of, findings_of_look
from recon_streams.sweeps.question import NewQuestion
from recon_streams.sweeps.store import NewSweep, SweepKey
from recon_streams.sweeps.sweep import look
from recon_streams.sweeps.table import RollingView
from recon_streams.sweeps.terms import KIND, SweepPlans, SweepTerms
from topics.ticks import SweepTick

# A trend of a whole day takes half a millisecond; the loop is left free every few.
_SLICE: Final = 16


class SweepHandler:
    """The `TickHandler` of sweeps. Whatever an account's breaker says, it is swept."""

    def __init__(self, terms: SweepTerms, view: RollingView) -> None:
        """Sweep by `terms`, beside the table that `view` sees."""
        self._terms = terms
        self._view = view
        self._plans = SweepPlans()

    @property
    def kind(self) -> str:
        """The tag of its ticks."""
        return KIND

    async def take(self, unit: UnitOfWork, ticks: Sequence[DueTick]) -> list[Outcome]:
        """Sweep the accounts of `ticks`; a tick that was taken before is a DUPLICATE."""
        accounts = {due.account.number: due.account for due in ticks if due.account is not None}
        # Before the book is read: the table may be behind it then, and never ahead of it.
        rolling = {n: self._view.lookup(account.scope) for n, account in accounts.items()}
        states = await read_states(unit.connection, accounts)
        plans = await self._plans.of(unit.connection, accounts.values())
        known = await store.known(unit.connection, [_key(due) for due in ticks])
        outcomes, sweeps, questions = [], [], []
        found = Findings()
        for number, due in enumerate(ticks, start=1):
            key = _key(due)
            if key in known:
                outcomes.append(_duplicate(due))
                continue
            known.add(key)
            sweep = self._look(due, states, rolling, plans)
            sweeps.append(sweep)
            if sweep.asks:
                questions.append(self._question(sweep, plans[sweep.account.number]))
            findings_of_look(sweep, found)
            outcomes.append(Outcome(disposition=Disposition.OBSERVATION))
            if number % _SLICE == 0:
                await asyncio.sleep(0)
        store.write(unit, sweeps)
        await question.write(unit, questions)
        if sweeps:
            await _note(unit, found, ticks)
            scheduled = {sweep.due_at for sweep in sweeps if not sweep.asks}
            await tell_if_complete(unit, self._terms, scheduled)
        return outcomes

    def _look(
        self,
        due: DueTick,
        states: Mapping[int, AccountState],
        rolling: Mapping[int, Rolling | None],
        plans: Mapping[int, AccountSweep],
    ) -> NewSweep:
        account = due.account
        assert account is not None, "a sweep is of an account"
        plan, swept_at, known = (
            plans[account.number],
            due.record.appended_at,
            rolling[account.number],
        )
        late = swept_at - due.tick.due_at >= timedelta(minutes=plan.every_minutes)
        try:
            seen = look(
                account, states[account.number], known, at=swept_at, horizon=self._terms.horizon
            )
        except Exception as error:
            # Whatever the core trips over concerns this tick alone; the others are decided again.
            raise DecisionFailed(due.index) from error
        self._view.on_compared(seen.table)
        if known is not None and seen.verdict.unexplained is not None:
            point = Seen(seen.at, seen.verdict.unexplained)
            self._view.remember(account.scope, Past(position=known.position, seen=(point,)))
        return NewSweep(
            account=account,
            due_at=due.tick.due_at,
            request_id=_request_of(due),
            swept_at=swept_at,
            late=late,
            origin=f"{due.record.topic}/{due.record.partition}/{due.record.offset}",
            # Of an instant long past a bank could only say what it says of now.
            asks=plan.connector is not None and not late,
            look=seen,
        )

    def _question(self, sweep: NewSweep, plan: AccountSweep) -> NewQuestion:
        assert plan.connector is not None, "without a connector nobody is asked"
        return NewQuestion(
            key=(sweep.account.number, sweep.due_at, sweep.request_id),
            account_id=sweep.account.account_id,
            currency=sweep.account.currency,
            connector=plan.connector,
            round=1,
            not_before=sweep.swept_at,
            give_up_at=sweep.swept_at + self._terms.give_up_after,
        )


async def _note(unit: UnitOfWork, found: Findings, ticks: Sequence[DueTick]) -> None:
    newest = max(due.record.appended_at for due in ticks)
    evidence = evidence_of([due.record for due in ticks])
    findings: Sequence[Finding] = found.found
    cleared: Sequence[Cleared] = found.cleared
    await note(unit, findings, cleared, at=newest, evidence=evidence)


def _key(due: DueTick) -> SweepKey:
    assert due.account is not None, "a sweep is of an account"
    return due.account.number, due.tick.due_at, _request_of(due)


def _request_of(due: DueTick) -> str:
    assert isinstance(due.tick, SweepTick), "ticks are handed over by their kind"
    return due.tick.request_id or ""


def _duplicate(due: DueTick) -> Outcome:
    assert due.account is not None, "a sweep is of an account"
    where = f"{due.account.account_id} {due.tick.due_at:%Y-%m-%dT%H:%M:%SZ}"
    return Outcome(disposition=Disposition.DUPLICATE, duplicate_of=where)
