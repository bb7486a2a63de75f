"""Calendars by name: what the maintained list of holidays says, with the operator's words over it.

Which days a bank works is evidence: every result carries the version of the calendars that it was
computed with, and two versions that are equal say the same of every day.
"""

import hashlib
import warnings
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Final

import holidays
import holidays.version
import msgspec

from recon_streams.kernel.calendar import Calendar, days_of

# Of an account that names no calendar: its bank rests on Saturday and Sunday and has no holidays.
WEEKDAYS: Final = "WEEKDAYS"
# For a custodian or an instant scheme that never rests.
EVERY_DAY: Final = "EVERY_DAY"

_SATURDAY: Final = 5


class Overlay(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator says of one calendar, over what is known of it.

    Attributes:
        combines: Calendars that this one is made of: closed when any of them is.
        holidays: Days on which the bank rests although the calendar does not say so.
        working_days: Days on which it works although the calendar says that it rests.
        early_cut_offs: Days that end earlier, in minutes after midnight.
    """

    combines: tuple[str, ...] = ()
    holidays: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()
    early_cut_offs: dict[date, int] = {}


class CalendarUnknown(Exception):
    """No calendar has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"no calendar {name}: write a country (AE), a country and its part (DE-BY), "
            f"a financial centre (XECB), {WEEKDAYS}, {EVERY_DAY}, or a name of calendars.yaml"
        )
        self.name = name


class Calendars:
    """Every calendar there is, and the version of what they say.

    Attributes:
        version: SHA-256 over the overlay and the version of the list of holidays.
        overlays: The operator's words, by the name of the calendar.
    """

    def __init__(self, overlays: Mapping[str, Overlay] | None = None) -> None:
        """Take overlays without a circle among what they combine; see `circles_of`."""
        self.overlays = dict(overlays or {})
        self.version = hashlib.sha256(self.content).hexdigest()
        self._made: dict[str, Calendar] = {}

    @property
    def content(self) -> bytes:
        """Return what the version is of: enough to make the same calendars again."""
        overlays = {name: _spelled(self.overlays[name]) for name in sorted(self.overlays)}
        return msgspec.json.encode({"holidays": holidays.version.__version__, "overlays": overlays})

    def named(self, name: str | None) -> Calendar:
        """Return the calendar `name`; None is that of an account that names none.

        Raises:
            CalendarUnknown: There is none.
        """
        name = WEEKDAYS if name is None else name
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def as_known(self, name: str | None) -> Calendar:
        """Return the calendar `name`; if there is none, that of an account that names none.

        For whoever counts days by the book, where a new calendar may not be in force yet.
        """
        return self.named(name if name is not None and self.knows(name) else None)

    def knows(self, name: str) -> bool:
        """Return whether there is a calendar `name`."""
        return name in self.overlays or is_known(name)

    def _make(self, name: str) -> Calendar:
        overlay = self.overlays.get(name)
        if overlay is None:
            if not is_known(name):
                raise CalendarUnknown(name)
            return Calendar(name, lambda year: closed_days(name, year), {})
        parts = [self.named(part) for part in overlay.combines]
        early: dict[date, int] = {}
        for given in (*(part.early_cut_offs for part in parts), overlay.early_cut_offs):
            early |= {on: min(given[on], early.get(on, given[on])) for on in given}
        own = name if not parts else None

        @lru_cache(maxsize=400)
        def closed(year: int) -> frozenset[date]:
            found = closed_days(own, year) if own else frozenset[date]()
            for part in parts:
                found |= {day for day in days_of(year) if not part.is_business_day(day)}
            extra = {day for day in overlay.holidays if day.year == year}
            return frozenset((found | extra) - overlay.working_days)

        return Calendar(name, closed, early)


def calendars_from(content: bytes) -> Calendars:
    """Return the calendars whose `content` was kept.

    They say the same of every day as long as the list of holidays is of the version they name.
    """
    return Calendars(msgspec.json.decode(content, type=_Content).overlays)


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    overlays: dict[str, Overlay]


def is_known(name: str) -> bool:
    """Return whether `name` is a calendar without any overlay."""
    if name in (WEEKDAYS, EVERY_DAY):
        return True
    country, _, part = name.partition("-")
    parts = _countries().get(country)
    if parts is not None:
        return not part or part in parts
    return name in _markets()


def circles_of(overlays: Mapping[str, Overlay]) -> list[str]:
    """Return the calendars that are, in the end, made of themselves."""
    return [name for name in overlays if name in _made_of(name, overlays)]


def _made_of(name: str, overlays: Mapping[str, Overlay]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        overlay = overlays.get(waiting.pop())
        fresh = set(overlay.combines if overlay else ()) - found
        found |= fresh
        waiting += fresh
    return found


@lru_cache(maxsize=10_000)
def closed_days(name: str, year: int) -> frozenset[date]:
    """Return the days of `year` on which a bank of the calendar `name` rests.

    Before and after the years that the list of holidays covers, weekends are all that is known.
    """
    if name == EVERY_DAY:
        return frozenset()
    if name == WEEKDAYS:
        return frozenset(day for day in days_of(year) if day.weekday() >= _SATURDAY)
    # A holiday of one year may be kept in the one before or after it.
    # Some lists warn that their movable holidays end some years from now, once for each process.
    with warnings.catch_warnings(action="ignore"):
        known = _list_of(name, (year - 1, year, year + 1))
    # Asked of itself, the list would load years, and warn of those it does not have.
    known.expand = False
    return frozenset(day for day in days_of(year) if not known.is_working_day(day))


def _list_of(name: str, years: Iterable[int]) -> holidays.HolidayBase:
    if name in _markets() and name not in _countries():
        listed = holidays.financial_holidays(name)
        return holidays.financial_holidays(name, years=_covered(listed, years))
    country, _, part = name.partition("-")
    listed = holidays.country_holidays(country)
    # Where banks have days of their own, those count as well.
    has_bank_days = "bank" in listed.supported_categories
    return holidays.country_holidays(
        country,
        subdiv=part or None,
        years=_covered(listed, years),
        categories=("bank", "public") if has_bank_days else ("public",),
    )


def _covered(listed: holidays.HolidayBase, years: Iterable[int]) -> list[int]:
    return [year for year in years if listed.start_year <= year <= listed.end_year]


@lru_cache(maxsize=1)
def _countries() -> dict[str, frozenset[str]]:
    listed = holidays.list_supported_countries(include_aliases=True)
    return {name: frozenset(parts) for name, parts in listed.items()}


@lru_cache(maxsize=1)
def _markets() -> frozenset[str]:
    return frozenset(holidays.list_supported_financial(include_aliases=True))


def _spelled(overlay: Overlay) -> dict[str, object]:
    return {
        "combines": sorted(overlay.combines),
        "holidays": [on.isoformat() for on in sorted(overlay.holidays)],
        "working_days": [on.isoformat() for on in sorted(overlay.working_days)],
        "early_cut_offs": {
            on.isoformat(): overlay.early_cut_offs[on] for on in sorted(overlay.early_cut_offs)
        },
    }
