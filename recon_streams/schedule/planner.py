"""What a capability brings to be due at instants: a kind, and a pure function from one to the next.

An instant is a function of the definition and of the instant before it, never of the moment of
asking. So a schedule that stood still continues where it was, and names each instant once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from recon_streams.registry.definition import AccountDefinition
from topics.ticks import Tick

ALL: Final = "all"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

AccountDue = Callable[[AccountDefinition, datetime], datetime | None]
CommonDue = Callable[[datetime], datetime]


@dataclass(frozen=True, kw_only=True)
class AccountPlanner:
    """A kind of tick that each account has.

    Attributes:
        kind: Names it in the schedule for ever.
        next_due: The first instant after the given one at which an account of this definition is
            due; None if it never is. In UTC, and later than what it was given.
        make: The tick of an account at an instant.
    """

    kind: str
    next_due: AccountDue
    make: Callable[[AccountDefinition, datetime], Tick]


@dataclass(frozen=True, kw_only=True)
class CommonPlanner:
    """A kind of tick that the whole installation has once; see `AccountPlanner`."""

    kind: str
    next_due: CommonDue
    make: Callable[[datetime], Tick]


Planner = AccountPlanner | CommonPlanner


def scope_of(definition: AccountDefinition) -> str:
    """Return the account's name in keys: the same as that of its positions."""
    return f"account:{definition.account_id}:{definition.currency}"


def next_aligned(
    after: datetime, *, every: timedelta, offset: timedelta = timedelta(0)
) -> datetime:
    """Return the first instant after `after` that lies `offset` behind a multiple of `every`.

    Counted in UTC from an epoch at midnight: no change of clocks makes an interval longer or
    shorter, and whoever divides the hour meets every full hour.
    """
    passed = (after - _EPOCH - offset) // every
    return _EPOCH + offset + (passed + 1) * every
