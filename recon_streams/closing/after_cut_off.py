"""What a ledger did on a date after the bank had ended its day of that date."""

from decimal import Decimal

import msgspec


class AfterMatched(msgspec.Struct, frozen=True, kw_only=True):
    """One such movement that is matched.

    Attributes:
        amount: Signed.
        reference: What people call it.
    """

    match_id: int
    amount: Decimal
    reference: str


class AfterCutOff(msgspec.Struct, frozen=True, kw_only=True):
    """Ledger movements of the day's date that are of the next day, as the bank's day had ended.

    Attributes:
        open_ids: Those that are open, by ledger sequence.
        matched: Those that are matched.
    """

    open_ids: frozenset[int] = frozenset()
    matched: tuple[AfterMatched, ...] = ()
