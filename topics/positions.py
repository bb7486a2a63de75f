"""`recon.positions`: the newest ledger-versus-bank position per account, absolute and versioned."""

from enum import StrEnum, unique

import msgspec

from topics.words import AccountId, CurrencyCode, Instant, SignedAmountText


@unique
class Tier(StrEnum):
    """How far ledger and bank are apart. An unknown value must be read as CRITICAL."""

    OK = "OK"
    MINOR = "MINOR"
    SIGNIFICANT = "SIGNIFICANT"
    CRITICAL = "CRITICAL"
    UNALLOCATED = "UNALLOCATED"  # money at the bank, no tokens yet: first funding
    UNKNOWN = "UNKNOWN"  # a side has no fresh figure; never to be read as OK
    INTEGRITY = "INTEGRITY"  # the ledger says less than zero: not a difference but an error


class InFlight(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One announced payment between its two legs, and what it explains of the difference.

    Attributes:
        reference: The payment.
        kind: `hold`, `payout` or `deposit`.
        amount: What was announced.
        due_at: From when on it explains nothing.
        explains: The signed part of bank minus ledger it accounts for now.
        overdue: Whether a leg is missing past `due_at`.
    """

    reference: str
    kind: str
    amount: SignedAmountText
    due_at: Instant
    explains: SignedAmountText
    overdue: bool = False


class Side(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Over what a figure holds: who said it last, as of when, and until when it is fresh.

    Attributes:
        as_of: When the source last spoke; absent when it never did.
        fresh_until: From when on the figure counts as unknown.
        topic: Topic of the message that last changed the figure.
        partition: Its partition.
        offset: Its offset.
    """

    as_of: Instant | None = None
    fresh_until: Instant | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None


class Position(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The position of one account after the event number `version` of its log.

    Attributes:
        account_id: The ledger account.
        currency: Its currency.
        version: Rises by one with every event of the account; the higher one counts.
        ledger: Tokens in circulation as the ledger says; null when it never said.
        bank: Booked balance as the bank says; null when it never said.
        reserved: Tokens locked by holds and payouts that the ledger has not redeemed yet.
        difference: Bank minus ledger; negative is a shortage at the bank.
        explained: The part of it that payments between their two legs account for.
        unexplained: The rest: what `tier` judges.
        raw_tier: The verdict on `difference`.
        tier: The verdict on `unexplained`; the breaker acts on it.
        rule: The rule that gave `tier`.
        evaluated_at: The instant the verdict is for.
        ledger_side: Over what `ledger` holds.
        bank_side: Over what `bank` holds.
        in_flight: The announced payments.
        schema_version: The major version of the contract.
    """

    account_id: AccountId
    currency: CurrencyCode
    version: int
    ledger: SignedAmountText | None
    bank: SignedAmountText | None
    reserved: SignedAmountText
    difference: SignedAmountText | None
    explained: SignedAmountText
    unexplained: SignedAmountText | None
    raw_tier: Tier
    tier: Tier
    rule: str
    evaluated_at: Instant
    ledger_side: Side
    bank_side: Side
    in_flight: tuple[InFlight, ...] = ()
    schema_version: int = 1
