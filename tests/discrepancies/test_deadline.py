"""Due times and ages are counted in days on which the bank works, in the bank's zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.discrepancies.deadline import (
    BUCKETS,
    Working,
    age_business_days,
    bucket_of,
    due_at,
)
from recon_streams.kernel.calendars import Calendars
from topics.alerts import Severity

CALENDARS = Calendars()
DUBAI = Working(days=CALENDARS.named("AE"), zone=ZoneInfo("Asia/Dubai"))
LONDON = Working(days=CALENDARS.named("GB"), zone=ZoneInfo("Europe/London"))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


@pytest.mark.parametrize(
    ("severity", "due"),
    [
        (Severity.CRITICAL, "2026-11-20T12:00"),
        (Severity.ERROR, "2026-11-23T08:00"),
        (Severity.WARNING, "2026-11-27T08:00"),
        (Severity.INFO, "2026-12-08T08:00"),  # 2 and 3 December are holidays
    ],
)
def test_what_is_found_on_a_friday_is_due_after_business_days(severity: Severity, due: str) -> None:
    assert due_at(utc("2026-11-20T08:00"), severity, DUBAI) == utc(due)


def test_critical_hours_that_midnight_cuts_off_go_on_after_the_weekend() -> None:
    # 22:00 in Dubai: two hours on Friday, two from Monday's midnight.
    assert due_at(utc("2026-11-20T18:00"), Severity.CRITICAL, DUBAI) == utc("2026-11-22T22:00")


def test_what_is_found_on_a_day_off_is_found_at_the_next_beginning() -> None:
    saturday = utc("2026-11-21T10:00")
    assert due_at(saturday, Severity.CRITICAL, DUBAI) == utc("2026-11-23T00:00")
    assert due_at(saturday, Severity.ERROR, DUBAI) == utc("2026-11-23T20:00"), "Tuesday 00:00"


def test_the_clock_of_the_bank_counts_when_it_changes() -> None:
    # Friday 09:00 in London before the clock goes back is due on Monday at 09:00, an hour later.
    due = due_at(utc("2026-10-23T08:00"), Severity.ERROR, LONDON)
    assert due == utc("2026-10-26T09:00")


@pytest.mark.parametrize(
    ("now", "days"),
    [
        ("2026-11-20T23:00", 0),  # Saturday in Dubai
        ("2026-11-22T19:59", 0),
        ("2026-11-22T20:00", 1),  # Monday in Dubai
        ("2026-11-19T00:00", 0),
        ("2026-12-04T08:00", 8),
    ],
)
def test_age_counts_business_days_after_the_day_of_opening(now: str, days: int) -> None:
    assert age_business_days(utc("2026-11-20T08:00"), utc(now), DUBAI) == days


@pytest.mark.parametrize(
    ("days", "name"),
    [(0, "0-1"), (1, "0-1"), (2, "2-5"), (5, "2-5"), (6, "6-10"), (10, "6-10"), (11, "11-30"),
     (30, "11-30"), (31, ">30"), (10_000, ">30")],
)  # fmt: skip
def test_buckets_cover_every_age_once(days: int, name: str) -> None:
    assert bucket_of(days).name == name
    assert sum(b.days_min <= days <= (b.days_max or days) for b in BUCKETS) == 1


INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - made aware by the strategy


@given(INSTANTS, st.sampled_from([DUBAI, LONDON]))
def test_the_more_urgent_is_never_due_later_and_nothing_is_due_at_once(
    at: datetime, working: Working
) -> None:
    dues = [due_at(at, severity, working) for severity in Severity]
    assert dues == sorted(dues)
    assert dues[0] >= at + timedelta(hours=3), "four hours, or three where the clock jumped"


@given(INSTANTS, INSTANTS)
def test_nobody_is_late_before_as_many_business_days_have_gone_by(
    at: datetime, now: datetime
) -> None:
    if now >= due_at(at, Severity.WARNING, DUBAI):
        assert age_business_days(at, now, DUBAI) >= 5
