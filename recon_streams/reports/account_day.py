"""One account on one day as a reconciliation statement: from the bank's balance to the ledger's."""

from datetime import date, datetime
from enum import StrEnum, unique

import msgspec

from recon_streams.reports.parts import Covered, Leg, OpenDiscrepancies, require_utc
from topics.positions import Tier
from topics.words import AccountId, CurrencyCode, SignedAmountText


@unique
class ItemKind(StrEnum):
    """Why an amount stands between bank and ledger. They are printed in this order."""

    OPENING_DIFFERENCE = "OPENING_DIFFERENCE"  # was there when the account was registered
    BANK_NOT_IN_LEDGER = "BANK_NOT_IN_LEDGER"  # the bank booked it, no ledger movement matches
    LEDGER_NOT_AT_BANK = "LEDGER_NOT_AT_BANK"  # the ledger booked it, no bank entry matches
    ANNOUNCED_NOT_STATED = "ANNOUNCED_NOT_STATED"  # the ledger has it, the bank only announced it
    TOLERATED_DIFFERENCE = "TOLERATED_DIFFERENCE"  # matched, amounts differ within the tolerance
    HAND_DIFFERENCE = "HAND_DIFFERENCE"  # matched by hand, and the amounts differ
    MATCHED_LATER = "MATCHED_LATER"  # matched by now, but its other leg is of a later day


@unique
class Continuity(StrEnum):
    """How this statement joins the one before it."""

    JOINED = "JOINED"  # its opening is the closing before it
    FIRST = "FIRST"  # there is none before it
    BROKEN = "BROKEN"  # its opening is another amount
    GAP = "GAP"  # sequence numbers between the two are missing
    MISSING = "MISSING"  # no statement of this day


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that explains a part of the difference.

    Attributes:
        kind: Why it stands between the two balances.
        leg: Whose books it stands in; gives the sign of what it explains.
        reference: What identifies it for a person: the reference of the payment.
        amount: Signed as booked there; for `BOTH`, bank less ledger.
        on: The business day it was booked; of several, the oldest.
        age_business_days: From then to the day of the report.
        bucket: The ageing bucket in words.
        due_on: Until when it is expected to be alone; null if nothing is expected.
        overdue: It should have had a partner by now.
        covers: It may stand between the two: what it explains is taken off before the verdict.
        reason: The first predicate that failed, with its numbers; or what proves it.
        nearest: The nearest candidates in words, the best first.
        origin: Where it comes from: topic/partition/offset and the path in the message.
        count: How many of its kind it stands for; 1 unless older ones are summed up.
    """

    kind: ItemKind
    leg: Leg
    reference: str
    amount: SignedAmountText
    on: date
    age_business_days: int
    bucket: str
    due_on: date | None = None
    overdue: bool = False
    covers: bool = False
    reason: str = ""
    nearest: tuple[str, ...] = ()
    origin: str = ""
    count: int = 1


class ItemGroup(msgspec.Struct, frozen=True, kw_only=True):
    """All items of one kind as the books add them up, independent of the items as listed.

    Attributes:
        kind: Which.
        count: How many.
        explains: Their signed part of bank less ledger.
    """

    kind: ItemKind
    count: int
    explains: SignedAmountText


class MatchedTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule matched on this day.

    Attributes:
        rule: The rule's name; `by_hand` for what a person matched.
        matches: How many.
        bank_items: Bank entries in them.
        ledger_items: Ledger movements in them.
        bank_amount: The bank entries' signed sum.
        ledger_amount: The ledger movements' signed sum.
        difference: Bank less ledger: what the tolerance let pass.
    """

    rule: str
    matches: int
    bank_items: int
    ledger_items: int
    bank_amount: SignedAmountText
    ledger_amount: SignedAmountText
    difference: SignedAmountText


