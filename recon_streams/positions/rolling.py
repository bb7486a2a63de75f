"""The rolling position of one account: the newest figures, the last minutes, the last day. Pure.

Values are absolute and versioned, so seeing one twice, late or after a restart changes nothing.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from topics.positions import Position

MINUTES_MAX: Final = 60
_HALF_HOUR: Final = timedelta(minutes=30)
PAST: Final = timedelta(hours=24)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """The last unexplained difference seen in one minute; None while a side was unknown."""

    starts_at: datetime
    unexplained: Decimal | None


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """The last unexplained difference seen in one half-hour, and when."""

    at: datetime
    unexplained: Decimal


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What the book remembers of an account: its newest position, and what sweeps saw before."""

    position: Position
    seen: tuple[Seen, ...]


class Rolling(msgspec.Struct, frozen=True, kw_only=True):
    """One account as the worker remembers it between sweeps.

    Attributes:
        version: Of the account's log; a position with a lower or equal one is old news.
        minutes: The last hour at most, oldest first, only minutes in which something was said.
        half_hours: The last 24 hours at most, oldest first, likewise.
    """

    version: int
    position: Position
    minutes: tuple[Minute, ...] = ()
    half_hours: tuple[Seen, ...] = ()


def push(known: Rolling | None, news: Position | Past) -> Rolling:
    """Return what is known after `news`; old news changes nothing."""
    if isinstance(news, Past):
        pushed = push(known, news.position)
        seen = _merged(pushed.half_hours, news.seen)
        if seen == pushed.half_hours:
            return pushed
        return msgspec.structs.replace(pushed, half_hours=seen)
    if known is not None and news.version <= known.version:
        return known
    starts_at = news.evaluated_at.replace(second=0, microsecond=0)
    amount = None if news.unexplained is None else Decimal(news.unexplained)
    before = known.minutes if known is not None else ()
    oldest = starts_at - timedelta(minutes=MINUTES_MAX)
    kept = tuple(m for m in before if m.starts_at > oldest and m.starts_at != starts_at)
    minute = Minute(starts_at=starts_at, unexplained=amount)
    minutes = tuple(sorted((*kept, minute), key=lambda each: each.starts_at))
    half_hours = known.half_hours if known is not None else ()
    if amount is not None:
        half_hours = _with(half_hours, Seen(news.evaluated_at, amount))
    return Rolling(version=news.version, position=news, minutes=minutes, half_hours=half_hours)


def _with(seen: tuple[Seen, ...], news: Seen) -> tuple[Seen, ...]:
    """Return `seen` with `news` in the place of what its half-hour held."""
    if seen and _bucket(seen[-1].at) == _bucket(news.at):
        return (*seen[:-1], news)
    if not seen or news.at > seen[-1].at:
        oldest = news.at - PAST
        return (*(each for each in seen if each.at > oldest), news)
    return _merged((news,), seen)


def _merged(stronger: Iterable[Seen], weaker: Iterable[Seen]) -> tuple[Seen, ...]:
    """Return both, one for each half-hour: that of `stronger` where both have one."""
    by_bucket = {_bucket(each.at): each for each in weaker}
    by_bucket.update((_bucket(each.at), each) for each in stronger)
    ordered = sorted(by_bucket.values(), key=lambda each: each.at)
    if not ordered:
        return ()
    oldest = ordered[-1].at - PAST
    return tuple(each for each in ordered if each.at > oldest)


def _bucket(at: datetime) -> int:
    return (at - _EPOCH) // _HALF_HOUR
