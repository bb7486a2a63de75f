"""One account over one sweep window: what moved, what the bank answered, and where it drifts."""

from datetime import datetime
from enum import StrEnum, unique

import msgspec

from recon_streams.reports.parts import Covered, OpenDiscrepancies, require_utc
from topics.positions import Tier
from topics.words import AccountId, CurrencyCode, SignedAmountText


@unique
class BankAnswer(StrEnum):
    """What came of asking the bank for its balance."""

    ANSWERED = "ANSWERED"  # a figure, recent enough to be evidence
    STALE = "STALE"  # a figure that is too old to be evidence
    UNREACHABLE = "UNREACHABLE"  # no answer within the bound
    REFUSED = "REFUSED"  # an answer that could not be used
    NOT_ASKED = "NOT_ASKED"  # the account has no connector


class BankBalance(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank itself said, next to our own figure as of the same instant.

    Attributes:
        answer: What came of asking.
        balance: The booked balance the bank named.
        as_of: The instant it is true for, by the bank.
        ours: What we had as the bank's balance as of then.
        disagreement: `balance` less `ours`.
        detail: Why there is no figure, in words.
        origin: topic/partition/offset of the answer.
    """

    answer: BankAnswer
    balance: SignedAmountText | None = None
    as_of: datetime | None = None
    ours: SignedAmountText | None = None
    disagreement: SignedAmountText | None = None
    detail: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        """Refuse an instant that would be spelled in another zone."""
        require_utc(self.as_of)


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """How one side got from its balance at the start of the window to that at the end.

    Attributes:
        opening: At the start of the window; null if the side had never spoken.
        credits: What came in, without sign.
        debits: What went out, without sign.
        restated: Signed: what an absolute figure changed (a statement, a ledger balance).
        closing: At the end; also opening + credits - debits + restated.
        count: How many movements.
    """

    opening: SignedAmountText | None
    credits: SignedAmountText
    debits: SignedAmountText
    restated: SignedAmountText
    closing: SignedAmountText | None
    count: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A payment between its two legs, announced by the ledger.

    Attributes:
        reference: The payment.
        kind: `hold`, `payout` or `deposit`.
        amount: What was announced.
        explains: Its signed part of bank less ledger.
        due_at: From when on it explains nothing.
        overdue: Whether a leg is missing past that.
    """

    reference: str
    kind: str
    amount: SignedAmountText
    explains: SignedAmountText
    due_at: datetime
    overdue: bool = False

    def __post_init__(self) -> None:
        """Refuse an instant that would be spelled in another zone."""
        require_utc(self.due_at)


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """How fast the difference moves, by the last windows.

    Attributes:
        windows: How many windows it rests on.
        change: Of the difference, in this window.
        median: Of the changes.
        deviation: Median absolute deviation of the changes.
        warned: It moves steadily, though no limit is reached yet.
        reaches_limit_at: When it would reach the next limit at the median's pace.
    """

    windows: int
    change: SignedAmountText | None = None
    median: SignedAmountText | None = None
    deviation: SignedAmountText | None = None
    warned: bool = False
    reaches_limit_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse an instant that would be spelled in another zone."""
        require_utc(self.reaches_limit_at)


class AccountWindow(msgspec.Struct, frozen=True, kw_only=True):
    """One account at the end of a window, and how it came there.

    Attributes:
        account_id: The ledger account.
        currency: Its currency.
        evaluated_at: The instant the figures and the verdict are for.
        ledger: How the ledger moved.
        bank: How the bank moved, by its notifications and reports.
        bank_balance: What the bank said when asked.
        difference: Bank less ledger at the end; null if a side never spoke.
        waiting: The payments between their legs.
        explained_total: What they explain of it.
        unexplained: The rest.
        raw_tier: The verdict on `difference`.
        tier: The verdict on `unexplained`.
        rule: The rule that gave `tier`.
        breaker_state: CLOSED, SUSPENDED or OPEN.
        drift: How fast it moves.
        discrepancies: What is open on the account, by age.
        coverage: Over which inputs all of it holds.
        rules_version: Version of the account's rules (the registry).
    """

    account_id: AccountId
    currency: CurrencyCode
    evaluated_at: datetime
    ledger: Movement
    bank: Movement
    bank_balance: BankBalance
    difference: SignedAmountText | None
    waiting: tuple[Waiting, ...]
    explained_total: SignedAmountText
    unexplained: SignedAmountText | None
    raw_tier: Tier
    tier: Tier
    rule: str
    breaker_state: str
    drift: Drift
    discrepancies: tuple[OpenDiscrepancies, ...]
    coverage: tuple[Covered, ...]
    rules_version: str

    def __post_init__(self) -> None:
        """Refuse an instant that would be spelled in another zone."""
        require_utc(self.evaluated_at)
