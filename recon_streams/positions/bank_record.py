"""What the book knows of the bank's entries and statements, and what a batch adds to it. Pure.

Loaded for just the payments, days and statements a batch mentions; the additions are written in the
batch's own transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import msgspec

from recon_streams.kernel.money import ZERO, add, subtract
from recon_streams.statements.chain import Link
from recon_streams.statements.equation import Equation
from recon_streams.statements.pages import Page

# The code of a row that takes money back which a corrected statement no longer holds.
WITHDRAWN: Final = "WITHDRAWN"

PaymentKey = tuple[int, int, int]  # account, sequence of the event that brought it, part


class Payment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A payment the bank told of.

    Attributes:
        net: What it adds to the booked balance.
        day: The day on which it counts.
        message: Who told it first.
        stated: Whether the record of a day holds it; `stated_by` is the input that said so.
        withdrawn: Whether a corrected statement took it back.
        announced: Whether a message that is not the record of a day told it again.
        origin: The input that told it first; with the place in it.
    """

    net: Decimal
    day: date
    arrived_on: date
    message: str
    origin: str
    path: str
    stated: bool = False
    stated_by: str | None = None
    withdrawn: bool = False
    announced: bool = False


class EntryRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row of the book of entries; see there for what each column means."""

    account: int
    sequence: int
    part: int
    arrived_on: date
    booked_on: date
    value_on: date | None
    amount: Decimal
    net: Decimal
    uetr: str | None = None
    servicer_reference: str | None = None
    entry_reference: str | None = None
    clearing_reference: str | None = None
    end_to_end_id: str | None = None
    batch_reference: str | None = None
    counterparty: str | None = None
    remittance: str | None = None
    code: str
    look: bytes | None = None
    reversal: bool
    message: str
    stated: bool
    origin: str
    path: str


class Confirmation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That a later message says a known payment again, or that a corrected one no longer does."""

    payment: PaymentKey
    arrived_on: date
    message: str
    booked_on: date | None
    stated: bool
    origin: str
    path: str
    withdraws: bool = False


class StatementRow(msgspec.Struct, frozen=True, kw_only=True):
    """One statement, report or notification about a whole day, as it was understood."""

    account: int
    link: Link
    equation: Equation
    status: str
    arrived_at: datetime


class DayTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What one message says a day moved in all, without booking anything by it."""

    day: date
    net: Decimal
    message: str
    origin: str


@dataclass
class BankRecord:
    """Entries, days and statements, keyed by account number first.

    `parts` leads from the account and sequence of a batch to the payments it is the sum of; `days`
    holds what each day after some day adds; `unconfirmed` payments that were announced for
    the days of a statement and that no statement holds; `told` the payments that a statement holds,
    by account, origin and path, of those that are new or are being corrected.
    """

    payments: dict[PaymentKey, Payment] = field(default_factory=dict)
    parts: dict[tuple[int, int], set[PaymentKey]] = field(default_factory=dict)
    days: dict[int, dict[date, Decimal]] = field(default_factory=dict)
    links: dict[int, list[Link]] = field(default_factory=dict)
    unconfirmed: dict[int, dict[PaymentKey, Payment]] = field(default_factory=dict)
    told: dict[tuple[int, str, str], set[PaymentKey]] = field(default_factory=dict)
    pages: dict[tuple[int, bytes], dict[int, Page]] = field(default_factory=dict)
    totals: dict[tuple[int, date], list[DayTotal]] = field(default_factory=dict)

    added_entries: list[EntryRow] = field(default_factory=list)
    added_confirmations: list[Confirmation] = field(default_factory=list)
    added_days: dict[tuple[int, date], Decimal] = field(default_factory=dict)
    added_statements: list[StatementRow] = field(default_factory=list)
    added_pages: list[tuple[int, bytes, Page]] = field(default_factory=list)
    restated: list[tuple[int, Link, str]] = field(default_factory=list)

    @property
    def has_additions(self) -> bool:
        """Return whether there is anything to write."""
        return bool(
            self.added_entries
            or self.added_confirmations
            or self.added_statements
            or self.added_pages
            or self.restated
        )

    def note_entry(self, row: EntryRow) -> None:
        """Add a payment, and its money to its day."""
        self.added_entries.append(row)
        payment = Payment(
            net=row.net,
            day=row.booked_on,
            arrived_on=row.arrived_on,
            message=row.message,
            origin=row.origin,
            path=row.path,
            stated=row.stated,
            stated_by=row.origin if row.stated else None,
        )
        if row.code == WITHDRAWN:
            # Its number within the event is no part of anything.
            self.payments[row.account, row.sequence, row.part] = payment
        else:
            self.learn_payment((row.account, row.sequence, row.part), payment)
        self.note_day(row.account, row.booked_on, row.net)
        if row.stated and row.code != WITHDRAWN:
            self._note_told((row.account, row.sequence, row.part), row.origin, row.path)

    def learn_payment(self, key: PaymentKey, payment: Payment) -> None:
        """Add a payment to what is known."""
        self.payments[key] = payment
        if key[2]:
            self.learn_part(key[:2], key)

    def learn_part(self, batch: tuple[int, int], payment: PaymentKey) -> None:
        """Add a payment to what the entry of `batch`, an account and a sequence, is the sum of."""
        self.parts.setdefault(batch, set()).add(payment)

    def note_day(self, account: int, day: date, net: Decimal) -> None:
        """Add `net` to what `day` adds to the booked balance."""
        if not net:
            return
        days = self.days.setdefault(account, {})
        days[day] = add(days.get(day, ZERO), net)
        key = (account, day)
        self.added_days[key] = add(self.added_days.get(key, ZERO), net)

    def confirm(self, row: Confirmation) -> None:
        """Note that a known payment was told again; the record of a day moves it to its own day."""
        self.added_confirmations.append(row)
        known = self.payments.get(row.payment)
        if known is None:
            return
        if not row.stated:
            self.payments[row.payment] = msgspec.structs.replace(known, announced=True)
            return
        account = row.payment[0]
        day = row.booked_on or known.day
        if day != known.day:
            self.note_day(account, known.day, subtract(ZERO, known.net))
            self.note_day(account, day, known.net)
        self.payments[row.payment] = msgspec.structs.replace(
            known, day=day, stated=True, stated_by=row.origin
        )
        self.unconfirmed.get(account, {}).pop(row.payment, None)
        self._note_told(row.payment, row.origin, row.path)

    def _note_told(self, payment: PaymentKey, origin: str, path: str) -> None:
        report = path.partition("/")[0]
        self.told.setdefault((payment[0], origin, report), set()).add(payment)

    def withdraw(self, row: Confirmation) -> None:
        """Note that a corrected statement no longer holds a payment."""
        self.added_confirmations.append(row)
        known = self.payments.get(row.payment)
        if known is not None:
            self.payments[row.payment] = msgspec.structs.replace(known, withdrawn=True)

    def moved_after(self, account: int, day: date) -> Decimal:
        """Return what the bank booked after `day`; the days must have been loaded from there on."""
        total = ZERO
        for each, net in self.days.get(account, {}).items():
            if each > day:
                total = add(total, net)
        return total

    def learn_links(self, account: int, links: Iterable[Link]) -> None:
        """Add statements to what is known of the chain; one that is there already stays."""
        known = self.links.setdefault(account, [])
        there = {(link.origin, link.path) for link in known}
        known.extend(link for link in links if (link.origin, link.path) not in there)

    def note_statement(self, row: StatementRow) -> None:
        """Add a statement as it was understood; only those that count or failed join the chain."""
        self.added_statements.append(row)
        if row.status in {"ACCEPTED", "UNBALANCED"}:
            link = msgspec.structs.replace(row.link, status=row.status)
            self.links.setdefault(row.account, []).append(link)

    def restate(self, account: int, link: Link, status: str) -> None:
        """Let a statement that counted have another status."""
        known = self.links[account]
        known[known.index(link)] = msgspec.structs.replace(link, status=status)
        self.restated.append((account, link, status))

    def learn_page(self, account: int, key: bytes, page: Page) -> None:
        """Add a page to what is known of a statement that comes in several."""
        self.pages.setdefault((account, key), {})[page.number] = page

    def places_of(self, account: int, origin: str, path: str) -> list[tuple[str, str]]:
        """Return where a statement stands: its origin and path, or those of all its pages."""
        for (number, _), pages in self.pages.items():
            places = [(page.origin, page.path) for page in pages.values()]
            if number == account and (origin, path) in places:
                return places
        return [(origin, path)]

    def held_by(self, account: int, places: Iterable[tuple[str, str]]) -> set[PaymentKey]:
        """Return the payments that reports at `places` hold, of those that were loaded."""
        held: set[PaymentKey] = set()
        for origin, path in places:
            held |= self.told.get((account, origin, path), set())
        return held

    def note_page(self, account: int, key: bytes, page: Page) -> None:
        """Add a page of a statement that comes in several."""
        self.learn_page(account, key, page)
        self.added_pages.append((account, key, page))
