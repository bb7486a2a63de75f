"""Laws of the tiers: more is never milder, limits only harden, and nothing ever rounds."""

from decimal import Decimal
from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.positions.rules import Limits
from recon_streams.positions.tiers import Rule, classify, exceeds_percent
from topics.positions import Tier

SEVERITY = [Tier.OK, Tier.MINOR, Tier.SIGNIFICANT, Tier.CRITICAL]
TOKEN = Decimal("0.00000001")

units = st.integers(1, 10**26 - 1).map(lambda number: number * TOKEN)
small_units = st.integers(0, 10**12).map(lambda number: number * TOKEN)
percents = st.integers(0, 10_000).map(lambda number: Decimal(number) / 1000)
limits = st.builds(
    Limits,
    minor_percent=percents,
    significant_percent=percents,
    critical_percent=percents,
    minor_amount=small_units | st.none(),
    significant_amount=small_units | st.none(),
    critical_amount=small_units | st.none(),
)


def severity(difference: Decimal, bank: Decimal, of: Limits) -> int:
    """How bad a surplus is, on an account with money and with tokens."""
    tier, _ = classify(difference, ledger=TOKEN, bank=bank, limits=of)
    return SEVERITY.index(tier)


@given(small_units, small_units, units, limits)
def test_a_larger_surplus_is_never_milder(
    one: Decimal, other: Decimal, bank: Decimal, of: Limits
) -> None:
    smaller, larger = sorted((one, other))
    assert severity(smaller, bank, of) <= severity(larger, bank, of)


@given(small_units, units, units, limits)
def test_the_same_surplus_is_never_worse_on_a_larger_balance(
    difference: Decimal, one: Decimal, other: Decimal, of: Limits
) -> None:
    smaller, larger = sorted((one, other))
    assert severity(difference, larger, of) <= severity(difference, smaller, of)


@given(
    small_units,
    units,
    limits,
    st.sampled_from(["minor_amount", "significant_amount", "critical_amount"]),
    small_units,
)
def test_an_absolute_limit_never_softens_a_verdict(
    difference: Decimal, bank: Decimal, of: Limits, name: str, amount: Decimal
) -> None:
    without = msgspec.structs.replace(of, **{name: None})
    with_it = msgspec.structs.replace(of, **{name: amount})
    stricter = msgspec.structs.replace(of, **{name: amount / 2})
    assert severity(difference, bank, without) <= severity(difference, bank, with_it)
    assert severity(difference, bank, with_it) <= severity(difference, bank, stricter)


@given(units, units, units, limits)
def test_a_shortage_is_critical_under_any_limits(
    shortage: Decimal, ledger: Decimal, bank: Decimal, of: Limits
) -> None:
    verdict = classify(-shortage, ledger=ledger, bank=bank, limits=of)
    assert verdict == (Tier.CRITICAL, Rule.SHORTAGE)


@given(small_units, units, percents)
def test_the_percentage_is_compared_exactly(
    difference: Decimal, bank: Decimal, percent: Decimal
) -> None:
    exact = Fraction(difference) / Fraction(bank) > Fraction(percent) / 100
    assert exceeds_percent(difference, bank, percent) == exact


@given(units, percents)
def test_a_difference_at_the_bound_is_not_beyond_it(whole: Decimal, percent: Decimal) -> None:
    # A thousandth of a percent of this balance is a whole number of its smallest units.
    bank = whole.quantize(Decimal(1)) + 1
    bound = bank * percent / 100
    assert not exceeds_percent(bound, bank, percent)
    assert exceeds_percent(bound + TOKEN, bank, percent)
