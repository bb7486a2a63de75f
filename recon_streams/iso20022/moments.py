"""Days and instants as XML Schema spells them.

`date.fromisoformat` takes `20260102` and `2026-W01-5`, and `datetime.fromisoformat` takes a day
with a zone for midnight. So the form is checked first.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, NamedTuple

from recon_streams.iso20022.amounts import XML_SPACE

_FORM: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_OFFSET_MAX: Final = timedelta(hours=14)
_ONE_DAY: Final = timedelta(days=1)


class Moment(NamedTuple):
    """A day, and the instant if a time was given.

    Attributes:
        on: The day as printed, in the zone of whoever printed it; `24:00:00` still names the day
            that ends.
        at: In UTC; read as UTC if no zone was given. Fractions below a microsecond are cut.
        has_zone: Whether a zone was given.
    """

    on: date
    at: datetime | None
    has_zone: bool


# A message says its day several times, and all messages of a day say the same one.
@lru_cache(maxsize=1024)
def moment_of(text: str) -> Moment | None:
    """Return what an `xs:date` or `xs:dateTime` says, or None if `text` is neither.

    Years are 0001 to 9999. A leap second is not a time of XML Schema.
    """
    match = _FORM.fullmatch(text.strip(XML_SPACE))
    if match is None:
        return None
    day, hour, minute, second, fraction, zone = match.groups()
    try:
        on = date.fromisoformat(day)
        if hour is None:
            _zone_of(zone)
            return Moment(on, None, zone is not None)
        at = _instant_of(on, (hour, minute, second, fraction), _zone_of(zone))
    except (ValueError, OverflowError):
        return None
    return Moment(on, at, zone is not None)


def _instant_of(on: date, clock: tuple[str, str, str, str | None], zone: timezone) -> datetime:
    hour, minute, second, fraction = clock
    if hour == "24":
        if minute != "00" or second != "00" or (fraction or "").strip("0"):
            raise ValueError(clock)
        return datetime(on.year, on.month, on.day, tzinfo=zone).astimezone(UTC) + _ONE_DAY
    micro = int(fraction[:6].ljust(6, "0")) if fraction else 0
    at = datetime(
        on.year, on.month, on.day, int(hour), int(minute), int(second), micro, tzinfo=zone
    )
    return at if zone is UTC else at.astimezone(UTC)


# A bank uses one or two offsets; there are 1,682 in all.
@lru_cache(maxsize=64)
def _zone_of(text: str | None) -> timezone:
    """Return the zone that `text` names, UTC if it names none."""
    if text is None or text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[4:])
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or offset > _OFFSET_MAX:  # noqa: PLR2004  # minutes of an hour
        raise ValueError(text)
    return timezone(-offset if text[0] == "-" else offset)
