"""What other systems are told of discrepancies: the record of each, and the alerts. Pure."""

from collections.abc import Iterator
from typing import Final

import msgspec

from recon_streams.alerts.alarm import Facts, Gone, Raised, Signal
from recon_streams.alerts.classes import Component
from recon_streams.discrepancies.action import MACHINE, AnyAction, Found, ProvenGone
from recon_streams.discrepancies.change import Change, Discrepancy, Taken
from recon_streams.discrepancies.finding import Kind
from recon_streams.kernel.money import amount_text
from recon_streams.log.record import OutgoingRecord
from topics.alerts import Severity
from topics.discrepancies import DiscrepancyRecord
from topics.discrepancies import DiscrepancyState as State

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
# An escalation of something that was never urgent is urgent all the same.
_AT_LEAST_ERROR: Final = {Severity.INFO: Severity.ERROR, Severity.WARNING: Severity.ERROR}

# A bank that says nothing at all is one trouble.
_OF_FEED: Final = frozenset({Kind.STATEMENT_MISSING, Kind.BANK_UNREACHABLE})


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """An account as others know it."""

    account_id: str
    currency: str


def message_of(change: Change, named: Named) -> OutgoingRecord:
    """Return the record that leaves with `change`."""
    record = record_of(change.now, named)
    return OutgoingRecord("recon.discrepancies", str(record.id).encode(), _ENCODER.encode(record))


def signals_of(change: Change, named: Named) -> Iterator[Signal]:
    """Yield what on-call is told of `change`: that something is wrong, again or worse, or right."""
    key = f"discrepancy:{change.now.id}"
    for step in change.taken:
        before, life, at = step.before, step.after, step.action.at
        if not life.is_alerted:
            if before is not None and before.is_alerted:
                yield Gone(key=key, at=at, source=_source(step.action))
        elif _is_heard(step):
            yield Raised(key=key, at=at, facts=_facts(change.now, named, step))


def record_of(discrepancy: Discrepancy, named: Named) -> DiscrepancyRecord:
    """Return the published form of `discrepancy`: no owner and no words of people."""
    cause, life = discrepancy.cause, discrepancy.life
    return DiscrepancyRecord(
        id=discrepancy.id,
        version=life.version,
        kind=cause.kind.value,
        account_id=named.account_id,
        currency=named.currency,
        subject=cause.subject,
        state=life.state,
        severity=life.severity,
        opened_at=life.opened_at,
        first_seen=life.first_seen,
        last_seen=life.last_seen,
        occurrences=life.occurrences,
        reopenings=life.reopenings,
        due_at=life.due_at,
        facts=life.facts,
        amount=None if life.amount is None else amount_text(life.amount),
        on=None if life.on is None else life.on.isoformat(),
        snoozed_until=life.snoozed_until,
        resolved_at=life.resolved_at,
        reason_code=None if life.reason_code is None else life.reason_code.value,
    )


def _is_heard(step: Taken) -> bool:
    """Return whether `step` found it there, or changed what on-call knows of it."""
    before, life = step.before, step.after
    return (
        before is None
        or not before.is_alerted
        or isinstance(step.action, Found)
        or before.severity is not life.severity
        or (life.state is State.ESCALATED) is not (before.state is State.ESCALATED)
    )


def _facts(discrepancy: Discrepancy, named: Named, step: Taken) -> Facts:
    life = step.after
    kind = discrepancy.cause.kind.value
    # Whose it is does not concern on-call, and is no news to it.
    state = State.OPEN if life.state is State.ASSIGNED else life.state
    about = "" if life.amount is None else f", {amount_text(life.amount)}"
    words = state.value.lower()
    return Facts(
        alert_class=kind,
        severity=_AT_LEAST_ERROR.get(life.severity, life.severity),
        summary=f"{named.account_id} {named.currency}: {kind} {discrepancy.id} is {words}{about}",
        component=Component.DISCREPANCIES.value,
        source=_source(step.action),
        scope=f"account:{named.account_id}:{named.currency}",
        status=state.value,
        amounts={} if life.amount is None else {"difference": amount_text(life.amount)},
        evidence=f"recon-streams discrepancies show {discrepancy.id}",
        is_of_feed=discrepancy.cause.kind in _OF_FEED,
    )


def _source(action: AnyAction) -> str:
    if isinstance(action, Found | ProvenGone):
        return action.evidence
    return "time" if action.actor == MACHINE else "person"
