"""The part of a statement or report that is not its entries, ready to be judged. Pure."""

from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from recon_streams.iso20022.values import (
    Balance,
    Direction,
    Entry,
    EntryStatus,
    FindingCode,
    Message,
    Report,
)
from recon_streams.kernel.money import ZERO, add, normal, subtract
from recon_streams.positions.bank_pages import PreparedPages, pages_in
from recon_streams.positions.directory import Account
from recon_streams.positions.identity import digest_of
from recon_streams.statements.chain import Link
from recon_streams.statements.equation import Equation, balance_of
from recon_streams.statements.pages import Page
from recon_streams.statements.versions import signature_of


class PreparedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement or report as a sum and as a link of the chain.

    Attributes:
        is_record: Whether it is the record of the account's day.
        is_report: Whether it is a camt.052; such a one closes a day only with a CLBD.
        lists_day: Whether it lists everything since its opening, and not only what is new.
        first_on: The first day it is about.
        until_on: The last day it is about, where it says so by itself.
        closing_on: The day it closes; None where that cannot be told.
        spoken_at: The instant its closing is of, where the bank gave one with its zone.
        pages: Set where it is a page that is not a whole statement by itself.
    """

    is_record: bool
    is_report: bool
    lists_day: bool
    equation: Equation
    content: bytes
    statement_id: str | None
    electronic_sequence: int | None
    legal_sequence: int | None
    created_at: datetime | None
    first_on: date | None
    until_on: date | None
    closing_on: date | None
    spoken_at: datetime | None
    pages: PreparedPages | None

    @property
    def closes_day(self) -> bool:
        """Whether it can be judged as the record of a day, alone or with its other pages."""
        if not self.is_record or self.closing_on is None:
            return False
        return self.pages is not None or (
            self.equation.difference is not None
            and (not self.is_report or self.equation.closing_code == "CLBD")
        )


class PreparedTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says a day moved in all, in balances or entries that book nothing."""

    day: date
    credits: Decimal
    debits: Decimal
    opening: Decimal | None = None
    closing: Decimal | None = None


def prepare_statement(message: Message, report: Report, account: Account) -> PreparedStatement:
    """Return what `report`, a camt.052 or 053, says about balances of `account`.

    Raises:
        Refused: As `pages_in`.
    """
    equation = balance_of(
        report, currency=account.currency, missing_is_credit=account.rules.unsigned_is_credit
    )
    closing_on = equation.closing_on or _day_of(report.until_at) or _last_day(report)
    has_zones = all(finding.code is not FindingCode.ZONE_MISSING for finding in message.findings)
    spoken = equation.closing_at or report.until_at
    return PreparedStatement(
        is_record=account.rules.day_record == message.message,
        is_report=message.message == "camt.052",
        lists_day=message.message == "camt.053"
        or _is_cumulative(report, equation, ZoneInfo(account.rules.time_zone)),
        equation=equation,
        content=signature_of(report),
        statement_id=report.id,
        electronic_sequence=report.electronic_sequence,
        legal_sequence=report.legal_sequence,
        created_at=message.group_header.created_at or report.created_at,
        first_on=_first_day(report, equation),
        until_on=_day_of(report.until_at),
        closing_on=closing_on,
        spoken_at=spoken if has_zones else None,
        pages=pages_in(message, report, equation),
    )


def prepare_total(message: Message, report: Report, account: Account) -> PreparedTotal | None:
    """Return what a report moves without booking: available balances, or a list of information.

    Some banks send no booked balance during the day but the available one at its start and the
    one now, and beside it one notification that lists the whole day as information.
    """
    # Both are made at one time and print days by different rules; only when they were made tells
    # which belong together.
    made = message.group_header.created_at or report.created_at
    if made is None:
        return None
    day = made.astimezone(ZoneInfo(account.rules.time_zone)).date()
    if message.message == "camt.052":
        return _total_of_balances(report.balances, account.currency, day)
    if message.message == "camt.054":
        return _total_of_entries(report.entries, account.currency, day)
    return None


