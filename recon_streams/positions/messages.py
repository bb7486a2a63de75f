"""What other systems read of a step: the position, the breaker's record and its event. Pure."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec

from recon_streams.breaker import record as breaker
from recon_streams.breaker.order import Approval
from recon_streams.kernel.money import amount_text
from recon_streams.log.record import OutgoingRecord
from recon_streams.positions.directory import Account
from recon_streams.positions.event import Evidence, Overridden, Reset, Tripped
from recon_streams.positions.in_flight import explains, is_overdue
from recon_streams.positions.state import AccountState, Side
from recon_streams.positions.step import Step
from recon_streams.positions.verdict import fresh_until
from recon_streams.positions.working_set import RecordedStep
from topics.positions import InFlight, Position
from topics.positions import Side as PublishedSide

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def messages_of(steps: Iterable[RecordedStep]) -> Iterator[OutgoingRecord]:
    """Yield what leaves with `steps`: every transition, and each account's last position.

    Args:
        steps: In the order they were taken.
    """
    newest: dict[int, RecordedStep] = {}
    for recorded in steps:
        yield from transition_messages(recorded)
        newest[recorded.account.number] = recorded
    for recorded in newest.values():
        position = position_of(recorded.account, recorded.step)
        key = recorded.account.scope.encode()
        yield OutgoingRecord("recon.positions", key, _ENCODER.encode(position))


def transition_messages(recorded: RecordedStep) -> Iterator[OutgoingRecord]:
    """Yield the breaker's record and event of one step; nothing if its state did not change."""
    decision = decision_of(recorded)
    if decision is not None:
        yield from breaker.messages_of(decision)


def decision_of(recorded: RecordedStep) -> breaker.Decision | None:
    """Return what is recorded and told of the step's transition; None if there was none."""
    transition, event = recorded.step.transition, recorded.event
    if transition is None:
        return None
    state = recorded.step.state
    decision = breaker.Decision(
        scope=recorded.account.scope,
        transition=transition,
        evidence=evidence_of(recorded),
        parents=recorded.account.parents,
        inputs_through=_inputs_through(state),
    )
    match event:
        case Tripped(actor=actor, words=words):
            return msgspec.structs.replace(decision, actor=actor, words=words)
        case Reset() | Overridden():
            forced = state.breaker.override
            return msgspec.structs.replace(
                decision,
                actor=event.checker,
                words=event.words,
                approval=Approval(
                    approval_id=event.approval_id, maker=event.maker, checker=event.checker
                ),
                override_until=None if forced is None else forced.until,
            )
        case _:
            return decision


def evidence_of(recorded: RecordedStep) -> bytes:
    """Return what a transition rests on: the event, the position it led to, the rules' version."""
    evidence: dict[str, Any] = {
        "event": recorded.event,
        "position": position_of(recorded.account, recorded.step),
        "rules_version": recorded.account.rules.version,
        "rules_sha256": recorded.account.rules.sha256,
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
