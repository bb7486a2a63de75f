"""The line through the past of a difference, beside one drawn with fractions, and its laws."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from recon_streams.positions.rules import Limits
from recon_streams.sweeps.drift import (
    POINTS_MAX,
    POINTS_MIN,
    Point,
    moved_in,
    seconds_until,
    trend_of,
)
from recon_streams.sweeps.warning import Course, warning_of
from topics.positions import Tier

START = datetime(2026, 11, 20, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)


def points(*amounts: object) -> list[Point]:
    """Return one point for each half-hour."""
    return [
        Point(START + number * HALF_HOUR, Decimal(str(amount)))
        for number, amount in enumerate(amounts)
    ]


def steady(per_step: str, count: int = 12) -> list[Point]:
    return points(*(Decimal(per_step) * number for number in range(count)))


amounts = st.decimals(-(10**9), 10**9, places=2)
pasts = st.lists(
    st.tuples(st.integers(0, 86_400), amounts),
    min_size=POINTS_MIN,
    max_size=30,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: [Point(START + timedelta(seconds=s), a) for s, a in sorted(pairs)])


def median(values: list[Fraction]) -> Fraction:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


@settings(derandomize=True, deadline=None)
@given(pasts)
def test_the_line_is_the_one_that_fractions_draw(past: list[Point]) -> None:
    trend = trend_of(past)
    assert trend is not None
    xs = [Fraction((point.at - past[-1].at) // timedelta(seconds=1)) for point in past]
    ys = [Fraction(point.amount) for point in past]
    slopes = [(ys[j] - ys[i]) / (xs[j] - xs[i]) for j in range(len(xs)) for i in range(j)]
    slope = median(slopes)
    level = median([y - slope * x for x, y in zip(xs, ys, strict=True)])
    deviation = median([abs(y - slope * x - level) for x, y in zip(xs, ys, strict=True)])
    last = Fraction(1, 10**8)
    assert abs(Fraction(trend.velocity) - slope * 3600) <= last
    # A slope cut after twelve decimals is off by less than a unit over a day of seconds.
    assert abs(Fraction(trend.level) - level) <= 3 * last
    assert abs(Fraction(trend.deviation) - deviation) <= 5 * last


@settings(derandomize=True, deadline=None)
@given(pasts, amounts)
def test_a_difference_that_is_higher_by_an_amount_moves_as_fast(
    past: list[Point], more: Decimal
) -> None:
    higher = [Point(point.at, point.amount + more) for point in past]
    one, other = trend_of(past), trend_of(higher)
    assert one is not None
    assert other is not None
    assert one.velocity == other.velocity
    assert one.deviation == other.deviation
    assert one.steady == other.steady


def test_a_steady_drift_is_measured_to_the_cent() -> None:
    trend = trend_of(steady("0.01"))
    assert trend is not None
    assert (trend.velocity, trend.deviation, trend.steady) == (Decimal("0.02"), 0, True)
    assert trend.level == Decimal("0.11")
    assert seconds_until(trend, Decimal("1.11")) == 50 * 3600
    assert seconds_until(trend, Decimal("0.05")) is None
    assert moved_in(trend.velocity, HALF_HOUR) == Decimal("0.01")


def test_a_quarter_of_wild_points_bends_nothing() -> None:
    past = steady("5", 16)
    for number in (2, 6, 11):
        past[number] = Point(past[number].at, Decimal(-(10**6)))
    trend = trend_of(past)
    assert trend is not None
    assert abs(trend.velocity - 10) < 1
    assert trend.steady


def test_a_step_is_no_drift() -> None:
    trend = trend_of(points(0, 0, 0, 0, 0, 100, 100, 100, 100, 100))
    assert trend is not None
    assert not trend.steady


def test_noise_without_a_direction_is_no_drift() -> None:
    trend = trend_of(points(3, -2, 4, -5, 1, 2, -3, 5, -1, 0, 2, -4))
    assert trend is not None
    assert not trend.steady


def test_what_stands_still_is_no_drift() -> None:
    trend = trend_of(points(*([7] * 10)))
    assert trend is not None
    assert (trend.velocity, trend.steady, trend.score) == (0, False, None)


def test_too_few_points_have_no_trend() -> None:
    assert trend_of(steady("1", POINTS_MIN - 1)) is None
    assert trend_of([Point(START, Decimal(1))] * 9) is None


def test_only_the_newest_points_count() -> None:
    past = [*points(*([-1000] * 30)), *steady("1", POINTS_MAX)]
    trend = trend_of(past)
    assert trend is not None
    assert (trend.points, trend.velocity) == (POINTS_MAX, 2)


def warned(past: list[Point], tier: Tier = Tier.OK, bank: str = "1000000", **limits: str) -> object:
    found = warning_of(
        trend_of(past),
        tier,
        bank=Decimal(bank),
        limits=Limits(**{name: Decimal(text) for name, text in limits.items()}),
        horizon=timedelta(hours=24),
    )
    return found.course, found.limit, found.reaches_at


def test_a_drift_towards_the_limit_is_told_before_it_trips() -> None:
    # 0.05 % of a million is 500. After twelve steps it stands at 110 and moves 20 an hour.
    until = START + 11 * HALF_HOUR
    assert warned(steady("10")) == (Course.WARNED, 500, until + timedelta(hours=19.5))


def test_a_stricter_amount_comes_first() -> None:
    assert warned(steady("10"), significant_amount="150") == (
        Course.WARNED, 150, START + 11 * HALF_HOUR + timedelta(hours=2),
    )  # fmt: skip


def test_a_shrinking_surplus_is_on_its_way_to_a_shortage() -> None:
    past = points(*(400 - 10 * number for number in range(12)))
    course, limit, reaches_at = warned(past)  # type: ignore[misc]
    assert (course, limit) == (Course.WARNED, 0)
    assert reaches_at == START + 11 * HALF_HOUR + timedelta(hours=14.5)


def test_a_drift_that_takes_more_than_a_day_is_no_warning() -> None:
    assert warned(steady("1"))[0] is Course.QUIET  # type: ignore[index]


def test_a_surplus_that_shrinks_no_further_is_quiet() -> None:
    assert warned(points(*([3] * 12))) == (Course.QUIET, None, None)


def test_what_has_tripped_is_not_warned_of() -> None:
    assert warned(steady("10"), Tier.SIGNIFICANT) == (Course.TRIPPED, None, None)


def test_without_points_nothing_is_known_and_nothing_cleared() -> None:
    assert warned(steady("10", 3)) == (Course.UNKNOWN, None, None)
