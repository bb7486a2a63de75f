"""Payments between their two legs: what they explain of a difference, and for how long.

`difference = bank - ledger`. An outgoing payment (hold, payout) explains its own debit while the
ledger has not redeemed it yet, and its own redemption while the bank has not debited it yet, each
up to the announced amount. An incoming one (deposit) explains money that arrived before its tokens
were issued, and never the opposite: tokens without money are what this system exists to stop.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from recon_streams.kernel.money import ZERO, add, normal, subtract
from recon_streams.positions.event import ItemKind
from recon_streams.positions.state import Item


def explains(item: Item, now: datetime) -> Decimal:
    """Return the signed part of bank - ledger that `item` accounts for at `now`.

    Zero from its due instant on, and zero once both legs agree.
    """
    if now >= item.due_at:
        return ZERO
    if item.kind is ItemKind.DEPOSIT:
        arrived = _within(item.bank_leg, item.amount)
        issued = _within(item.ledger_leg, item.amount)
        return max(ZERO, subtract(arrived, issued))
    return subtract(_taken(item.ledger_leg, item), _taken(item.bank_leg, item))


def explained(items: Mapping[str, Item], now: datetime) -> Decimal:
    """Return the sum of what all `items` explain."""
    total = ZERO
    for item in items.values():
        if item.bank_leg or item.ledger_leg:
            total = add(total, explains(item, now))
    return total


def reserved(items: Mapping[str, Item]) -> Decimal:
    """Return the tokens locked by holds and payouts that the ledger has not redeemed yet."""
    total = ZERO
    for item in items.values():
        if item.kind is not ItemKind.DEPOSIT:
            total = add(total, subtract(item.amount, _taken(item.ledger_leg, item)))
    return normal(total)


def is_settled(item: Item) -> bool:
    """Return whether both legs have arrived in full."""
    incoming = item.kind is ItemKind.DEPOSIT
    signed = item.amount if incoming else item.amount.copy_negate()
    return item.bank_leg == signed == item.ledger_leg


def is_overdue(item: Item, now: datetime) -> bool:
    """Return whether `item` should have been settled by `now` and is not."""
    return now >= item.due_at and not is_settled(item)


def _taken(leg: Decimal, item: Item) -> Decimal:
    # copy_negate, because a minus sign would round to the precision of the thread's own context.
    return _within(leg.copy_negate(), item.amount) if leg else ZERO


def _within(amount: Decimal, most: Decimal) -> Decimal:
    if amount <= ZERO:
        return ZERO
    return min(amount, most)
