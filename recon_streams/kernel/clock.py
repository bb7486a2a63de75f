"""The one file that reads the wall clock; everything else is told what time it is."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current instant, aware and in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one place the ban points to
