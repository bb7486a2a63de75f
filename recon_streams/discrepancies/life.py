"""The life of a discrepancy, folded from its actions. Pure.

It ends by proof or by a person. Silence ends nothing, and what a person has ended begins again
when the cause is found again: with the same id, so that its history stays in one place.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, assert_never

import msgspec

from recon_streams.discrepancies.action import (
    AnyAction,
    Assigned,
    Commented,
    Escalated,
    Found,
    ProvenGone,
    ReasonCode,
    Reopened,
    Resolved,
    Snoozed,
)
from recon_streams.kernel.money import normal
from topics.alerts import Severity
from topics.discrepancies import DiscrepancyState as State

# What sleeps longer is forgotten, and a snooze holds back the escalation of what is overdue.
SNOOZE_MAX: Final = timedelta(days=14)

URGENCY: Final = {
    Severity.INFO: 0,
    Severity.WARNING: 1,
    Severity.ERROR: 2,
    Severity.CRITICAL: 3,
}
_WAKING: Final = frozenset({Severity.ERROR, Severity.CRITICAL})


class NotPossible(Exception):
    """What was asked of a discrepancy cannot be done in its present state; the message says why."""


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """Where a discrepancy is in its life.

    Attributes:
        version: How many actions it is the fold of.
        severity: The worst since this life began: what was worse yesterday is not well today.
        owner: Who works on it.
        opened_at: When this life began.
        first_seen: The earliest instant at which the cause was there, over all lives.
        last_seen: The latest.
        occurrences: How often it was found, over all lives.
        reopenings: How many lives came before this one.
        amount: What the newest finding said.
        on: The business day it belongs to.
        due_at: When it should be resolved.
        snoozed_until: Until when it waits by somebody's decision; the instant itself is awake.
        is_alerted: Whether on-call was told and waits for its end.
    """

    version: int
    state: State
    severity: Severity
    opened_at: datetime
    first_seen: datetime
    last_seen: datetime
    due_at: datetime
    occurrences: int = 1
    reopenings: int = 0
    owner: str | None = None
    amount: Decimal | None = None
    facts: dict[str, str] = {}
    on: date | None = None
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    reason_code: ReasonCode | None = None
    reason: str | None = None
    is_alerted: bool = False

    @property
    def is_open(self) -> bool:
        """Return whether somebody still has to look at it."""
        return self.state is not State.RESOLVED

    def is_snoozed(self, now: datetime) -> bool:
        """Return whether it waits at `now`."""
        return self.snoozed_until is not None and now < self.snoozed_until


def after(life: Life | None, action: AnyAction) -> Life:
    """Return the life that `action` leads to; `life` is None before the first finding.

    Raises:
        NotPossible: The present state does not allow it.
    """
    if life is None:
        if not isinstance(action, Found):
            raise NotPossible("what was never found has no life yet")
        return _born(action)
    changed = _changed(life, action)
    is_alerted = changed.is_open and (
        changed.severity in _WAKING or changed.state is State.ESCALATED
    )
    return msgspec.structs.replace(changed, version=life.version + 1, is_alerted=is_alerted)


def folded(actions: Iterable[AnyAction]) -> Life:
    """Return the life that `actions`, of which the first is a finding, add up to."""
    life: Life | None = None
    for action in actions:
        life = after(life, action)
    assert life is not None, "a discrepancy begins with a finding"
    return life


def due_for_escalation(life: Life, now: datetime) -> bool:
    """Return whether its time is up and nobody was told: not while it sleeps, and only once."""
    is_waiting = life.state in {State.OPEN, State.ASSIGNED}
    return is_waiting and life.due_at <= now and not life.is_snoozed(now)


def _born(found: Found) -> Life:
    return Life(
        version=1,
        state=State.OPEN,
        severity=found.severity,
        opened_at=found.at,
        first_seen=found.at,
        last_seen=found.at,
        due_at=found.due_at,
        amount=_normal(found.amount),
        facts=found.facts,
        on=found.on,
        is_alerted=found.severity in _WAKING,
    )


def _changed(life: Life, action: AnyAction) -> Life:
    match action:
        case Found():
            return _found_again(life, action)
        case Commented():
            return life
        case Reopened():
            return _reopened_by_person(life, action)
        case _:
            if not life.is_open:
                raise NotPossible("it is resolved; reopen it first")
            return _changed_while_open(life, action)


def _changed_while_open(
    life: Life, action: ProvenGone | Resolved | Assigned | Escalated | Snoozed
) -> Life:
    match action:
        case ProvenGone():
            return _resolved(life, action.at, ReasonCode.PROVEN_GONE, None)
        case Resolved():
            return _resolved_by_person(life, action)
        case Assigned():
            return _assigned(life, action)
        case Escalated():
            return _escalated(life)
        case Snoozed():
            return _snoozed(life, action)
        case _:
            assert_never(action)


def _assigned(life: Life, action: Assigned) -> Life:
    # That it was escalated stays true whoever works on it now.
    state = life.state if life.state is State.ESCALATED else State.ASSIGNED
    return msgspec.structs.replace(life, state=state, owner=action.owner)


def _escalated(life: Life) -> Life:
    if life.state is State.ESCALATED:
        raise NotPossible("it is escalated already")
    return msgspec.structs.replace(life, state=State.ESCALATED, snoozed_until=None)


def _found_again(life: Life, found: Found) -> Life:
    seen = msgspec.structs.replace(
        life,
        first_seen=min(life.first_seen, found.at),
        last_seen=max(life.last_seen, found.at),
        occurrences=life.occurrences + 1,
        amount=_normal(found.amount),
        facts=found.facts,
        on=found.on,
    )
    if not life.is_open:
        begun = _begun_again(seen, found.at, found.due_at)
        return msgspec.structs.replace(begun, severity=found.severity)
    if URGENCY[found.severity] <= URGENCY[life.severity]:
        return seen
    return msgspec.structs.replace(
        seen,
        severity=found.severity,
        due_at=min(life.due_at, found.due_at),
        # Whoever let it sleep did not know that it would become worse.
        snoozed_until=None,
    )


def _begun_again(life: Life, at: datetime, due_at: datetime) -> Life:
    return msgspec.structs.replace(
        life,
        state=State.OPEN,
        owner=None,
        opened_at=at,
        due_at=due_at,
        reopenings=life.reopenings + 1,
        snoozed_until=None,
        resolved_at=None,
        reason_code=None,
        reason=None,
    )


def _reopened_by_person(life: Life, action: Reopened) -> Life:
    if life.is_open:
        raise NotPossible("it is not resolved, so it cannot be reopened")
    assert action.due_at is not None, "the register says when it is due"
    return _begun_again(life, action.at, action.due_at)


def _resolved_by_person(life: Life, action: Resolved) -> Life:
    if action.reason_code is ReasonCode.PROVEN_GONE:
        raise NotPossible("only a check that looked again can prove that it is gone")
    return _resolved(life, action.at, action.reason_code, action.reason)


def _resolved(life: Life, at: datetime, code: ReasonCode, reason: str | None) -> Life:
    return msgspec.structs.replace(
        life,
        state=State.RESOLVED,
        resolved_at=at,
        reason_code=code,
        reason=reason,
        snoozed_until=None,
    )


def _snoozed(life: Life, action: Snoozed) -> Life:
    if not action.at < action.until <= action.at + SNOOZE_MAX:
        raise NotPossible(f"it can wait until some later instant, {SNOOZE_MAX.days} days at most")
    return msgspec.structs.replace(life, snoozed_until=action.until)


def _normal(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else normal(amount)
