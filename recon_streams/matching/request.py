"""What a run is asked for, and what it answers for each account's day."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from recon_streams.discrepancies.finding import Cleared, Finding
from recon_streams.kernel.calendar import BusinessDays
from recon_streams.kernel.money import ZERO
from recon_streams.matching.items import ItemKey, Side
from recon_streams.matching.results import Candidate, Why
from recon_streams.matching.rules import MatchingRules

# Each account is a lock of its own; the server keeps room for some thousands of them.
ACCOUNTS_MAX = 1_000


class MatchAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One account of a request.

    Attributes:
        zone: IANA name of the bank's time zone: it says on which day a ledger movement was.
        scale: Decimals of the currency.
        inputs_through: The account event up to which items are read; None for all there are.
    """

    number: int
    currency: str
    zone: str
    calendar: BusinessDays
    scale: int = 2
    inputs_through: int | None = None


class MatchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Match some accounts, and say how their day `on` stands.

    Attributes:
        run: The name of the run: asked for again under one name, the same inputs are read.
        at: The instant of the run; an input, never the clock.
    """

    run: str
    accounts: tuple[MatchAccount, ...]
    on: date
    at: datetime
    rules: MatchingRules


class OpenItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item nothing was matched with.

    Attributes:
        since: Day of the first run that left it open.
    """

    side: Side
    key: ItemKey
    name: str
    on: date
    amount: Decimal
    reference: str
    since: date
    why: Why
    reason: str
    candidates: tuple[Candidate, ...] = ()
    arrived_on: date | None = None
    finding: str = ""


class RuleTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule matched whose last item is of the day."""

    rule: str
    matches: int
    bank_items: int
    ledger_items: int
    bank_amount: Decimal
    ledger_amount: Decimal
    difference: Decimal


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A match whose amounts differ: bank less ledger, and what allows it."""

    match_id: int
    on: date
    amount: Decimal
    explained_by: str


class HandDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A match that a person made of items whose amounts differ.

    Attributes:
        on: The oldest day of its items.
        amount: What of bank less ledger it leaves between the two as of the day.
        items: Its items with their amounts, as people know them.
        references: What the payments are called.
    """

    match_id: int
    on: date
    amount: Decimal
    actor: str
    reason: str
    items: tuple[str, ...]
    references: tuple[str, ...]


class MatchedLater(msgspec.Struct, frozen=True, kw_only=True):
    """A match of which only a part is of the day or before.

    Attributes:
        amount: That part: bank items less ledger items, up to the day.
        on: The oldest day of that part.
        last_on: The day it is whole; None if that is not known.
        reference: What people call the payment.
        by_hand: A person put it together, not a rule.
        is_denied: The statement of the day of its later leg is there, and does not hold it.
    """

    match_id: int
    on: date
    amount: Decimal
    last_on: date | None = None
    reference: str = ""
    by_hand: bool = False
    is_denied: bool = False


class ClassTotal(msgspec.Struct, frozen=True, kw_only=True):
    """A sum as the database adds it up."""

    count: int = 0
    amount: Decimal = ZERO


class MatchedDay(msgspec.Struct, frozen=True, kw_only=True):
    """How the day of one account stands between bank and ledger.

    The difference between the two is what it was at the opening, plus open bank items, less open
    ledger items, plus `differences`, plus `by_hand`, plus `later`. The totals are the database's
    own sums over the same rows; that both agree was asserted.

    Attributes:
        open_bank: Open bank items up to the day.
        open_ledger: Open ledger items up to the day.
        findings: For the register of discrepancies: what is wrong as of the day.
        cleared: What was reported before and is proven gone.
        through: The account event up to which items were read.
    """

    account: int
    on: date
    through: int
    rules_version: int
    rules_sha256: str
    open_bank: tuple[OpenItem, ...] = ()
    open_ledger: tuple[OpenItem, ...] = ()
    differences: tuple[Difference, ...] = ()
    by_hand: tuple[HandDifference, ...] = ()
    later: tuple[MatchedLater, ...] = ()
    matched: tuple[RuleTotal, ...] = ()
    open_bank_total: ClassTotal = ClassTotal()
    open_ledger_total: ClassTotal = ClassTotal()
    differences_total: ClassTotal = ClassTotal()
    by_hand_total: ClassTotal = ClassTotal()
    later_total: ClassTotal = ClassTotal()
    findings: tuple[Finding, ...] = ()
    cleared: tuple[Cleared, ...] = ()
