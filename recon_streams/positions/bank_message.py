"""A camt.052, 053 or 054 resolved to accounts, with all that the book must be asked. Pure."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Final

import msgspec

from recon_streams.iso20022.values import Entry, EntryStatus, FindingCode, Message, Report
from recon_streams.kernel.disposition import Held
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.positions.bank_days import check_created, check_report, check_statement
from recon_streams.positions.bank_entries import PreparedEntry, check_scale, prepare_entry
from recon_streams.positions.bank_pages import PreparedPages, pages_in
from recon_streams.positions.bank_statements import (
    PreparedStatement,
    PreparedTotal,
    prepare_statement,
    prepare_total,
)
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.identity import digest_of
from recon_streams.positions.opening import contains

_NOTIFICATION: Final = "camt.054"
_BOOKED: Final = frozenset({"OPBD", "PRCD", "CLBD", "ITBD"})
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class PreparedReport(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a message that is about one account.

    `statement` is there for reports and statements, `total` where a day is only listed, `pages`
    where it is one of several pages.
    """

    account: Account
    message: str
    path: str
    key: bytes
    content: bytes
    booked: tuple[PreparedEntry, ...]
    statement: PreparedStatement | None = None
    total: PreparedTotal | None = None
    pages: PreparedPages | None = None


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A message resolved to accounts, and the parts of it that could not be."""

    reports: tuple[PreparedReport, ...]
    held: tuple[Held, ...]


def prepare(
    message: Message,
    directory: Directory,
    *,
    at: datetime,
    accept_test: bool,
    wanted: str = _NOTIFICATION,
) -> Prepared:
    """Return `message` resolved to accounts.

    Args:
        message: As the reader understood it.
        directory: The accounts of the registry version in force.
        at: When the message arrived.
        accept_test: Whether a message the bank itself marks as a test is taken in.
        wanted: The kind of message that the topic carries.
    """
    if message.message != wanted:
        return _all_held(
            RefusalCode.WRONG_TOPIC, "", f"this topic carries {wanted}", message.message
        )
    if not accept_test and any(f.code is FindingCode.TEST_MESSAGE for f in message.findings):
        rule = "a message marked TEST is not money; set limits.accept_test_messages to take it in"
        return _all_held(RefusalCode.TEST_MESSAGE, "GrpHdr/AddtlInf", rule)
    try:
        check_created(message, at)
    except Refused as refusal:
        return Prepared(reports=(), held=(Held.of(refusal),))
    reports: list[PreparedReport] = []
    held: list[Held] = []
    for report in message.reports:
        try:
            check_report(report, at)
            prepared = _prepare_report(message, report, directory)
            for each in prepared:
                if each.statement is not None:
                    check_statement(each.statement, each.account, each.path, at)
            reports.extend(prepared)
        except Refused as refusal:
            held.append(Held.of(refusal))
    return Prepared(reports=tuple(reports), held=tuple(held))


def _prepare_report(message: Message, report: Report, directory: Directory) -> list[PreparedReport]:
    by_account: dict[int, list[PreparedEntry]] = {}
    for entry in report.entries:
        account = _account_of(report, entry.currency, entry.path, directory)
        prepared = by_account.setdefault(account.number, [])
        check_scale(entry, account)
        if entry.status is EntryStatus.BOOKED:
            prepared.append(prepare_entry(entry, in_opening=_in_opening(message, entry, account)))
    if not report.entries:
        account = _account_of(report, _currency_of(report), report.path, directory)
        by_account[account.number] = []
    if message.message != _NOTIFICATION:
        for account in _stated_accounts(report, directory):
            by_account.setdefault(account.number, [])
    return [
        _prepared(message, report, directory.by_number(number), booked)
        for number, booked in by_account.items()
    ]


def _prepared(
    message: Message, report: Report, account: Account, booked: list[PreparedEntry]
) -> PreparedReport:
    statement: PreparedStatement | None = None
    key, content = _identity_of(message, report)
    if message.message != _NOTIFICATION:
        statement = prepare_statement(message, report, account)
        equation = statement.equation
        if statement.lists_day and (equation.opening is not None or equation.closing is not None):
            # Its balances name it: banks send it again under other ids, and correct it under one.
            content = statement.content
            key = digest_of(message.message, content.hex(), _place_of(message))
            if statement.pages is not None:
                # A page that a correction leaves as it was is a page of the correction too.
                key = digest_of(key.hex(), statement.pages.key.hex())
    return PreparedReport(
        account=account,
        message=message.message,
        path=report.path,
        key=key,
        content=content,
        booked=tuple(booked),
        statement=statement,
        total=prepare_total(message, report, account),
        pages=statement.pages if statement is not None else pages_in(message, report),
    )


def _place_of(message: Message) -> str:
    """Return which page of a file of ours it is: two pages of one file may say the same."""
    page = message.page
    return f"{page.sha256}/{page.statement}/{page.number}" if page else ""


def _currency_of(report: Report) -> str:
    """Return the currency of a report without entries: of the account, else of its balances."""
    if report.account.currency:
        return report.account.currency
    return report.balances[0].currency if report.balances else ""


def _stated_accounts(report: Report, directory: Directory) -> Iterator[Account]:
    """Yield the accounts whose balances `report` names, whether or not it has entries of them."""
    if report.account.currency:
        yield _account_of(report, report.account.currency, report.path, directory)
    for balance in report.balances:
        if balance.code in _BOOKED:
            account = directory.by_bank(report.account.identification, balance.currency)
            if account is not None:
                yield account


def _in_opening(message: Message, entry: Entry, account: Account) -> bool:
    if account.bank_opened_at is None:
        return False
    # An instant that was read as UTC for want of a zone may be most of a day away.
    has_zones = all(finding.code is not FindingCode.ZONE_MISSING for finding in message.findings)
    return contains(
        account.bank_opened_at,
        booked_on=entry.booked_on,
        booked_at=entry.booked_at if has_zones else None,
    )


def _account_of(report: Report, currency: str, path: str, directory: Directory) -> Account:
    identification = report.account.identification
    account = directory.by_bank(identification, currency)
    if account is not None:
        return account
    if directory.knows_bank(identification):
        rule = "the account is registered, but not in this currency"
        raise Refused(RefusalCode.CURRENCY_MISMATCH, path, rule, currency)
    rule = "the account registry names the account; register it and this message is replayed"
    raise Refused(RefusalCode.UNKNOWN_ACCOUNT, f"{report.path}/Acct/Id", rule)


def _identity_of(message: Message, report: Report) -> tuple[bytes, bytes]:
    """Return the key of a notification and the digest of what it says.

    Banks reuse message ids over the years, so the key holds the day of creation too.
    """
    header = message.group_header
    day = header.created_at.date().isoformat() if header.created_at else ""
    page = str(report.page_number or header.page_number or "")
    key = digest_of(
        message.message,
        report.account.identification,
        header.message_id or "",
        report.id or "",
        page,
        day,
        report.path if not report.id else "",
        _place_of(message),
    )
    said = _ENCODER.encode((report.account, report.entries, report.balances))
    return key, blake2b(said, digest_size=16).digest()


def _all_held(code: RefusalCode, field: str, rule: str, detail: str = "") -> Prepared:
    return Prepared(reports=(), held=(Held(code=code, field=field, rule=rule, detail=detail),))
