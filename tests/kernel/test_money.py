"""Exact money: what spells an amount, what it weighs, and that nothing ever rounds."""

import re
from decimal import Context, Decimal, Inexact, localcontext

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recon_streams.kernel.money import (
    SCALE_MAX,
    add,
    amount_text,
    multiply,
    normal,
    parse_amount,
    subtract,
)
from recon_streams.kernel.refusal import RefusalCode, Refused

settings.register_profile("kernel", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("kernel")

# Digits, look-alikes of digits in other scripts, and all that `Decimal` alone would let through.
ALPHABET = "0123456789" * 3 + "..,-+eE_ \t\n\x00NaInfs٣１²½Ⅷ\u2212\u00a0"  # noqa: RUF001 - the point
texts = st.text(ALPHABET, max_size=30) | st.text(max_size=8)
amounts = st.decimals(
    min_value=-(10**18) + 1, max_value=10**18 - 1, places=8, allow_nan=False, allow_infinity=False
)


def documented(scale_max: int) -> re.Pattern[str]:
    """The language that `parse_amount` promises, as a regular expression."""
    fraction = rf"(\.[0-9]{{1,{scale_max}}}0*)?" if scale_max else r"(\.0+)?"
    return re.compile(rf"0*[0-9]{{1,18}}{fraction}", re.ASCII)


@given(texts, st.sampled_from([0, 2, 3, 8]))
@settings(max_examples=1500)
@example("NaN", 8)
@example("Infinity", 8)
@example("1e5", 8)
@example("1_000", 8)
@example(" 5 ", 8)
@example("٣", 8)
@example("5\n", 8)
@example("5.", 8)
@example(".5", 8)
@example("+5", 8)
@example("", 8)
@example("0" * 40 + "9" * 18, 8)
@example("9" * 19, 8)
@example("1.000", 2)
@example("1.001", 2)
@example("1.0", 0)
def test_exactly_the_documented_language_is_accepted(text: str, scale_max: int) -> None:
    if documented(scale_max).fullmatch(text) is None:
        with pytest.raises(Refused) as refused:
            parse_amount(text, field="/amount", scale_max=scale_max)
        assert refused.value.field == "/amount"
        assert refused.value.detail.removesuffix("…").isascii()
        return
    amount = parse_amount(text, field="/amount", scale_max=scale_max)
    assert amount == Decimal(text)
    assert amount.is_finite()
    assert not amount.is_signed()
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)
    assert -scale_max <= exponent <= 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-5", RefusalCode.NEGATIVE_AMOUNT),
        ("-0", RefusalCode.NEGATIVE_AMOUNT),
        ("-0.01", RefusalCode.NEGATIVE_AMOUNT),
        ("1.001", RefusalCode.AMOUNT_TOO_PRECISE),
        ("1.0010", RefusalCode.AMOUNT_TOO_PRECISE),
        ("5,00", RefusalCode.INVALID_AMOUNT),
        ("1.2.3", RefusalCode.INVALID_AMOUNT),
        ("9" * 19, RefusalCode.INVALID_AMOUNT),
        ("1e5", RefusalCode.INVALID_AMOUNT),
        ("", RefusalCode.INVALID_AMOUNT),
    ],
)
def test_the_reason_names_what_is_wrong(text: str, code: RefusalCode) -> None:
    with pytest.raises(Refused) as refused:
        parse_amount(text, field="/amount", scale_max=2)
    assert refused.value.code is code


def test_zeros_beyond_the_scale_are_not_precision() -> None:
    assert parse_amount("12.5000", field="", scale_max=2) == Decimal("12.5")
    assert amount_text(parse_amount("7.000", field="", scale_max=0)) == "7"


@given(amounts, st.integers(0, 12))
def test_equal_amounts_have_equal_bytes(amount: Decimal, zeros: int) -> None:
    wide = Context(prec=60)
    padded = amount.quantize(Decimal((0, (1,), -8 - zeros)), context=wide)
    assert padded == amount
    assert amount_text(padded) == amount_text(amount)
    assert str(normal(padded)) == str(normal(amount))
    assert normal(amount) == amount
    assert amount_text(normal(amount)) == amount_text(amount)
    assert normal(normal(amount)).as_tuple() == normal(amount).as_tuple()


@given(amounts)
def test_an_amount_is_spelled_in_plain_digits_and_read_back_equal(amount: Decimal) -> None:
    text = amount_text(amount)
    assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", text)
    assert text != "-0"
    assert Decimal(text) == amount
    if amount >= 0:
        assert parse_amount(text, field="") == amount


@pytest.mark.parametrize("text", ["-0", "0E+5", "-0.000", "0e-30"])
def test_every_zero_is_the_same_zero(text: str) -> None:
    assert amount_text(Decimal(text)) == "0"
    assert normal(Decimal(text)).as_tuple() == Decimal(0).as_tuple()


def test_thousands_keep_their_zeros() -> None:
    assert amount_text(Decimal("5E+6")) == amount_text(Decimal("5000000.00")) == "5000000"
    assert str(normal(Decimal("5000000.00"))) == str(normal(Decimal("5E+6"))) == "5000000"


@given(amounts, amounts)
def test_a_sum_is_undone_by_its_difference(left: Decimal, right: Decimal) -> None:
    assert subtract(add(left, right), right) == left


@given(st.lists(amounts, max_size=20), st.randoms(use_true_random=False))
def test_a_sum_does_not_depend_on_its_order(amounts: list[Decimal], shuffle: object) -> None:
    def total(parts: list[Decimal]) -> Decimal:
        result = Decimal(0)
        for part in parts:
            result = add(result, part)
        return result

    forwards = total(amounts)
    shuffle.shuffle(amounts)  # type: ignore[attr-defined]  # a random.Random, typed by hypothesis
    assert total(amounts) == forwards
    # The same by scaled integers, which share no code with decimals.
    assert int(forwards.scaleb(SCALE_MAX, Context(prec=60))) == sum(
        int(amount.scaleb(SCALE_MAX, Context(prec=60))) for amount in amounts
    )


@pytest.mark.parametrize("work", [add, subtract, multiply])
def test_what_would_round_raises(work: object) -> None:
    long, small = Decimal("9" * 30), Decimal("0." + "7" * 30)
    with pytest.raises(Inexact):
        work(long, small)  # type: ignore[operator]  # each of the three takes two amounts


def test_the_precision_of_the_thread_does_not_matter() -> None:
    with localcontext(Context(prec=3)):
        assert add(Decimal("123456789.01"), Decimal("0.01")) == Decimal("123456789.02")
        assert normal(Decimal("123456789.010")).as_tuple() == Decimal("123456789.01").as_tuple()
        assert amount_text(Decimal("123456789.010")) == "123456789.01"
        assert parse_amount("123456789.01", field="") == Decimal("123456789.01")
