"""When a discrepancy is due and how old it is, in days on which the bank works. Pure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from types import MappingProxyType
from typing import Final

import msgspec

from recon_streams.kernel.calendar import BusinessDays
from topics.alerts import Severity

# What is critical is dealt with within hours; everything else by the same time of a later day.
CRITICAL_HOURS: Final = 4
DUE_DAYS: Final[Mapping[Severity, int]] = MappingProxyType(
    {Severity.ERROR: 1, Severity.WARNING: 5, Severity.INFO: 10}
)


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """A range of ages in business days, both ends inside; the last has no end."""

    name: str
    days_min: int
    days_max: int | None


BUCKETS: Final = (
    Bucket(name="0-1", days_min=0, days_max=1),
    Bucket(name="2-5", days_min=2, days_max=5),
    Bucket(name="6-10", days_min=6, days_max=10),
    Bucket(name="11-30", days_min=11, days_max=30),
    Bucket(name=">30", days_min=31, days_max=None),
)


class Working(msgspec.Struct, frozen=True, kw_only=True):
    """How an account counts its days: the bank's working days, in the bank's zone."""

    days: BusinessDays
    zone: tzinfo


def due_at(at: datetime, severity: Severity, working: Working) -> datetime:
    """Return when, in UTC, something that is found at `at` should be resolved.

    What is found on a day off is found, for this purpose, at the beginning of the next business
    day. Nobody is late because of a weekend.
    """
    local = at.astimezone(working.zone)
    if not working.days.is_business_day(local.date()):
        first = working.days.add_business_days(local.date(), 1)
        local = datetime.combine(first, time(), tzinfo=working.zone)
    if severity is Severity.CRITICAL:
        return _critical_due_at(local, working)
    due_on = working.days.add_business_days(local.date(), DUE_DAYS[severity])
    return datetime.combine(due_on, local.timetz()).astimezone(UTC)


def age_business_days(opened_at: datetime, now: datetime, working: Working) -> int:
    """Return for how many business days something is open; the day it was opened counts as 0.

    What was opened after `now`, by a clock ahead of ours, is 0 days old.
    """
    opened_on, today = _on(opened_at, working), _on(now, working)
    if today <= opened_on:
        return 0
    return working.days.business_days_between(opened_on, today)


def bucket_of(age_days: int) -> Bucket:
    """Return the bucket that an age in business days falls into."""
    assert age_days >= 0, "nothing is younger than today"
    for bucket in BUCKETS:
        if bucket.days_max is None or age_days <= bucket.days_max:
            return bucket
    raise AssertionError("the last bucket has no end")


def _critical_due_at(local: datetime, working: Working) -> datetime:
    # Hours go by on business days only: what is left over at midnight goes on the next one. In UTC,
    # because hours of a wall clock are not all of one length.
    due = local.astimezone(UTC) + timedelta(hours=CRITICAL_HOURS)
    day_ends_at = _midnight(local.date() + timedelta(days=1), working)
    if due <= day_ends_at:
        return due
    following = working.days.add_business_days(local.date(), 1)
    return _midnight(following, working) + (due - day_ends_at)


def _midnight(on: date, working: Working) -> datetime:
    return datetime.combine(on, time(), tzinfo=working.zone).astimezone(UTC)


def _on(at: datetime, working: Working) -> date:
    return at.astimezone(working.zone).date()
