"""What is missing at the bank by itself: no surplus of other money makes it good. Pure."""

from collections.abc import Iterable
from decimal import Decimal

from recon_streams.kernel.money import ZERO, add, subtract
from recon_streams.reports.account_day import Item
from recon_streams.reports.parts import Leg


def shortage_in(items: Iterable[Item], proof: Decimal) -> Decimal:
    """Return what is missing by those of `items` that do not cover, and by `proof`; zero or less.

    A debit that nobody announced is not made good by a receipt that nobody knows, whatever the two
    add up to; and neither by waiting until the receipt is overdue.
    """
    missing = min(proof, ZERO)
    for item in items:
        if not item.covers:
            amount = Decimal(item.amount)
            explained = subtract(ZERO, amount) if item.leg is Leg.LEDGER else amount
            missing = add(missing, min(explained, ZERO))
    return missing
