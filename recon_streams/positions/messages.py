"""What other systems are told of a step: position, breaker record, its event, the alert. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

import msgspec

from recon_streams.kernel.money import amount_text
from recon_streams.log.record import OutgoingRecord
from recon_streams.positions.directory import Account
from recon_streams.positions.event import AccountEvent, Evidence
from recon_streams.positions.in_flight import explains, is_overdue
from recon_streams.positions.state import AccountState, Side
from recon_streams.positions.step import Step
from recon_streams.positions.tiers import Rule
from recon_streams.positions.verdict import Verdict, fresh_until
from recon_streams.positions.working_set import RecordedStep
from topics.alerts import Alert, Severity
from topics.breaker import BreakerEvent, BreakerRecord
from topics.positions import InFlight, Position, Tier
from topics.positions import Side as PublishedSide

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")

_SEVERITY: Final = {
    Tier.MINOR: Severity.WARNING,
    Tier.UNALLOCATED: Severity.INFO,
    Tier.SIGNIFICANT: Severity.ERROR,
    Tier.UNKNOWN: Severity.ERROR,
    Tier.CRITICAL: Severity.CRITICAL,
    Tier.INTEGRITY: Severity.CRITICAL,
}


def messages_of(
    steps: Iterable[RecordedStep], before: Mapping[int, AccountState]
) -> Iterator[OutgoingRecord]:
    """Yield what leaves with `steps`: every transition and alert, and each account's last position.

    Args:
        steps: In the order they were taken.
        before: The state of each account, by number, before the first of them; none if it is new.
    """
    judged = {number: (state.tier, state.rule) for number, state in before.items()}
    newest: dict[int, RecordedStep] = {}
    for recorded in steps:
        number = recorded.account.number
        yield from transition_messages(recorded)
        judgement = (recorded.step.state.tier, recorded.step.state.rule)
        if judgement != judged.get(number):
            yield _alert(recorded)
        judged[number] = judgement
        newest[number] = recorded
    for recorded in newest.values():
        position = position_of(recorded.account, recorded.step)
        key = recorded.account.scope.encode()
        yield OutgoingRecord("recon.positions", key, _ENCODER.encode(position))


def transition_messages(recorded: RecordedStep) -> Iterator[OutgoingRecord]:
    """Yield the breaker's record and event of one step; nothing if its state did not change."""
    transition = recorded.step.transition
    if transition is None:
        return
    evidence = evidence_of(recorded)
    evidence_hash = sha256(evidence).hexdigest()
    key = recorded.account.scope.encode()
    record = BreakerRecord(
        scope=recorded.account.scope,
        state=transition.to_state,
        epoch=transition.epoch,
        seq=transition.seq,
        reason_code=transition.reason,
        evidence_hash=evidence_hash,
        decided_at=transition.at,
        inputs_through=_inputs_through(recorded.step.state),
    )
    event = BreakerEvent(
        scope=record.scope,
        from_state=transition.from_state or transition.to_state,
        to_state=record.state,
        epoch=record.epoch,
        seq=record.seq,
        reason_code=record.reason_code,
        evidence_hash=evidence_hash,
        evidence=msgspec.Raw(evidence),
        decided_at=record.decided_at,
    )
    yield OutgoingRecord("recon.breaker", key, _ENCODER.encode(record))
    yield OutgoingRecord("recon.breaker.events", key, _ENCODER.encode(event))


def evidence_of(recorded: RecordedStep) -> bytes:
    """Return what a transition rests on: the event, the position it led to, the rules' version."""
    evidence: dict[str, Any] = {
        "event": recorded.event,
        "position": position_of(recorded.account, recorded.step),
        "rules_version": recorded.account.rules.version,
    }
    return _ENCODER.encode(evidence)


def position_of(account: Account, taken: Step) -> Position:
    """Return the published form of an account's position."""
    state, verdict, rules = taken.state, taken.verdict, account.rules
    now = state.evaluated_at
    return Position(
        account_id=account.account_id,
        currency=account.currency,
        version=state.version,
        ledger=_text(verdict.ledger),
        bank=_text(verdict.bank),
        reserved=amount_text(verdict.reserved),
        difference=_text(verdict.difference),
        explained=amount_text(verdict.explained),
        unexplained=_text(verdict.unexplained),
        raw_tier=verdict.raw_tier,
        tier=verdict.tier,
        rule=verdict.rule.value,
        evaluated_at=now,
        ledger_side=_side(state.ledger, rules.ledger_silence_seconds_max),
        bank_side=_side(state.bank, rules.bank_silence_seconds_max),
        in_flight=tuple(
            InFlight(
                reference=reference,
                kind=item.kind.value,
                amount=amount_text(item.amount),
                due_at=item.due_at,
                explains=amount_text(explains(item, now)),
                overdue=is_overdue(item, now),
            )
            for reference, item in sorted(state.items.items())
        ),
    )


def _alert(recorded: RecordedStep) -> OutgoingRecord:
    account, verdict = recorded.account, recorded.step.verdict
    cause = f"position:{account.scope}"
    resolved = verdict.tier is Tier.OK
    amounts = {
        name: amount_text(amount)
        for name, amount in (
            ("bank", verdict.bank),
            ("ledger", verdict.ledger),
            ("difference", verdict.difference),
            ("unexplained", verdict.unexplained),
        )
        if amount is not None
    }
    alert = Alert(
        dedup_key=cause,
        action="resolve" if resolved else "trigger",
        severity=_severity(verdict),
        alert_class=verdict.rule.value,
        summary=f"{account.account_id} {account.currency}: {verdict.tier} by {verdict.rule}",
        source=_source(recorded.event),
        at=recorded.step.state.evaluated_at,
        scope=account.scope,
        tier=verdict.tier.value,
        amounts=amounts,
    )
    return OutgoingRecord("recon.alerts", cause.encode(), _ENCODER.encode(alert))


def _severity(verdict: Verdict) -> Severity:
    if verdict.rule is Rule.FUNDING_ABOVE_LIMIT:
        return Severity.ERROR
    return _SEVERITY.get(verdict.tier, Severity.INFO)


def _source(event: AccountEvent) -> str:
    evidence = event.evidence
    if evidence is None:
        return "time"
    return f"{evidence.topic}/{evidence.partition}/{evidence.offset}"


def _inputs_through(state: AccountState) -> dict[str, int]:
    sides = (state.bank.evidence, state.ledger.evidence)
    return {f"{e.topic}/{e.partition}": e.offset for e in sides if e is not None}


def _side(side: Side, silence_seconds_max: int) -> PublishedSide:
    evidence = side.evidence or Evidence(topic="", partition=0, offset=0)
    known = side.evidence is not None
    return PublishedSide(
        as_of=side.as_of,
        fresh_until=fresh_until(side, silence_seconds_max),
        topic=evidence.topic if known else None,
        partition=evidence.partition if known else None,
        offset=evidence.offset if known else None,
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else amount_text(amount)
