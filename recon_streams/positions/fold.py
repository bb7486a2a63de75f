"""How one event changes one account's figures. Balances commute: any order gives the same sums.

Every amount enters the state through `normal`, and every instant in UTC. An amount read back from
the log is another object with other zeros than the one that was recorded, two clocks may write one
instant with two offsets, and yet equal states must have equal bytes.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from recon_streams.breaker.scope import unproven
from recon_streams.kernel.money import add, normal
from recon_streams.positions import holding
from recon_streams.positions.event import (
    AccountEvent,
    Announced,
    BankMoved,
    BankObserved,
    BankStated,
    Elapsed,
    Evidence,
    LedgerBalanced,
    LedgerMoved,
    Leg,
    Overridden,
    Registered,
    Released,
    Reset,
    RulesChanged,
    Tripped,
)
from recon_streams.positions.in_flight import is_settled
from recon_streams.positions.state import AccountState, Item, Side


def born(account_id: str, currency: str, event: Registered) -> AccountState:
    """Return the state of an account that was just registered."""
    breaker, _ = unproven(event.at)
    return AccountState(
        account_id=account_id,
        currency=currency,
        version=1,
        bank=_opened(event.bank, event.as_of),
        ledger=_opened(event.ledger, event.as_of),
        breaker=breaker,
        evaluated_at=event.at,
        ledger_sequence=event.ledger_sequence,
    )


def _opened(anchor: Decimal | None, as_of: datetime | None) -> Side:
    if anchor is None:
        return Side()
    return Side(anchor=normal(anchor), as_of=_in_utc(as_of) if as_of is not None else None)


def fold(state: AccountState, event: AccountEvent) -> AccountState:
    """Return `state` after `event`: figures, payments, version and clock; not the breaker."""
    changed = _FOLDS[type(event)](state, event)
    now = state.evaluated_at if type(event) in _OF_PEOPLE else _later(state.evaluated_at, event.at)
    return replace(
        changed,
        version=state.version + 1,
        evaluated_at=now,
        items=_without_finished(changed.items, now),
    )


def _bank_moved(state: AccountState, event: BankMoved) -> AccountState:
    bank = _moved(state.bank, event.amount, event.at, event.evidence)
    if holding.is_of_time(event):
        bank = replace(bank, as_of=state.bank.as_of)
    return _told(state, bank, event)


def _bank_observed(state: AccountState, event: BankObserved) -> AccountState:
    return _told(state, _heard(state.bank, event.at), event)


def _told(state: AccountState, bank: Side, event: BankMoved | BankObserved) -> AccountState:
    return replace(
        state,
        bank=bank,
        items=_with_bank_legs(state.items, event.legs),
        notified=state.notified or event.message == "camt.054",
        held=holding.after(state.held, event),
    )


def _bank_stated(state: AccountState, event: BankStated) -> AccountState:
    held = holding.after(state.held, event)
    if state.stated_on is not None and event.closing_on < state.stated_on:
        return replace(state, bank=_heard(state.bank, event.at), held=held)
    bank = Side(
        anchor=normal(event.amount),
        moved=normal(event.moved_after),
        as_of=_later(state.bank.as_of, event.at),
        evidence=event.evidence or state.bank.evidence,
    )
    return replace(
        state,
        bank=bank,
        stated_on=event.closing_on,
        stated_early=event.is_early,
        held=held,
    )


def _with_bank_legs(items: dict[str, Item], legs: tuple[Leg, ...]) -> dict[str, Item]:
    for leg in legs:
        items = _with_leg(items, leg, "bank_leg")
    return items


def _ledger_moved(state: AccountState, event: LedgerMoved) -> AccountState:
    if event.ledger_sequence > state.ledger_sequence:
        ledger = _moved(state.ledger, event.amount, event.occurred_at, event.evidence)
    else:
        # The anchor contains this movement already and has only overtaken it on the way: adding
        # it would count it twice. Its leg still counts.
        ledger = _heard(state.ledger, event.occurred_at)
    items = state.items
    if event.reference is not None:
        items = _with_leg(items, Leg(event.reference, event.amount), "ledger_leg")
    return replace(state, ledger=ledger, items=items)


def _ledger_balanced(state: AccountState, event: LedgerBalanced) -> AccountState:
    if state.ledger.anchor is not None and event.ledger_sequence <= state.ledger_sequence:
        return replace(state, ledger=_heard(state.ledger, event.as_of))
    ledger = Side(
        anchor=normal(event.amount),
        moved=normal(event.moved_after),
        as_of=_later(state.ledger.as_of, event.as_of),
        evidence=event.evidence,
    )
    return replace(state, ledger=ledger, ledger_sequence=event.ledger_sequence)


def _announced(state: AccountState, event: Announced) -> AccountState:
    ledger = _heard(state.ledger, event.occurred_at)
    known = state.items.get(event.reference)
    if event.released or (known and known.ledger_sequence > event.ledger_sequence):
        return replace(state, ledger=ledger)
    item = Item(
        kind=event.item,
        amount=normal(event.amount),
        due_at=_in_utc(event.due_at),
        ledger_sequence=event.ledger_sequence,
        bank_leg=normal(event.bank_leg),
        ledger_leg=normal(event.ledger_leg),
    )
    return replace(state, ledger=ledger, items={**state.items, event.reference: item})


def _released(state: AccountState, event: Released) -> AccountState:
    ledger = _heard(state.ledger, event.occurred_at)
    known = state.items.get(event.reference)
    if known is None or known.ledger_sequence > event.ledger_sequence:
        return replace(state, ledger=ledger)
    items = {name: item for name, item in state.items.items() if name != event.reference}
    return replace(state, ledger=ledger, items=items)


def _unchanged(state: AccountState, _: AccountEvent) -> AccountState:
    return state


_FOLDS: Final[dict[type, Callable[[AccountState, Any], AccountState]]] = {
    BankMoved: _bank_moved,
    BankObserved: _bank_observed,
    BankStated: _bank_stated,
    LedgerMoved: _ledger_moved,
    LedgerBalanced: _ledger_balanced,
    Announced: _announced,
    Released: _released,
    RulesChanged: _unchanged,
    Elapsed: _unchanged,
    Reset: _unchanged,
    Tripped: _unchanged,
    Overridden: _unchanged,
}
# They say nothing of the money, and may be quicker than the inputs that wait: what is judged stays
# as old as it was, or a payment would be overdue whose record is still to be read.
_OF_PEOPLE: Final = frozenset({Tripped, Overridden})


def _moved(side: Side, amount: Decimal, at: datetime, evidence: Evidence | None) -> Side:
    return replace(
        side,
        moved=normal(add(side.moved, amount)),
        as_of=_later(side.as_of, at),
        evidence=evidence or side.evidence,
    )


def _heard(side: Side, at: datetime) -> Side:
    return replace(side, as_of=_later(side.as_of, at))


def _later(known: datetime | None, at: datetime) -> datetime:
    return _in_utc(at) if known is None or at > known else known


def _in_utc(at: datetime) -> datetime:
    return at if at.tzinfo is UTC else at.astimezone(UTC)


def _with_leg(items: dict[str, Item], leg: Leg, side: str) -> dict[str, Item]:
    item = items.get(leg.reference)
    if item is None:
        return items
    total = normal(add(getattr(item, side), leg.amount))
    return {**items, leg.reference: replace(item, **{side: total})}


def _without_finished(items: dict[str, Item], now: datetime) -> dict[str, Item]:
    # A settled payment stays until it is due, because a return within that time re-opens it.
    finished = [name for name, item in items.items() if now >= item.due_at and is_settled(item)]
    return (
        {name: item for name, item in items.items() if name not in finished} if finished else items
    )
