"""What the reports of a day and of a window share: evidence, ageing, and backing of a currency.

Amounts are text in the one spelling of `kernel.money.amount_text`, so that equal figures are equal
bytes. Nothing here names a person or an account number of a bank.
"""

from datetime import datetime, timedelta
from enum import StrEnum, unique

import msgspec

from topics.positions import Tier
from topics.words import AccountId, CurrencyCode, SignedAmountText


@unique
class Leg(StrEnum):
    """Whose books something stands in. It decides the sign of what it explains of bank - ledger."""

    BANK = "BANK"  # explains +amount: the bank has booked it, the ledger has not
    LEDGER = "LEDGER"  # explains -amount: the ledger has booked it, the bank has not
    BOTH = "BOTH"  # explains +amount: the amount is already bank less ledger


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """One source and how far it was read: over what the figures hold.

    Attributes:
        topic: The topic.
        partition: Its partition.
        next_offset: The first offset that is not in the figures.
        through_at: Up to which instant the source is decided; null if it has never spoken.
    """

    topic: str
    partition: int
    next_offset: int
    through_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse an instant that would be spelled in another zone."""
        require_utc(self.through_at)


class OpenDiscrepancies(msgspec.Struct, frozen=True, kw_only=True):
    """The discrepancies of one kind and one age that are not resolved.

    Attributes:
        kind: What is wrong.
        bucket: The ageing bucket in words, such as `2-5`.
        count: How many.
        overdue: How many of them are past their due time.
        oldest_business_days: Age of the oldest; it orders the buckets.
        amount: Their signed amounts added up, bank less ledger; null if one of them has none.
        counted_at: The instant at which they were open. A day that is run again later counts what
            was open then, not at its cut-off. Null in reports made before this was noted.
    """

    kind: str
    bucket: str
    count: int
    overdue: int = 0
    oldest_business_days: int = 0
    amount: SignedAmountText | None = None
    counted_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse an instant that would be spelled in another zone."""
        require_utc(self.counted_at)


class Shortage(msgspec.Struct, frozen=True, kw_only=True):
    """An account whose bank balance is below its ledger. Never netted against a surplus.

    Attributes:
        account_id: The ledger account.
        difference: Bank less ledger, below zero.
        unexplained: What is left of it after everything that is explained.
        tier: The verdict on it.
    """

    account_id: AccountId
    difference: SignedAmountText
    unexplained: SignedAmountText
    tier: Tier


class Backing(msgspec.Struct, frozen=True, kw_only=True):
    """One currency over all its accounts: is every token backed, one to one?

    The sums say how much there is. They prove nothing of a single account: a surplus here does not
    make up for a shortage there, so shortages stand one by one and both sides are added apart.

    Attributes:
        currency: The currency.
        accounts: How many accounts of it the report covers.
        without_figure: Those with no figure of one side; they are in no sum.
        ledger: Tokens in circulation.
        bank: Booked at the bank.
        difference: Bank less ledger; also `surplus_total` plus `shortage_total`.
        surplus_total: The differences above zero.
        shortage_total: The differences below zero; zero or negative.
        shortages: One by one, the largest first.
        unexplained_total: What is not explained, without sign, account by account.
        worst_tier: The worst verdict of its accounts.
    """

    currency: CurrencyCode
    accounts: int
    without_figure: tuple[AccountId, ...]
    ledger: SignedAmountText
    bank: SignedAmountText
    difference: SignedAmountText
    surplus_total: SignedAmountText
    shortage_total: SignedAmountText
    shortages: tuple[Shortage, ...]
    unexplained_total: SignedAmountText
    worst_tier: Tier


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction says otherwise than the version before it.

    Attributes:
        account_id: The ledger account.
        currency: Its currency.
        what: The figure, by its name in the report, or `account`.
        before: As it was; null if it was not there.
        after: As it is now; null if it is gone.
    """

    account_id: AccountId
    currency: CurrencyCode
    what: str
    before: str | None
    after: str | None


def require_utc(*instants: datetime | None) -> None:
    """Assert that each instant has one spelling: the same moment in two zones is other bytes."""
    for instant in instants:
        assert instant is None or instant.utcoffset() == timedelta(0), f"{instant} is not in UTC"
