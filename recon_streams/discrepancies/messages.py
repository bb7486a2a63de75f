"""What other systems are told of discrepancies: the record of each, and the alert with its end."""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from recon_streams.discrepancies.action import MACHINE, AnyAction, Found, ProvenGone
from recon_streams.discrepancies.change import Change, Discrepancy, Taken
from recon_streams.discrepancies.life import Life
from recon_streams.discrepancies.storm import ALERTED_MAX, Weather
from recon_streams.kernel.money import amount_text
from recon_streams.log.record import OutgoingRecord
from topics.alerts import Alert, Severity
from topics.discrepancies import DiscrepancyRecord
from topics.discrepancies import DiscrepancyState as State

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
# An escalation of something that was never urgent is urgent all the same.
_AT_LEAST_ERROR: Final = {Severity.INFO: Severity.ERROR, Severity.WARNING: Severity.ERROR}


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """An account as others know it."""

    account_id: str
    currency: str


def messages_of(change: Change, named: Named, weather: Weather | None) -> Iterator[OutgoingRecord]:
    """Yield what leaves with `change`: the record, and alerts if on-call must know or may rest.

    `weather` says how many of its kind on-call is told of; None if `change` has no alert.
    """
    discrepancy = change.now
    record = record_of(discrepancy, named)
    key = str(discrepancy.id).encode()
    yield OutgoingRecord("recon.discrepancies", key, _ENCODER.encode(record))
    for step in change.taken:
        what = _alert_of(step.before, step.after)
        if what is None:
            continue
        assert weather is not None, "who has an alert has asked for the weather"
        # Its end is always told: it may have been told when there were fewer.
        if what == "resolve" or weather.tells(step.after.severity):
            yield _alert(discrepancy, named, step, what)


def has_alert(change: Change) -> bool:
    """Return whether on-call is concerned by `change`, however many others there are."""
    return any(_alert_of(step.before, step.after) for step in change.taken)


def storm_alert(weather: Weather, change: Change) -> OutgoingRecord | None:
    """Return what on-call is told of all of a kind together, after `change` of one of them."""
    if not weather.is_storm and not weather.ends:
        return None
    action, kind = change.taken[-1].action, weather.kind.value
    key = f"discrepancies:{kind}"
    said = f"more than {ALERTED_MAX} are open, and only critical ones are told one by one"
    if weather.ends:
        said = f"{weather.alerted} are left open, and told one by one"
    alert = Alert(
        dedup_key=key,
        action="resolve" if weather.ends else "trigger",
        severity=Severity.ERROR,
        alert_class="DISCREPANCY_STORM",
        summary=f"{kind}: {said}",
        source=_source(action),
        at=action.at,
    )
    return OutgoingRecord("recon.alerts", key.encode(), _ENCODER.encode(alert))


def alert_again(discrepancy: Discrepancy, named: Named, because: Change) -> OutgoingRecord:
    """Return the alert of what may not have been told in a storm, which ended with `because`."""
    step = msgspec.structs.replace(because.taken[-1], after=discrepancy.life)
    return _alert(discrepancy, named, step, "trigger")


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


def _alert_of(before: Life | None, life: Life) -> Literal["trigger", "resolve"] | None:
    """Return what on-call is told: the beginning, what became worse, and the end."""
    if not life.is_alerted:
        return "resolve" if before is not None and before.is_alerted else None
    if before is None or not before.is_alerted or before.severity is not life.severity:
        return "trigger"
    is_escalated = life.state is State.ESCALATED and before.state is not State.ESCALATED
    return "trigger" if is_escalated or life.reopenings > before.reopenings else None


def _alert(
    discrepancy: Discrepancy,
    named: Named,
    step: Taken,
    what: Literal["trigger", "resolve"],
) -> OutgoingRecord:
    action, life = step.action, step.after
    kind = discrepancy.cause.kind.value
    words = life.state.value.lower().replace("assigned", "open")
    about = "" if life.amount is None else f", {amount_text(life.amount)}"
    key = f"discrepancy:{discrepancy.id}"
    alert = Alert(
        dedup_key=key,
        action=what,
        severity=_AT_LEAST_ERROR.get(life.severity, life.severity),
        alert_class=kind,
        summary=f"{named.account_id} {named.currency}: {kind} {discrepancy.id} is {words}{about}",
        source=_source(action),
        at=action.at,
        scope=f"account:{named.account_id}:{named.currency}",
        amounts={} if life.amount is None else {"difference": amount_text(life.amount)},
    )
    return OutgoingRecord("recon.alerts", key.encode(), _ENCODER.encode(alert))


def _source(action: AnyAction) -> str:
    if isinstance(action, Found | ProvenGone):
        return action.evidence
    return "time" if action.actor == MACHINE else "person"
