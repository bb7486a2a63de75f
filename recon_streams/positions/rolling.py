"""The rolling position of one account: the newest figures and the last minutes of them. Pure.

Values are absolute and versioned, so seeing one twice, late or after a restart changes nothing.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from topics.positions import Position

MINUTES_MAX: Final = 60


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """The last unexplained difference seen in one minute; None while a side was unknown."""

    starts_at: datetime
    unexplained: Decimal | None


class Rolling(msgspec.Struct, frozen=True, kw_only=True):
    """One account as the worker remembers it between sweeps.

    Attributes:
        version: Of the account's log; a position with a lower or equal one is old news.
        minutes: The last hour at most, oldest first, only minutes in which something was said.
    """

    version: int
    position: Position
    minutes: tuple[Minute, ...] = ()


def push(known: Rolling | None, position: Position) -> Rolling:
    """Return what is known after `position`; old news changes nothing."""
    if known is not None and position.version <= known.version:
        return known
    starts_at = position.evaluated_at.replace(second=0, microsecond=0)
    amount = None if position.unexplained is None else Decimal(position.unexplained)
    before = known.minutes if known is not None else ()
    oldest = starts_at - timedelta(minutes=MINUTES_MAX)
    kept = tuple(m for m in before if m.starts_at > oldest and m.starts_at != starts_at)
    minute = Minute(starts_at=starts_at, unexplained=amount)
    minutes = tuple(sorted((*kept, minute), key=lambda each: each.starts_at))
    return Rolling(version=position.version, position=position, minutes=minutes)
