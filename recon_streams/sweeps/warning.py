"""A slow drift, told of before it trips a breaker: when it will reach the limit ahead of it."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

import msgspec

from recon_streams.kernel.money import ZERO, amount_text, multiply, normal
from recon_streams.positions.rules import Limits
from recon_streams.sweeps.drift import Trend, seconds_until
from topics.positions import Tier

_HUNDREDTH: Final = Decimal("0.01")
# What suspends payouts or says that a figure is missing is no longer a thing to be warned of.
_NOT_YET: Final = frozenset({Tier.OK, Tier.MINOR})


@unique
class Course(StrEnum):
    """Where a difference is going."""

    QUIET = "QUIET"  # there are points enough, and they lead to no limit in sight
    WARNED = "WARNED"  # steadily towards a limit
    TRIPPED = "TRIPPED"  # at the limit, or past any use of a warning
    UNKNOWN = "UNKNOWN"  # too few points


class Warning(msgspec.Struct, frozen=True, kw_only=True):  # noqa: A001 - the word of the trade
    """What the past of a difference says of its future.

    Attributes:
        course: Where it is going.
        limit: The limit that comes first on its way; None where it leads to none.
        reaches_at: When the line is there.
    """

    course: Course
    limit: Decimal | None = None
    reaches_at: datetime | None = None


def warning_of(
    trend: Trend | None, tier: Tier, *, bank: Decimal | None, limits: Limits, horizon: timedelta
) -> Warning:
    """Return where the difference of an account is going.

    Args:
        trend: Of its unexplained difference.
        tier: Its verdict now.
        bank: The bank's figure now; a limit in percent is of this.
        limits: The account's own.
        horizon: What lies further ahead is no warning.
    """
    if tier not in _NOT_YET:
        return Warning(course=Course.TRIPPED)
    if trend is None or bank is None:
        return Warning(course=Course.UNKNOWN)
    if not trend.steady:
        return Warning(course=Course.QUIET)
    # Below zero the ledger says more than there is at the bank, which is critical at any size.
    limit = _surplus_limit(bank, limits) if trend.velocity > 0 else ZERO
    seconds = seconds_until(trend, limit)
    if seconds is None or seconds > horizon // timedelta(seconds=1):
        return Warning(course=Course.QUIET, limit=limit)
    return Warning(
        course=Course.WARNED, limit=limit, reaches_at=trend.until + timedelta(seconds=seconds)
    )


def facts_of(trend: Trend, warning: Warning) -> dict[str, str]:
    """Return the numbers behind a warning, or behind its end, for a person."""
    found = {
        "velocity_per_hour": amount_text(trend.velocity),
        "level": amount_text(trend.level),
        "deviation": amount_text(trend.deviation),
        "points": str(trend.points),
        "since": _instant(trend.since),
        "until": _instant(trend.until),
    }
    if warning.limit is not None:
        found["limit"] = amount_text(warning.limit)
    if warning.reaches_at is not None:
        found["reaches_limit_at"] = _instant(warning.reaches_at)
    return found


def _surplus_limit(bank: Decimal, limits: Limits) -> Decimal:
    by_percent = normal(multiply(multiply(bank, limits.significant_percent), _HUNDREDTH))
    amount = limits.significant_amount
    return by_percent if amount is None else min(by_percent, amount)


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
