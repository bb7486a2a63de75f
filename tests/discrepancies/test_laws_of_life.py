"""Laws of discrepancies: whatever happens in whatever order, none ends without proof or person."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from acts import DAY, assigned, escalated, reopened, resolved, snoozed
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from recon_streams.alerts.alarm import Raised, Signal
from recon_streams.discrepancies.action import (
    AnyAction,
    Commented,
    Found,
    ProvenGone,
    ReasonCode,
    Resolved,
)
from recon_streams.discrepancies.change import Change, Discrepancy, born, changed, said_of
from recon_streams.discrepancies.deadline import Working
from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Kind, Source
from recon_streams.discrepancies.life import NotPossible, due_for_escalation, folded
from recon_streams.discrepancies.messages import Named, signals_of
from recon_streams.kernel.calendars import Calendars
from topics.discrepancies import DiscrepancyState as State

CAUSE = Cause(kind=Kind.MISSING_TXN, account=1, subject="ledger:P-1")
WORKING = Working(days=Calendars().named("AE"), zone=ZoneInfo("Asia/Dubai"))
NAMED = Named(account_id="SAFE", currency="AED")
AMOUNTS = st.decimals(-1000, 1000, places=2)
EVIDENCE = st.integers(0, 12).map(lambda n: f"run {n}")
SOURCES = st.sampled_from([Source.MATCHING, Source.CLOSING])


class AnyLife(RuleBasedStateMachine):
    """One cause, looked at by two checks and worked on by people."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = DAY
        self.discrepancy: Discrepancy | None = None
        self.actions: list[AnyAction] = []
        self.said: set[tuple[str, Source, bool]] = set()
        self.alerted = False

    @rule(minutes=st.integers(1, 60 * 24 * 5))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(amount=AMOUNTS, evidence=EVIDENCE, source=SOURCES)
    def a_check_finds_it(self, amount: Any, evidence: str, source: Source) -> None:
        finding = Finding(cause=CAUSE, source=source, amount=amount)
        self._say([finding], [], evidence)

    @rule(evidence=EVIDENCE, source=SOURCES)
    def a_check_proves_it_gone(self, evidence: str, source: Source) -> None:
        self._say([], [Cleared(cause=CAUSE, source=source, proof={"a": "b"})], evidence)

    @rule(evidence=EVIDENCE)
    def a_check_looks_and_says_nothing(self, evidence: str) -> None:
        before = self.discrepancy
        self._say([], [], evidence)
        assert self.discrepancy == before

    @precondition(lambda self: self.discrepancy is not None)
    @rule(which=st.integers(0, 4), hours=st.integers(1, 24 * 14))
    def a_person_acts(self, which: int, hours: int) -> None:
        assert self.discrepancy is not None
        action = (
            assigned(self.now),
            escalated(self.now),
            snoozed(self.now, self.now + timedelta(hours=hours)),
            resolved(self.now),
            reopened(self.now),
        )[which]
        try:
            (change,) = changed(self.discrepancy, [action])
        except NotPossible:
            return
        self._take(change)

    @invariant()
    def it_is_the_fold_of_its_actions(self) -> None:
        if self.discrepancy is not None:
            life = folded(self.actions)
            assert self.discrepancy.life == life
            assert life.version == len(self.actions)
            assert life.occurrences == sum(isinstance(a, Found) for a in self.actions)

    @invariant()
    def it_ends_by_proof_or_by_a_person_and_by_nothing_else(self) -> None:
        if self.discrepancy is None or self.discrepancy.life.is_open:
            return
        last = [a for a in self.actions if not isinstance(a, Commented)][-1]
        is_proof = self.discrepancy.life.reason_code is ReasonCode.PROVEN_GONE
        assert isinstance(last, ProvenGone if is_proof else Resolved)

    @invariant()
    def it_is_overdue_escalated_asleep_or_has_time(self) -> None:
        if self.discrepancy is None:
            return
        life = self.discrepancy.life
        assert life.first_seen <= life.opened_at <= self.now
        assert (life.resolved_at is None) == life.is_open
        if life.state is State.OPEN and life.due_at <= self.now and not life.is_snoozed(self.now):
            assert due_for_escalation(life, self.now)

    def _say(self, findings: list[Finding], cleared: list[Cleared], evidence: str) -> None:
        said = said_of(findings, cleared, at=self.now, evidence=evidence, workings={1: WORKING})
        actions = said.get(CAUSE, [])
        known = {(source, proof) for e, source, proof in self.said if e == evidence}
        if self.discrepancy is None:
            if actions and isinstance(actions[0], Found):
                taken = born(actions)
                now = Discrepancy(id=7, cause=CAUSE, life=taken[-1].after)
                self._take(Change(now=now, before=None, taken=taken))
            return
        changes = changed(self.discrepancy, actions, known)
        for action in actions:
            if isinstance(action, Found) and (action.source, False) in known:
                assert changes == [], "what was said of this evidence is not said again"
        for change in changes:
            self._take(change)
            # At once again: a redelivery.
            again = {(s, p) for e, s, p in self.said if e == evidence}
            assert changed(change.now, actions, again) == []

    def _take(self, change: Change) -> None:
        self.discrepancy = change.now
        for step in change.taken:
            self.actions.append(step.action)
            if isinstance(step.action, Found | ProvenGone):
                is_proof = isinstance(step.action, ProvenGone)
                self.said.add((step.action.evidence, step.action.source, is_proof))
        self._tell(list(signals_of(change, NAMED)))

    def _tell(self, signals: list[Signal]) -> None:
        for signal in signals:
            self.alerted = isinstance(signal, Raised)
        assert self.discrepancy is not None
        # Whoever follows the alerts knows at any time whether one is out.
        assert self.alerted == self.discrepancy.life.is_alerted


AnyLife.TestCase.settings = settings(max_examples=150, stateful_step_count=30, derandomize=True)
test_any_life = AnyLife.TestCase
