"""Sums of a statement's entries, taken one by one, so that a statement of any length can be judged.

Credits and debits are unsigned sums of what is booked; a reversal keeps the sign of its own
indicator.
"""

from datetime import date
from decimal import Decimal

from recon_streams.iso20022.values import Direction, Entry, EntryStatus
from recon_streams.kernel.money import ZERO, add, subtract


class Tally:
    """What the entries of one statement in one currency add up to.

    Attributes:
        currency: Whose entries count; others are only counted in `foreign`.
        credits: Sum of the booked credits.
        debits: Sum of the booked debits, unsigned.
        count: How many entries are booked.
        reversals: Signed sum of the booked entries marked as reversals.
        valued_later: Signed sum of those whose value date lies after `closing_on`.
        pending: Signed sum of the entries that are only expected.
        foreign: How many entries are in another currency.
    """

    __slots__ = (
        "closing_on",
        "count",
        "credits",
        "currency",
        "debits",
        "foreign",
        "pending",
        "reversals",
        "valued_later",
    )

    def __init__(self, currency: str | None, closing_on: date | None = None) -> None:
        """Count entries in `currency`; a value date after `closing_on` is a later one."""
        self.currency = currency
        self.closing_on = closing_on
        self.credits = self.debits = ZERO
        self.reversals = self.valued_later = self.pending = ZERO
        self.count = self.foreign = 0

    @property
    def net(self) -> Decimal:
        """What the booked entries add to the balance."""
        return subtract(self.credits, self.debits)

    def add(self, entry: Entry) -> None:
        """Take `entry` into the sums."""
        if entry.currency != self.currency:
            self.foreign += 1
            return
        if entry.status is EntryStatus.PENDING:
            self.pending = add(self.pending, entry.signed_amount)
        if entry.status is not EntryStatus.BOOKED:
            return
        self.count += 1
        if entry.direction is Direction.CREDIT:
            self.credits = add(self.credits, entry.amount)
        else:
            self.debits = add(self.debits, entry.amount)
        if entry.reversal:
            self.reversals = add(self.reversals, entry.signed_amount)
        if entry.value_on and self.closing_on and entry.value_on > self.closing_on:
            self.valued_later = add(self.valued_later, entry.signed_amount)
