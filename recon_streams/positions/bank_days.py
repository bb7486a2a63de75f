"""Which days a bank's message may print: an absurd one would hide money, or break what counts days.

What is booked on a day yet to come stays on top of every statement until that day; an anchor of
such a day would contain all that comes. Days of another age are mistakes of a format.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from recon_streams.iso20022.values import Entry, EntryStatus, Message, Report
from recon_streams.kernel.calendar import instant_of, minutes_of
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.positions.bank_statements import PreparedStatement
from recon_streams.positions.directory import Account

# A bank's clock and its undeclared zone together are never more than this ahead of ours.
AHEAD_MAX: Final = timedelta(hours=26)
# In the zone of its account, a day begins for both of us at once, as far as clocks agree.
_CLOCKS_APART_MAX: Final = timedelta(minutes=5)
# What is booked after the cut-off carries the next business day, behind the longest of holidays.
BOOKED_AHEAD_MAX: Final = timedelta(days=5)
DAY_MIN: Final = date(1970, 1, 1)

_ANOTHER_AGE: Final = f"a day is not before {DAY_MIN}"


def is_over(day: date, account: Account, at: datetime) -> bool:
    """Return whether `day` is over for the bank of `account`, at its cut-off."""
    rules = account.rules
    return at >= instant_of(day, minutes_of(rules.cut_off), rules.time_zone)


def check_created(message: Message, at: datetime) -> None:
    """Refuse a message that was made after it arrived, or in another age.

    Raises:
        Refused: FUTURE_INSTANT or INVALID_DATE.
    """
    created_at = message.group_header.created_at
    if created_at is None:
        return
    _check_day(created_at.date(), "GrpHdr/CreDtTm")
    if created_at > at + AHEAD_MAX:
        rule = "a message is not created after it arrives"
        raise Refused(RefusalCode.FUTURE_INSTANT, "GrpHdr/CreDtTm", rule)


def check_report(report: Report, at: datetime) -> None:
    """Refuse a report with a booked entry, a balance or a period of days that cannot be.

    Raises:
        Refused: FUTURE_INSTANT or INVALID_DATE.
    """
    if report.created_at is not None:
        _check_day(report.created_at.date(), f"{report.path}/CreDtTm")
    for period in (report.from_at, report.until_at):
        if period is not None:
            _check_day(period.date(), f"{report.path}/FrToDt")
    for place, balance in enumerate(report.balances, start=1):
        if balance.on is not None:
            _check_day(balance.on, f"{report.path}/Bal[{place}]/Dt")
    _check_ends(report)
    _check_booked(report.entries, (at + BOOKED_AHEAD_MAX).date())


def check_statement(
    statement: PreparedStatement, account: Account, path: str, at: datetime
) -> None:
    """Refuse a statement of days that cannot be, as the clock of its account tells them.

    Raises:
        Refused: FUTURE_INSTANT or INVALID_DATE.
    """
    equation, closing_on = statement.equation, statement.closing_on
    opening_on = equation.opening_on
    today = (at + _CLOCKS_APART_MAX).astimezone(ZoneInfo(account.rules.time_zone)).date()
    if closing_on is not None and closing_on > today:
        rule = "a statement does not close a day that has not begun"
        raise Refused(RefusalCode.FUTURE_INSTANT, f"{path}/Bal", rule, f"{closing_on}")
    if opening_on and equation.closing_on and opening_on > equation.closing_on:
        rule = "a statement does not close before the day it opens"
        found = f"opens {opening_on}, closes {equation.closing_on}"
        raise Refused(RefusalCode.INVALID_DATE, f"{path}/Bal", rule, found)


def _check_ends(report: Report) -> None:
    """Refuse a report that opens or closes one day twice: nobody can say which of them counts.

    Raises:
        Refused: DUPLICATE_FIELD.
    """
    seen: dict[tuple[object, ...], Decimal] = {}
    for place, each in enumerate(report.balances, start=1):
        if each.code not in {"OPBD", "PRCD", "CLBD"}:
            continue
        key = (each.code, each.currency, each.on, each.at, each.sub_type)
        if seen.setdefault(key, each.amount) != each.amount:
            rule = f"one {each.code} for each day and currency"
            raise Refused(RefusalCode.DUPLICATE_FIELD, f"{report.path}/Bal[{place}]", rule)


def _check_booked(entries: Iterable[Entry], day_max: date) -> None:
    for entry in entries:
        booked_on = entry.booked_on
        if entry.status is not EntryStatus.BOOKED or booked_on is None:
            continue
        if DAY_MIN <= booked_on <= day_max:
            continue
        _check_day(booked_on, f"{entry.path}/BookgDt")
        rule = f"what is booked is booked by now, or at most {BOOKED_AHEAD_MAX.days} days ahead"
        raise Refused(RefusalCode.FUTURE_INSTANT, f"{entry.path}/BookgDt", rule, f"{booked_on}")


def _check_day(day: date, field: str) -> None:
    if day < DAY_MIN:
        raise Refused(RefusalCode.INVALID_DATE, field, _ANOTHER_AGE, f"{day}")
