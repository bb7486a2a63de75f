"""Exact money: the one parser of amounts and the one context that adds them.

`Decimal` alone accepts `NaN`, `1e999999`, `1_000`, ` 5 ` and digits of other scripts, and rounds
silently at 28 digits. Neither may happen to money, so text is checked character by character
before it becomes a number, and arithmetic runs in a context where rounding is an exception.
"""

from decimal import (
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import Final

from recon_streams.kernel.refusal import RefusalCode, Refused, excerpt

ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)

# 18 digits of an ISO 20022 amount plus 8 decimals of a token leave room for sums over 10^24 rows.
EXACT: Final = Context(
    prec=50,
    traps=[Inexact, InvalidOperation, Overflow, DivisionByZero, FloatOperation],
)

INTEGER_DIGITS_MAX: Final = 18
SCALE_MAX: Final = 8

_DIGITS: Final = frozenset("0123456789")


def add(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact sum."""
    return EXACT.add(left, right)


def subtract(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact difference `left - right`."""
    return EXACT.subtract(left, right)


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact product; more than 50 digits raise `Inexact`."""
    return EXACT.multiply(left, right)


def parse_amount(text: str, *, field: str, scale_max: int = SCALE_MAX) -> Decimal:
    """Return the unsigned amount that `text` spells.

    The form is `[0-9]{1,18}(.[0-9]{1,scale_max})?` in ASCII: no sign, no exponent, no separators,
    no spaces. Zero is an amount. Leading zeros are accepted, as real banks pad with them, and do
    not count as digits.

    Raises:
        Refused: NEGATIVE_AMOUNT for a leading minus (direction has a field of its own),
            AMOUNT_TOO_PRECISE for more than `scale_max` decimals that are not zeros,
            INVALID_AMOUNT for everything else.
    """
    whole, point, fraction = text.partition(".")
    if not whole or not _DIGITS.issuperset(whole) or not _DIGITS.issuperset(fraction):
        if text.startswith("-"):
            raise Refused(
                RefusalCode.NEGATIVE_AMOUNT,
                field,
                "an amount has no sign; its direction is a field of its own",
                excerpt(text),
            )
        raise _invalid(text, field)
    if point and not fraction:
        raise _invalid(text, field)
    if len(whole) > INTEGER_DIGITS_MAX and len(whole.lstrip("0")) > INTEGER_DIGITS_MAX:
        raise _invalid(text, field)
    if len(fraction) > scale_max:
        if fraction[scale_max:].strip("0"):
            raise Refused(
                RefusalCode.AMOUNT_TOO_PRECISE,
                field,
                f"at most {scale_max} digits after the point",
                excerpt(text),
            )
        text = f"{whole}.{fraction[:scale_max]}" if scale_max else whole
    return Decimal(text)


def _invalid(text: str, field: str) -> Refused:
    return Refused(
        RefusalCode.INVALID_AMOUNT,
        field,
        f"1 to {INTEGER_DIGITS_MAX} ASCII digits, optionally a point and decimals, nothing else",
        excerpt(text),
    )


def amount_text(amount: Decimal) -> str:
    """Return the one spelling of `amount`: plain digits, no exponent, no trailing zeros, no `-0`.

    Equal amounts give equal bytes, which is what makes states, hashes and replays comparable.
    """
    if not amount:
        return "0"
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def normal(amount: Decimal) -> Decimal:
    """Return the equal amount with the one representation that `amount_text` would print.

    Amounts inside states and events are kept in this form, so that equal values have equal bytes
    whatever zeros their sources wrote.
    """
    if not amount:
        return ZERO
    stripped = amount.normalize(EXACT)
    # Only a number with a positive exponent is printed with a plus sign; asking the text is the
    # quickest way to tell.
    return stripped.quantize(_ONE, context=EXACT) if "+" in str(stripped) else stripped
