"""Which bookings an attested opening figure contains; adding them to it would count them twice."""

from datetime import UTC, date, datetime, time
from typing import Final

_MIDNIGHT: Final = time(0)


def contains(as_of: datetime, *, booked_on: date | None, booked_at: datetime | None) -> bool:
    """Return whether the bank figure attested for `as_of` contains an entry.

    Days are compared as both sides print them: the bank's booking day, and the day of `as_of` in
    its own offset. An instant decides where there is one. Midnight is none: banks that have only
    the day print it so. What is booked on the day itself, nobody knows when, is not contained.

    Args:
        as_of: The instant of the figure, in the offset in which it was attested.
        booked_on: The booking day; an entry without one is not contained.
        booked_at: The booking instant, None if it, or its offset, is not known.
    """
    if booked_on is None:
        return False
    days = (booked_on - as_of.date()).days
    # Beyond a day no offset can matter, and years at the end of the calendar cannot be shifted.
    if booked_at is None or abs(days) > 1:
        return days < 0
    local = booked_at.astimezone(as_of.tzinfo)
    if _MIDNIGHT in {local.time(), booked_at.astimezone(UTC).time()}:
        return days < 0
    return booked_at <= as_of
