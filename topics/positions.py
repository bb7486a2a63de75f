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
    """One announced payment between its two legs, and what it explains of the difference."""

    reference: str
    kind: str
    amount: SignedAmountText
    due_at: Instant
    explains: SignedAmountText
    overdue: bool = False


class Side(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Over what a figure holds: who said it last, as of when, and until when it is fresh."""

    as_of: Instant | None = None
    fresh_until: Instant | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None


class Position(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The position of one account after the event number `version` of its log."""

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