def link_of(
    prepared: PreparedStatement, equation: Equation, *, message: str, origin: str, path: str
) -> Link:
    """Return `prepared` as a link of the chain, with the balances of `equation`."""
    assert prepared.closing_on is not None, "a statement without a day is no link"
    sequence = prepared.electronic_sequence or prepared.legal_sequence
    closing_on = equation.closing_on or prepared.closing_on
    name = str(sequence) if sequence is not None else prepared.statement_id or ""
    return Link(
        closing_on=closing_on,
        opening=equation.opening,
        closing=equation.closing,
        key=digest_of(message, closing_on.isoformat(), name),
        content=prepared.content,
        origin=origin,
        path=path,
        message=message,
        statement_id=prepared.statement_id,
        electronic_sequence=prepared.electronic_sequence,
        legal_sequence=prepared.legal_sequence,
        opening_on=equation.opening_on,
        opening_code=equation.opening_code,
        closing_code=equation.closing_code,
        created_at=prepared.created_at,
    )


def page_of(prepared: PreparedStatement, *, origin: str, path: str, at: datetime) -> Page:
    """Return `prepared` as one page of several."""
    assert prepared.pages is not None, "it is a page"
    equation = prepared.equation
    return Page(
        number=prepared.pages.number,
        is_last=prepared.pages.is_last,
        credits=equation.booked_credits,
        debits=equation.booked_debits,
        entry_count=equation.booked_count,
        content=prepared.content,
        origin=origin,
        path=path,
        arrived_at=at,
        opening=equation.opening,
        opening_code=equation.opening_code,
        opening_on=equation.opening_on,
        closing=equation.closing,
        closing_code=equation.closing_code,
        closing_on=equation.closing_on,
    )


def _is_cumulative(report: Report, equation: Equation, zone: ZoneInfo) -> bool:
    """Return whether a report lists its day from the start, and not what is new since the last.

    Its period says so; without one an opening does, if the entries lead from it to the closing.
    """
    if equation.difference:
        return False
    if report.from_at is None:
        return equation.opening_code in {"OPBD", "PRCD"}
    # Without a zone it was read as UTC.
    return time(0) in {report.from_at.time(), report.from_at.astimezone(zone).time()}


def _first_day(report: Report, equation: Equation) -> date | None:
    if report.from_at is not None and (
        equation.closing_on is None or report.from_at.date() <= equation.closing_on
    ):
        return report.from_at.date()
    # PRCD is the closing of the day before, and so is what some banks call OPBD.
    return equation.opening_on


def _last_day(report: Report) -> date | None:
    closings = (b.on for b in report.balances if b.code in {"CLBD", "ITBD"} and b.on)
    booked = (e.booked_on for e in report.entries if e.status is EntryStatus.BOOKED and e.booked_on)
    return max(closings, default=None) or max(booked, default=None)


def _day_of(at: datetime | None) -> date | None:
    return at.date() if at else None


def _total_of_balances(
    balances: tuple[Balance, ...], currency: str, day: date
) -> PreparedTotal | None:
    own = [b for b in balances if b.currency == currency and b.direction is not None]
    opening = next((b for b in own if b.code == "OPAV"), None)
    closing = next((b for b in own if b.code == "INFO"), None)
    if opening is None or closing is None:
        return None
    net = normal(subtract(closing.amount, opening.amount))
    return PreparedTotal(
        day=day,
        credits=max(net, ZERO),
        debits=max(subtract(ZERO, net), ZERO),
        opening=normal(opening.amount),
        closing=normal(closing.amount),
    )


def _total_of_entries(entries: tuple[Entry, ...], currency: str, day: date) -> PreparedTotal | None:
    listed = [e for e in entries if e.currency == currency]
    if not listed or any(entry.status is not EntryStatus.INFORMATION for entry in listed):
        return None
    sums = {Direction.CREDIT: ZERO, Direction.DEBIT: ZERO}
    for entry in listed:
        sums[entry.direction] = add(sums[entry.direction], entry.amount)
    return PreparedTotal(
        day=day, credits=normal(sums[Direction.CREDIT]), debits=normal(sums[Direction.DEBIT])
    )
