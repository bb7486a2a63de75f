"""What a check found wrong, or proved to be right again; the life of it is somebody else's.

A finding names its cause, not its occurrence: the same cause found again is the same discrepancy.
That a check says nothing of a cause proves nothing; only `Cleared`, with its proof, ends one.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum, unique

import msgspec


@unique
class Kind(StrEnum):
    """What is wrong. The set is closed: each kind has a severity, a due time and a runbook."""

    BALANCE_MISMATCH = "BALANCE_MISMATCH"  # bank and ledger differ by more than is explained
    MISSING_TXN = "MISSING_TXN"  # one side has a movement, the other side has none
    DUPLICATE_TXN = "DUPLICATE_TXN"  # one side has it once, the other more often
    AMOUNT_MISMATCH = "AMOUNT_MISMATCH"  # the same payment, other amounts
    AMBIGUOUS_MATCH = "AMBIGUOUS_MATCH"  # several partners are equally good
    STATEMENT_MISSING = "STATEMENT_MISSING"  # expected, or skipped by the sequence, and not here
    STATEMENT_UNBALANCED = "STATEMENT_UNBALANCED"  # opening + booked is not the closing
    STATEMENT_INCOMPLETE = "STATEMENT_INCOMPLETE"  # pages are missing
    CONTINUITY_BROKEN = "CONTINUITY_BROKEN"  # an opening is not the closing before it
    LATE_NOTIFICATION = "LATE_NOTIFICATION"  # a statement holds what no notification announced
    NOTIFICATION_UNCONFIRMED = "NOTIFICATION_UNCONFIRMED"  # announced, in no statement
    SOURCE_DISAGREEMENT = "SOURCE_DISAGREEMENT"  # two messages of the bank give two figures
    STATEMENT_CORRECTED = "STATEMENT_CORRECTED"  # another version of a statement that counted
    DRIFT = "DRIFT"  # the difference grows steadily; no limit is reached yet
    BANK_UNREACHABLE = "BANK_UNREACHABLE"  # the bank was asked for its balance and did not answer
    TABLE_DISAGREEMENT = "TABLE_DISAGREEMENT"  # our rolling figures are not the book's; our error


@unique
class Source(StrEnum):
    """Which check speaks."""

    STATEMENT = "STATEMENT"
    EXPECTATION = "EXPECTATION"
    SWEEP = "SWEEP"
    MATCHING = "MATCHING"
    CLOSING = "CLOSING"


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What a discrepancy is about, for ever.

    Attributes:
        account: Number of the account.
        subject: What names the cause within kind and account: a statement's day, a payment, a pair.
            Never a name of a person or an account number of a bank.
    """

    kind: Kind
    account: int
    subject: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that is there.

    Attributes:
        amount: Signed, bank less ledger (or said less expected), where there is one.
        facts: What a person needs to understand it, in their words; amounts as decimal text.
        on: The business day it belongs to, if to one.
    """

    cause: Cause
    source: Source
    amount: Decimal | None = None
    facts: dict[str, str] = {}
    on: date | None = None


class Cleared(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that was looked for and is proven gone; `proof` says by what."""

    cause: Cause
    source: Source
    proof: dict[str, str]
