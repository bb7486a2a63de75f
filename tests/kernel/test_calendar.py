"""A bank's days: counted by its own calendar, and ending at instants that no clock change moves."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.kernel.calendar import DAY_MINUTES, instant_of, minutes_of
from recon_streams.kernel.calendars import (
    EVERY_DAY,
    Calendars,
    CalendarUnknown,
    Overlay,
    circles_of,
)

PLAIN = Calendars()
NAMES = ("AE", "IN", "ZM", "JP", "KW", "DE-BY", "XECB", "US", "WEEKDAYS", EVERY_DAY)
ZONES = ("Europe/Berlin", "Asia/Dubai", "Africa/Cairo", "America/Havana", "Asia/Kolkata", "UTC")
days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
clocks = st.integers(0, DAY_MINUTES)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_the_weekend_of_the_emirates_is_friday_until_2021_and_sunday_since() -> None:
    calendar = PLAIN.named("AE")
    assert not calendar.is_business_day(date(2021, 12, 10)), "a Friday"
    assert calendar.is_business_day(date(2021, 12, 12)), "a Sunday"
    assert not calendar.is_business_day(date(2026, 11, 22)), "a Sunday"
    assert calendar.is_business_day(date(2026, 11, 20)), "a Friday"


def test_banks_of_kuwait_work_on_sunday() -> None:
    calendar = PLAIN.named("KW")
    assert calendar.is_business_day(date(2026, 11, 22)), "a Sunday"
    assert not calendar.is_business_day(date(2026, 11, 20)), "a Friday"


def test_days_of_a_bank_holiday_are_not_counted() -> None:
    calendar = PLAIN.named("AE")
    assert not calendar.is_business_day(date(2026, 12, 2)), "National Day"
    assert calendar.add_business_days(date(2026, 12, 1), 1) == date(2026, 12, 4)
    assert calendar.business_days_between(date(2026, 11, 27), date(2026, 12, 4)) == 3


def test_banks_of_japan_rest_at_the_end_of_the_year_though_the_country_does_not() -> None:
    assert not PLAIN.named("JP").is_business_day(date(2026, 12, 31))


def test_a_holiday_of_the_next_year_may_be_kept_in_this_one() -> None:
    # The first of January 2022 was a Saturday.
    assert not PLAIN.named("US").is_business_day(date(2021, 12, 31))


def test_an_account_without_a_calendar_rests_on_saturday_and_sunday_only() -> None:
    calendar = PLAIN.named(None)
    assert calendar.is_business_day(date(2026, 12, 25))
    assert not calendar.is_business_day(date(2026, 11, 21))


def test_a_day_of_rest_counts_as_the_next_business_day() -> None:
    calendar = PLAIN.named(None)
    assert calendar.add_business_days(date(2026, 11, 21), 0) == date(2026, 11, 23)
    assert calendar.add_business_days(date(2026, 11, 21), 1) == date(2026, 11, 23)
    assert calendar.add_business_days(date(2026, 11, 21), -1) == date(2026, 11, 20)


@given(st.sampled_from(NAMES), days, st.integers(-300, 300))
def test_going_forth_and_counting_agree(name: str, on: date, count: int) -> None:
    calendar = PLAIN.named(name)
    began = calendar.add_business_days(on, 0)
    reached = calendar.add_business_days(began, count)
    assert calendar.is_business_day(reached)
    assert calendar.business_days_between(began, reached) == count


@given(st.sampled_from(NAMES), days, st.integers(0, 800), st.integers(0, 800))
def test_business_days_add_up_over_any_day_between(
    name: str, on: date, first: int, second: int
) -> None:
    calendar = PLAIN.named(name)
    middle = on + timedelta(days=first)
    end = middle + timedelta(days=second)
    assert calendar.business_days_between(on, end) == (
        calendar.business_days_between(on, middle) + calendar.business_days_between(middle, end)
    )


def test_the_spring_day_of_berlin_has_23_hours() -> None:
    bounds = PLAIN.named(EVERY_DAY).bounds_of(
        date(2026, 3, 29), cut_off="24:00", zone="Europe/Berlin"
    )
    assert bounds.starts_at == at("2026-03-28T23:00Z")
    assert bounds.cut_off_at == at("2026-03-29T22:00Z")


def test_the_autumn_day_of_berlin_has_25_hours() -> None:
    bounds = PLAIN.named(EVERY_DAY).bounds_of(
        date(2026, 10, 25), cut_off="24:00", zone="Europe/Berlin"
    )
    assert bounds.cut_off_at - bounds.starts_at == timedelta(hours=25)


def test_a_zone_without_summer_time_has_24_hours_on_every_day() -> None:
    calendar = PLAIN.named(EVERY_DAY)
    for on in (date(2026, 3, 29), date(2026, 10, 25)):
        bounds = calendar.bounds_of(on, cut_off="18:00", zone="Asia/Dubai")
        assert bounds.cut_off_at == datetime(on.year, on.month, on.day, 14, tzinfo=UTC)
        assert bounds.cut_off_at - bounds.starts_at == timedelta(hours=24)


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("01:59", "2026-03-29T00:59Z"),
        ("02:00", "2026-03-29T01:00Z"),  # the clock jumps from 02:00 to 03:00
        ("02:30", "2026-03-29T01:00Z"),
        ("03:00", "2026-03-29T01:00Z"),
        ("03:01", "2026-03-29T01:01Z"),
    ],
)
def test_a_time_that_the_clock_jumps_over_is_the_jump(clock: str, expected: str) -> None:
    assert instant_of(date(2026, 3, 29), minutes_of(clock), "Europe/Berlin") == at(expected)


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("02:00", "2026-10-25T00:00Z"),  # the clock shows 02:00 to 03:00 twice
        ("02:30", "2026-10-25T00:30Z"),
        ("03:00", "2026-10-25T02:00Z"),
    ],
)
def test_a_time_that_the_clock_shows_twice_is_its_first_showing(clock: str, expected: str) -> None:
    assert instant_of(date(2026, 10, 25), minutes_of(clock), "Europe/Berlin") == at(expected)


def test_a_midnight_that_does_not_exist_is_the_jump() -> None:
    # Cairo goes from 00:00 to 01:00 on that day.
    assert instant_of(date(2026, 4, 23), DAY_MINUTES, "Africa/Cairo") == at("2026-04-23T22:00Z")


def test_a_midnight_that_comes_twice_ends_the_day_the_first_time() -> None:
    # Havana goes back from 01:00 to 00:00.
    assert instant_of(date(2026, 10, 31), DAY_MINUTES, "America/Havana") == at("2026-11-01T04:00Z")


@given(st.sampled_from(ZONES), days, clocks)
def test_an_instant_is_the_first_at_which_the_clock_got_there(
    zone: str, on: date, minutes: int
) -> None:
    found = instant_of(on, minutes, zone)
    wall = datetime.combine(on, datetime.min.time()) + timedelta(minutes=minutes)
    there = found.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    before = (found - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert there >= wall > before


@given(st.sampled_from(NAMES), st.sampled_from(ZONES), days, st.integers(0, DAY_MINUTES))
def test_days_touch_and_each_instant_is_in_the_day_it_is_said_to_be(
    name: str, zone: str, on: date, minutes: int
) -> None:
    calendar = PLAIN.named(name)
    on = calendar.add_business_days(on, 0)
    cut_off = "24:00" if minutes == DAY_MINUTES else f"{minutes // 60:02}:{minutes % 60:02}"
    bounds = calendar.bounds_of(on, cut_off=cut_off, zone=zone)
    following = calendar.bounds_of(calendar.add_business_days(on, 1), cut_off=cut_off, zone=zone)
    assert bounds.cut_off_at == following.starts_at
    for instant in (bounds.starts_at, bounds.cut_off_at - timedelta(microseconds=1)):
        assert bounds.holds(instant)
        assert calendar.day_of(instant, cut_off=cut_off, zone=zone) == on
    assert not bounds.holds(bounds.cut_off_at)


def test_what_happens_on_a_weekend_belongs_to_the_business_day_after_it() -> None:
    calendar = PLAIN.named("AE")
    saturday = at("2026-11-21T12:00+04:00")
    assert calendar.day_of(saturday, cut_off="24:00", zone="Asia/Dubai") == date(2026, 11, 23)


@pytest.mark.parametrize("wrong", ["", "8:00", "08:0", "25:00", "24:01", "12:60", "noon", "¹2:00"])
def test_what_is_no_time_is_none(wrong: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - who calls it says what is wrong
        minutes_of(wrong)


def test_an_overlay_makes_days_of_rest_and_working_days_and_ends_days_early() -> None:
    eid, late, ramadan = date(2026, 3, 23), date(2026, 3, 19), date(2026, 2, 18)
    calendar = Calendars(
        {
            "AE": Overlay(
                holidays=frozenset({eid}),
                working_days=frozenset({late}),
                early_cut_offs={ramadan: minutes_of("14:00")},
            )
        }
    ).named("AE")
    assert PLAIN.named("AE").is_business_day(eid)
    assert not calendar.is_business_day(eid)
    assert calendar.is_business_day(late)
    cut_off = calendar.cut_off_at(ramadan, cut_off="18:00", zone="Asia/Dubai")
    assert cut_off == at("2026-02-18T14:00+04:00")
    assert calendar.cut_off_at(ramadan, cut_off="12:00", zone="Asia/Dubai") == at(
        "2026-02-18T12:00+04:00"
    ), "an early end never makes a day longer"


def test_combined_calendars_rest_when_any_of_them_rests() -> None:
    both = Calendars({"AE-US": Overlay(combines=("AE", "US"))}).named("AE-US")
    assert not both.is_business_day(date(2026, 12, 2)), "National Day of the Emirates"
    assert not both.is_business_day(date(2026, 11, 26)), "Thanksgiving"
    assert both.is_business_day(date(2026, 11, 25))


def test_what_is_said_of_a_part_holds_for_what_combines_it() -> None:
    told = Calendars(
        {
            "AE": Overlay(holidays=frozenset({date(2026, 3, 23)})),
            "AE-US": Overlay(combines=("AE", "US")),
        }
    )
    assert not told.named("AE-US").is_business_day(date(2026, 3, 23))


def test_a_calendar_cannot_be_made_of_itself() -> None:
    circle = {
        "ONE": Overlay(combines=("TWO",)),
        "TWO": Overlay(combines=("ONE", "AE")),
        "THREE": Overlay(combines=("AE",)),
    }
    assert circles_of(circle) == ["ONE", "TWO"]


def test_an_unknown_calendar_is_an_error_that_says_what_to_write() -> None:
    with pytest.raises(CalendarUnknown, match="no calendar XX: write a country"):
        PLAIN.named("XX")
    assert not PLAIN.knows("DE-XX")
    assert PLAIN.knows("DE-BY")


def test_the_version_is_of_what_is_said_and_not_of_how_it_is_written() -> None:
    one = Calendars({"AE": Overlay(combines=(), holidays=frozenset({date(2026, 3, 23)}))})
    same = Calendars({"AE": Overlay(holidays=frozenset([date(2026, 3, 23)]))})
    other = Calendars({"AE": Overlay(holidays=frozenset({date(2026, 3, 24)}))})
    assert one.version == same.version
    assert len({one.version, other.version, PLAIN.version}) == 3
