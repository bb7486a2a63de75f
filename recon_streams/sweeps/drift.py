"""How fast a difference moves, and how surely: a line through its past that outliers cannot bend.

Theil and Sen: the slope is the median of the slopes of all pairs of points, so that up to a quarter
of them may be anything. Median absolute deviation: how far the points lie from that line. Counted
in whole numbers of 10^-8 of the currency; the one division of each slope is cut after 12 decimals.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from recon_streams.kernel.money import EXACT, SCALE_MAX, normal

# With fewer points one late message makes a trend.
POINTS_MIN: Final = 5
# All pairs are looked at: 48 points have 1128 of them.
POINTS_MAX: Final = 48
_HOUR: Final = 3600
# More decimals for slopes than money has, so that a cent a day is not lost.
_FINE: Final = 10**4
# 1.4826 deviations of a median are one standard deviation of ordinary noise (Rousseeuw and Croux).
_NOISE: Final = (14_826, 10_000)
_NOISE_TIMES: Final = 3
# A step is no drift: of its pairs, those on one side of it agree with nothing.
_AGREEING: Final = (3, 4)


class Point(msgspec.Struct, frozen=True):
    """The unexplained difference at an instant."""

    at: datetime
    amount: Decimal


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """A line through points.

    Attributes:
        points: How many.
        since: The oldest of them.
        until: The newest of them.
        velocity: Slope, an hour.
        level: Of the line at `until`.
        deviation: Median absolute deviation of the points from the line.
        score: How many deviations the newest point is off the line, signed, to two decimals; None
            where nothing deviates.
        steady: The slope is more than noise and more than one step.
    """

    points: int
    since: datetime
    until: datetime
    velocity: Decimal
    level: Decimal
    deviation: Decimal
    score: Decimal | None
    steady: bool


def trend_of(points: Sequence[Point]) -> Trend | None:
    """Return the trend of `points`, oldest first; None if they are too few to have one."""
    used = points[-POINTS_MAX:]
    if len(used) < POINTS_MIN or used[0].at == used[-1].at:
        return None
    until = used[-1].at
    # Seconds before the newest: small numbers, and the level is that of the newest.
    xs = [-((until - point.at) // timedelta(seconds=1)) for point in used]
    ys = [_units(point.amount) * _FINE for point in used]
    slopes = [
        (ys[j] - ys[i]) * _HOUR // (xs[j] - xs[i])
        for j in range(1, len(xs))
        for i in range(j)
        if xs[j] > xs[i]
    ]
    if not slopes:
        return None
    slope = _median(slopes)
    level = _median([y - slope * x // _HOUR for x, y in zip(xs, ys, strict=True)])
    residuals = [y - slope * x // _HOUR - level for x, y in zip(xs, ys, strict=True)]
    deviation = _median([abs(each) for each in residuals])
    return Trend(
        points=len(used),
        since=used[0].at,
        until=until,
        velocity=_amount(slope),
        level=_amount(level),
        deviation=_amount(deviation),
        score=_score(residuals[-1], deviation),
        steady=_is_steady(slopes, slope * -xs[0] // _HOUR, deviation),
    )


def seconds_until(trend: Trend, limit: Decimal) -> int | None:
    """Return after how many seconds the line reaches `limit`; None if it moves away from it."""
    gap, slope = _units(limit) - _units(trend.level), _units(trend.velocity)
    if slope == 0 or (gap > 0) != (slope > 0):
        return None
    return abs(gap) * _HOUR // abs(slope)


def moved_in(velocity: Decimal, time: timedelta) -> Decimal:
    """Return how far `velocity`, an hour, leads in `time`."""
    seconds = time // timedelta(seconds=1)
    return _amount(_units(velocity) * _FINE * seconds // _HOUR)


def _is_steady(slopes: Sequence[int], change: int, deviation: int) -> bool:
    if change == 0:
        return False
    agreeing = sum(1 for each in slopes if each and (each > 0) == (change > 0))
    needed, of = _AGREEING
    above, below = _NOISE
    is_above_noise = abs(change) * below > _NOISE_TIMES * above * deviation
    return agreeing * of >= needed * len(slopes) and is_above_noise


def _score(residual: int, deviation: int) -> Decimal | None:
    if deviation == 0:
        return None
    above, below = _NOISE
    hundredths = abs(residual) * below * 100 // (above * deviation)
    return EXACT.scaleb(Decimal(hundredths if residual >= 0 else -hundredths), -2)


def _median(values: Sequence[int]) -> int:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) // 2


def _units(amount: Decimal) -> int:
    return int(EXACT.scaleb(amount, SCALE_MAX))


def _amount(fine: int) -> Decimal:
    """Return fine units as an amount, cut to the decimals that money has."""
    units = fine // _FINE if fine >= 0 else -(-fine // _FINE)
    return normal(EXACT.scaleb(Decimal(units), -SCALE_MAX))
