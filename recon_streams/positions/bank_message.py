"""A camt.054 resolved to accounts, with the marks under which the book must be asked. Pure."""

from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Final

import msgspec

from recon_streams.iso20022.values import (
    Detail,
    Direction,
    Entry,
    EntryStatus,
    FindingCode,
    Message,
    Report,
)
from recon_streams.kernel.disposition import Held
from recon_streams.kernel.money import ZERO, normal, subtract
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.event import Leg
from recon_streams.positions.identity import (
    Mark,
    digest_of,
    mark_of_batch,
    marks_of_entry,
    marks_of_part,
)
from recon_streams.positions.opening import contains

# A bank's clock and its undeclared zone together are never more than this ahead of ours.
AHEAD_MAX: Final = timedelta(hours=26)

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class PreparedPart(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction of a batch that can be recognised on its own."""

    signed_amount: Decimal
    marks: tuple[Mark, ...]
    leg: Leg | None


class PreparedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One booked entry, ready to be looked up.

    `in_opening` says that the figure the account began with contains it.
    """

    entry: Entry
    in_opening: bool
    marks: tuple[Mark, ...]
    parts: tuple[PreparedPart, ...]
    legs: tuple[Leg, ...]


class PreparedReport(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a message that is about one account."""

    account: Account
    path: str
    key: bytes
    content: bytes
    booked: tuple[PreparedEntry, ...]


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A message resolved to accounts, and the parts of it that could not be."""

    reports: tuple[PreparedReport, ...]
    held: tuple[Held, ...]


def prepare(message: Message, directory: Directory, *, at: datetime, accept_test: bool) -> Prepared:
    """Return `message` resolved to accounts.

    Args:
        message: As the reader understood it.
        directory: The accounts of the registry version in force.
        at: When the message arrived.
        accept_test: Whether a message the bank itself marks as a test is taken in.
    """
    if message.message != "camt.054":
        return _all_held(
            RefusalCode.WRONG_TOPIC, "", "this topic carries camt.054", message.message
        )
    if not accept_test and any(f.code is FindingCode.TEST_MESSAGE for f in message.findings):
        rule = "a message marked TEST is not money; set limits.accept_test_messages to take it in"
        return _all_held(RefusalCode.TEST_MESSAGE, "GrpHdr/AddtlInf", rule)
    created_at = message.group_header.created_at
    if created_at is not None and created_at > at + AHEAD_MAX:
        rule = "a message is not created after it arrives"
        return _all_held(RefusalCode.FUTURE_INSTANT, "GrpHdr/CreDtTm", rule)
    reports: list[PreparedReport] = []
    held: list[Held] = []
    for report in message.reports:
        try:
            reports.extend(_prepare_report(message, report, directory))
        except Refused as refusal:
            held.append(Held.of(refusal))
    return Prepared(reports=tuple(reports), held=tuple(held))


def _prepare_report(message: Message, report: Report, directory: Directory) -> list[PreparedReport]:
    by_account: dict[int, list[PreparedEntry]] = {}
    for entry in report.entries:
        account = _account_of(report, entry.currency, entry.path, directory)
        prepared = by_account.setdefault(account.number, [])
        _check_scale(entry, account)
        if entry.status is EntryStatus.BOOKED:
            prepared.append(_prepare_entry(entry, in_opening=_in_opening(message, entry, account)))
    if not report.entries:
        currency = report.account.currency or ""
        account = _account_of(report, currency, report.path, directory)
        by_account[account.number] = []
    key, content = _identity_of(message, report)
    return [
        PreparedReport(
            account=directory.by_number(number),
            path=report.path,
            key=key,
            content=content,
            booked=tuple(booked),
        )
        for number, booked in by_account.items()
    ]


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


def _prepare_entry(entry: Entry, *, in_opening: bool) -> PreparedEntry:
    if len(entry.details) == 1:
        detail = entry.details[0]
        leg = _leg_of(detail, entry.signed_amount)
        marks = marks_of_entry(entry, detail)
        legs = (leg,) if leg else ()
        return PreparedEntry(entry=entry, in_opening=in_opening, marks=marks, parts=(), legs=legs)
    parts: list[PreparedPart] = []
    others: list[Leg] = []
    for detail in entry.details:
        signed = _signed_part(entry, detail)
        if signed is None:
            continue
        marks, leg = marks_of_part(entry, detail, signed), _leg_of(detail, signed)
        if marks:
            parts.append(PreparedPart(signed_amount=signed, marks=marks, leg=leg))
        elif leg:
            others.append(leg)
    marks = marks_of_entry(entry, None)
    if parts:
        marks = (*marks, mark_of_batch(entry, tuple(part.marks for part in parts)))
    return PreparedEntry(
        entry=entry, in_opening=in_opening, marks=marks, parts=tuple(parts), legs=tuple(others)
    )


def _signed_part(entry: Entry, detail: Detail) -> Decimal | None:
    """Return what a transaction contributes to its entry, or None where that cannot be told."""
    if detail.amount is None or (detail.currency or entry.currency) != entry.currency:
        return None
    direction = detail.direction or entry.direction
    return detail.amount if direction is Direction.CREDIT else subtract(ZERO, detail.amount)


def _leg_of(detail: Detail, signed: Decimal) -> Leg | None:
    reference = detail.end_to_end_id or detail.instruction_id or detail.payment_information_id
    return Leg(reference, normal(signed)) if reference else None


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


def _check_scale(entry: Entry, account: Account) -> None:
    exponent = normal(entry.amount).as_tuple().exponent
    assert isinstance(exponent, int), "amounts are finite"
    if -exponent > account.rules.scale:
        raise Refused(
            RefusalCode.AMOUNT_TOO_PRECISE,
            f"{entry.path}/Amt",
            f"at most {account.rules.scale} digits after the point in {account.currency}",
        )


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
    )
    said = _ENCODER.encode((report.account, report.entries, report.balances))
    return key, blake2b(said, digest_size=16).digest()


def _all_held(code: RefusalCode, field: str, rule: str, detail: str = "") -> Prepared:
    return Prepared(reports=(), held=(Held(code=code, field=field, rule=rule, detail=detail),))
