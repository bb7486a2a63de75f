"""How the end of an alert is told: what ended, when, after how long, how often, and by what. Pure.

Whoever reads an end at night must not take it for one more alarm, nor look up when it began.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from recon_streams.alerts.alarm import Alarm

_BY: Final = {"time": "it went by itself", "person": "ended by a person"}


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one life of a cause, as it is told.

    Attributes:
        words: One sentence or two for a person.
        ended_at: When it was gone; None if it is there still, and told as a part of another alert.
        lasted_seconds: Until then.
        ended_by: What ended it, as in the contract of alerts.
    """

    words: str
    ended_at: datetime | None = None
    lasted_seconds: int | None = None
    ended_by: str | None = None


def ending_of(alarm: Alarm) -> Ending:
    """Return how it is told that `alarm` is over, or that another alert is told in its place."""
    facts = alarm.facts
    if not alarm.is_over:
        since = f"{alarm.first_seen.astimezone(UTC):%F %T}Z"
        return Ending(
            words=f"{facts.alert_class} is not over: it is told as {alarm.inhibited_by} from now "
            f"on. It is there since {since}: {facts.summary}"
        )
    ended_at = alarm.last_seen.astimezone(UTC)
    lasted = max(timedelta(0), alarm.last_seen - alarm.first_seen)
    often = f", its {alarm.lives}. time" if alarm.lives > 1 else ""
    by = _BY.get(facts.source, f"proven by {facts.source}")
    return Ending(
        words=f"{facts.alert_class} is over since {ended_at:%F %T}Z, after "
        f"{duration_text(lasted)} (seen {alarm.count}x{often}), {by}. It was: {facts.summary}",
        ended_at=ended_at,
        lasted_seconds=int(lasted.total_seconds()),
        ended_by=facts.source,
    )


def duration_text(lasted: timedelta) -> str:
    """Return `lasted` in its two largest units, such as `2 h 5 min`."""
    seconds = int(lasted.total_seconds())
    parts = [
        f"{count} {unit}"
        for count, unit in (
            (seconds // 86_400, "d"),
            (seconds // 3_600 % 24, "h"),
            (seconds // 60 % 60, "min"),
            (seconds % 60, "s"),
        )
        if count
    ]
    return " ".join(parts[:2]) or "0 s"