class StatementUsed(msgspec.Struct, frozen=True, kw_only=True):
    """The bank's statement that gave the closing balance.

    Attributes:
        message: `camt.053`, or what the account's bank sends in its place.
        origin: topic/partition/offset of the record, and the path in it.
        statement_id: The bank's name for it.
        electronic_sequence: The bank's number of it.
        legal_sequence: The number of the paper one.
        version: 1, and one more with each correction by the bank.
        opening_on: The day of the opening balance.
        closing_on: The day of the closing balance.
        opening: The opening booked balance.
        credits: Booked credits, without sign.
        debits: Booked debits, without sign.
        entries: How many entries are booked.
        closing: The closing booked balance; also opening + credits - debits.
        arrived_at: When it came.
    """

    message: str
    origin: str
    statement_id: str | None
    electronic_sequence: int | None
    legal_sequence: int | None
    version: int
    opening_on: date | None
    closing_on: date
    opening: SignedAmountText
    credits: SignedAmountText
    debits: SignedAmountText
    entries: int
    closing: SignedAmountText
    arrived_at: datetime

    def __post_init__(self) -> None:
        """Refuse an instant that would be spelled in another zone."""
        require_utc(self.arrived_at)


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the statements hang together up to this one.

    Attributes:
        continuity: How it joins the one before.
        previous_on: Closing day of the one before.
        previous_closing: Its closing balance.
        jump: Opening less the closing before; zero where they join, null where there are not both.
        missing_sequences: Numbers that were skipped, in words, such as `118` or `118-120`.
    """

    continuity: Continuity
    previous_on: date | None = None
    previous_closing: SignedAmountText | None = None
    jump: SignedAmountText | None = None
    missing_sequences: tuple[str, ...] = ()


class AccountDay(msgspec.Struct, frozen=True, kw_only=True):
    """One account at its bank's cut-off of one day.

    `difference` = bank - ledger; `difference` - `explained_total` = `proof`. A proof that is not
    zero is money nobody can explain. To be explained is not to be all right: a debit without a
    ledger movement explains a shortage and is one. So the verdict is on what is left when only the
    items that may stand between the two are taken off. Without a statement there is no difference
    and no proof, and the tier is UNKNOWN: nothing was proven.

    Attributes:
        account_id: The ledger account.
        currency: Its currency.
        on: The day, by the bank's calendar.
        time_zone: The bank's time zone, in which days end.
        cut_off_at: The instant at which both balances are compared.
        bank_opening: Booked balance at the start of the statement.
        bank_closing: Booked balance at the cut-off, by the statement.
        ledger_at_cut_off: Tokens in circulation at the same instant.
        difference: Bank less ledger; negative is a shortage at the bank.
        groups: What explains it, added up by the books.
        items: The same, one by one.
        explained_total: The sum of both.
        proof: What is left.
        uncovered: `difference` less what the items explain that cover.
        shortage: What of `uncovered` is missing by itself, zero or below: the items below zero that
            do not cover, and a proof below zero. What is too much elsewhere makes good none of it.
        raw_tier: The verdict on `difference`.
        tier: The worst of the verdicts on `uncovered`, `shortage` and, if not zero, the proof.
        rule: The rule that gave `tier`.
        statement: The statement the closing is from; null if none came.
        chain: How it joins the statements before it.
        matched: What was matched this day, by rule.
        discrepancies: What is open on the account, by age.
        coverage: Over which inputs all of it holds.
        rules_version: Version of the account's rules (the registry).
        matching_rules_version: Version of the matching rules.
        calendar_version: Version of the bank's calendar.
    """

    account_id: AccountId
    currency: CurrencyCode
    on: date
    time_zone: str
    cut_off_at: datetime
    bank_opening: SignedAmountText | None
    bank_closing: SignedAmountText | None
    ledger_at_cut_off: SignedAmountText | None
    difference: SignedAmountText | None
    groups: tuple[ItemGroup, ...]
    items: tuple[Item, ...]
    explained_total: SignedAmountText
    proof: SignedAmountText | None
    uncovered: SignedAmountText | None
    shortage: SignedAmountText | None
    raw_tier: Tier
    tier: Tier
    rule: str
    statement: StatementUsed | None
    chain: Chain
    matched: tuple[MatchedTotal, ...]
    discrepancies: tuple[OpenDiscrepancies, ...]
    coverage: tuple[Covered, ...]
    rules_version: str
    matching_rules_version: str
    calendar_version: str

    def __post_init__(self) -> None:
        """Refuse an instant that would be spelled in another zone."""
        require_utc(self.cut_off_at)
