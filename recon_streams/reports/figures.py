"""How an amount is printed for people: grouped by thousands, with the currency's own decimals."""

from typing import Final

from iso4217 import Currency

_GROUP: Final = 3
_ABSENT: Final = "none"


def printed(amount: str | None, currency: str) -> str:
    """Return `amount` as people read it: `-1,234,567.50`; `none` where there is no figure.

    At least as many decimals as the currency has, and never fewer than the amount has: nothing is
    rounded for the sake of looks.
    """
    if amount is None:
        return _ABSENT
    sign, digits = ("-", amount[1:]) if amount.startswith("-") else ("", amount)
    whole, _, fraction = digits.partition(".")
    fraction = fraction.ljust(_decimals(currency), "0")
    first = len(whole) % _GROUP or _GROUP
    groups = [whole[:first], *(whole[at : at + _GROUP] for at in range(first, len(whole), _GROUP))]
    return sign + ",".join(groups) + (f".{fraction}" if fraction else "")


def _decimals(currency: str) -> int:
    """Return the minor units of ISO 4217; none for the registered code of a token."""
    try:
        return Currency(currency).exponent or 0
    except ValueError:
        return 0
