"""A bank's days: which of them it works, and at which instant each of them ends.

Pure. Every rule about time zones is one sentence: a clock time on a date is the first instant on
which the local clock has reached it. A time that the clock shows twice is its first showing; one
that the clock jumps over is the jump.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import msgspec

DAY_MINUTES: Final = 1440
_DAY: Final = timedelta(days=1)
# A bank that is closed for longer than this is closed for good; no search goes on for ever.
_CLOSED_DAYS_MAX: Final = 366


class BusinessDays(Protocol):
    """What most callers need of a calendar: counting the days on which the bank works."""

    def is_business_day(self, on: date) -> bool:
        """Return whether the bank works on `on`."""

    def business_days_between(self, since: date, until: date) -> int:
        """Return how many business days lie after `since` up to and with `until`."""

    def add_business_days(self, on: date, count: int) -> date:
        """Return the business day `count` business days away from `on`."""


class DayBounds(msgspec.Struct, frozen=True, kw_only=True):
    """One day of an account: everything from `starts_at` on and before `cut_off_at`, in UTC."""

    on: date
    starts_at: datetime
    cut_off_at: datetime

    def holds(self, at: datetime) -> bool:
        """Return whether `at` belongs to this day."""
        return self.starts_at <= at < self.cut_off_at


class Calendar:
    """The working days of one bank.

    Attributes:
        name: As settings and results call it.
        early_cut_offs: Dates on which the bank ends its day earlier, in minutes after midnight.
    """

    def __init__(
        self,
        name: str,
        closed_days: Callable[[int], frozenset[date]],
        early_cut_offs: Mapping[date, int],
    ) -> None:
        """Take the days off of any year; `closed_days` gives the same answer every time."""
        self.name = name
        self.early_cut_offs = dict(early_cut_offs)
        self._closed_days = closed_days
        self._working: dict[int, tuple[date, ...]] = {}

    def is_business_day(self, on: date) -> bool:
        """Return whether the bank works on `on`."""
        return on not in self._closed_days(on.year)

    def business_days_between(self, since: date, until: date) -> int:
        """Return how many business days lie after `since` up to and with `until`.

        The same day is 0, Friday to Monday is 1; negative if `until` is the earlier one.
        """
        if until < since:
            return -self.business_days_between(until, since)
        return self._count(until) - self._count(since) + self._whole_years(since.year, until.year)

    def add_business_days(self, on: date, count: int) -> date:
        """Return the business day `count` business days after `on`, before it if negative.

        With a count of 0 it is `on` itself, or the next business day if the bank rests on `on`.
        """
        step = _DAY if count >= 0 else -_DAY
        left = abs(count)
        rested = 0
        while left or not self.is_business_day(on):
            on += step
            is_working = self.is_business_day(on)
            left -= 1 if left and is_working else 0
            rested = 0 if is_working else rested + 1
            assert rested <= _CLOSED_DAYS_MAX, f"calendar {self.name} has no business day"
        return on

    def bounds_of(self, on: date, *, cut_off: str, zone: str) -> DayBounds:
        """Return when the bank's day `on` begins and ends.

        It begins where the business day before ended, so that nothing falls between two days and
        what happens on a weekend belongs to the business day that follows.

        Args:
            on: The day.
            cut_off: "HH:MM" on the bank's clock, or "24:00".
            zone: IANA name.
        """
        before = self.add_business_days(on, -1)
        return DayBounds(
            on=on,
            starts_at=self.cut_off_at(before, cut_off=cut_off, zone=zone),
            cut_off_at=self.cut_off_at(on, cut_off=cut_off, zone=zone),
        )

    def cut_off_at(self, on: date, *, cut_off: str, zone: str) -> datetime:
        """Return the instant in UTC at which the bank ends its day `on`."""
        minutes = min(minutes_of(cut_off), self.early_cut_offs.get(on, DAY_MINUTES))
        return instant_of(on, minutes, zone)

    def day_of(self, at: datetime, *, cut_off: str, zone: str) -> date:
        """Return the business day that the instant `at` belongs to."""
        on = self.add_business_days(at.astimezone(ZoneInfo(zone)).date(), 0)
        while at >= self.cut_off_at(on, cut_off=cut_off, zone=zone):
            on = self.add_business_days(on, 1)
        return on

    def _count(self, on: date) -> int:
        """Return how many business days its year has up to and with `on`."""
        return bisect_right(self._working_days(on.year), on)

    def _whole_years(self, since: int, until: int) -> int:
        return sum(len(self._working_days(year)) for year in range(since, until))

    def _working_days(self, year: int) -> tuple[date, ...]:
        if year not in self._working:
            closed = self._closed_days(year)
            self._working[year] = tuple(day for day in days_of(year) if day not in closed)
        return self._working[year]


def days_of(year: int) -> list[date]:
    """Return every date of `year`."""
    first = date(year, 1, 1)
    return [
        first + timedelta(days=n) for n in range(366) if (first + timedelta(days=n)).year == year
    ]


def minutes_of(clock: str) -> int:
    """Return "HH:MM" as minutes after midnight; "24:00" is the end of the day.

    Raises:
        ValueError: It is no such time.
    """
    if clock == "24:00":
        return DAY_MINUTES
    hours, colon, minutes = clock.partition(":")
    is_time = bool(colon) and len(hours) == len(minutes) == 2 and clock.isascii()  # noqa: PLR2004 - two digits each
    if not (is_time and hours.isdigit() and minutes.isdigit()):
        raise ValueError(clock)
    found = time(int(hours), int(minutes))
    return found.hour * 60 + found.minute


def instant_of(on: date, minutes: int, zone: str) -> datetime:
    """Return the first instant, in UTC, at which the clock of `zone` has reached that time.

    Args:
        on: The local date.
        minutes: After midnight; 1440 is midnight of the day after.
        zone: IANA name.
    """
    wall = datetime.combine(on, time()) + timedelta(minutes=minutes)
    return _instant_of_wall(wall, zone)


@lru_cache(maxsize=65_536)
def _instant_of_wall(wall: datetime, zone: str) -> datetime:
    local = wall.replace(tzinfo=ZoneInfo(zone))
    first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if first <= second:
        return first  # once, or twice: the first time it is shown
    # The clock jumps over it: by the old offset it is too late, by the new one too early.
    early, late = int(second.timestamp()), int(first.timestamp())
    offset_before = second.astimezone(ZoneInfo(zone)).utcoffset()
    while late - early > 1:
        middle = (early + late) // 2
        at = datetime.fromtimestamp(middle, UTC).astimezone(ZoneInfo(zone))
        early, late = (middle, late) if at.utcoffset() == offset_before else (early, middle)
    return datetime.fromtimestamp(late, UTC)
