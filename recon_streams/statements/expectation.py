"""Which statements a bank owes, and from when on one is missing. Pure.

A statement is owed for each day on which the bank works. Before its instant a missing one is no
news; after it, it is a finding that only the statement itself ends.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Kind, Source
from recon_streams.kernel.calendar import Calendar, DayBounds, instant_of, minutes_of
from recon_streams.kernel.money import amount_text
from recon_streams.registry.definition import AccountDefinition


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """The statement of one account and day.

    Attributes:
        expected_at: By when it is there.
        overdue_at: From when on it is missing.
        required: Whether the day cannot be closed without it.
    """

    account: int
    bounds: DayBounds
    message: str
    expected_at: datetime
    overdue_at: datetime
    required: bool

    @property
    def on(self) -> date:
        """The day it is of."""
        return self.bounds.on


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that is there and counts."""

    account: int
    on: date
    origin: str
    arrived_at: datetime


class Unusable(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that came and does not count, because it does not add up.

    Attributes:
        difference: Its closing less opening and booked entries; None if it is not known.
        quarantine: Its number there; None of pages that do not add up together.
    """

    account: int
    on: date
    origin: str
    arrived_at: datetime
    difference: Decimal | None
    quarantine: int | None = None


def expected_of(
    account: int, definition: AccountDefinition, calendar: Calendar, on: date
) -> Expected | None:
    """Return what the bank owes for `on`; None if it does not work on that day."""
    if not calendar.is_business_day(on):
        return None
    statements = definition.statements
    expected_at = expected_at_of(definition, calendar, on)
    return Expected(
        account=account,
        bounds=calendar.bounds_of(on, cut_off=statements.cut_off, zone=definition.time_zone),
        message=statements.day_record,
        expected_at=expected_at,
        overdue_at=expected_at + timedelta(minutes=statements.late_after_minutes),
        required=statements.required,
    )


def expected_at_of(definition: AccountDefinition, calendar: Calendar, on: date) -> datetime:
    """Return by when the statement of the business day `on` is there."""
    statements = definition.statements
    by = calendar.add_business_days(on, statements.expected_after_business_days)
    return instant_of(by, minutes_of(statements.expected_by), definition.time_zone)


def next_overdue(
    definition: AccountDefinition, calendar: Calendar, after: datetime
) -> tuple[datetime, date]:
    """Return the first instant after `after` at which a statement is overdue, and its day."""
    late = timedelta(minutes=definition.statements.late_after_minutes)
    days = definition.statements.expected_after_business_days
    # A day before the one that it can be at the earliest; from there on forward.
    local = (after - late).astimezone(ZoneInfo(definition.time_zone)).date()
    on = calendar.add_business_days(local, -(days + 1))
    while (due := expected_at_of(definition, calendar, on) + late) <= after:
        on = calendar.add_business_days(on, 1)
    return due, on


def overdue_days(
    definition: AccountDefinition, calendar: Calendar, *, since: date, now: datetime
) -> Iterator[date]:
    """Yield the business days from `since` on whose statement is overdue at `now`."""
    late = timedelta(minutes=definition.statements.late_after_minutes)
    on = calendar.add_business_days(since, 0)
    while expected_at_of(definition, calendar, on) + late <= now:
        yield on
        on = calendar.add_business_days(on, 1)


def news_of(
    expected: Iterable[Expected],
    received: Iterable[Received],
    *,
    now: datetime,
    unusable: Iterable[Unusable] = (),
) -> tuple[list[Finding], list[Cleared]]:
    """Return which statements are missing at `now`, and which are proven to be there.

    What is not overdue yet is neither. One that is not required is not missed. Of one that came and
    is `unusable`, the last that came, it is said what is wrong with it: nobody need ask for it.
    """
    there = {(each.account, each.on): each for each in received}
    failed = {(e.account, e.on): e for e in sorted(unusable, key=lambda each: each.arrived_at)}
    findings: list[Finding] = []
    cleared: list[Cleared] = []
    for each in expected:
        found = there.get((each.account, each.on))
        if found is not None:
            cleared.append(
                Cleared(
                    cause=cause_of(each),
                    source=Source.EXPECTATION,
                    proof={"statement": found.origin, "arrived_at": _text(found.arrived_at)},
                )
            )
        elif each.required and now >= each.overdue_at:
            findings.append(_missing(each, failed.get((each.account, each.on))))
    return findings, cleared


def cause_of(expected: Expected) -> Cause:
    """Return the cause of a missing statement: its account and day, for ever."""
    return Cause(
        kind=Kind.STATEMENT_MISSING,
        account=expected.account,
        subject=f"statement of {expected.on.isoformat()}",
    )


def _missing(expected: Expected, failed: Unusable | None) -> Finding:
    return Finding(
        cause=cause_of(expected),
        source=Source.EXPECTATION,
        amount=failed.difference if failed else None,
        facts=_what(failed)
        | {
            "message": expected.message,
            "day": expected.on.isoformat(),
            "cut_off_at": _text(expected.bounds.cut_off_at),
            "expected_by": _text(expected.expected_at),
            "overdue_since": _text(expected.overdue_at),
        },
        on=expected.on,
    )


def _what(failed: Unusable | None) -> dict[str, str]:
    if failed is None:
        return {"what": "it has not come"}
    by = "" if failed.difference is None else f" by {amount_text(failed.difference)}"
    facts = {
        "what": f"it came, and does not add up{by}",
        "statement": failed.origin,
        "arrived_at": _text(failed.arrived_at),
    }
    return facts if failed.quarantine is None else facts | {"quarantine": f"{failed.quarantine}"}


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
