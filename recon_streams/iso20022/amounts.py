"""Amounts and currencies as XML Schema spells them, made into the amounts of the kernel."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Final

from iso4217 import Currency

from recon_streams.kernel.money import INTEGER_DIGITS_MAX, parse_amount
from recon_streams.kernel.refusal import RefusalCode, Refused, excerpt

# ISO 20022 allows five decimals in every amount, whatever the currency.
SCALE_MAX: Final = 5

XML_SPACE: Final = " \t\r\n"

# Digits after the point by currency; None where ISO 4217 defines none, as for gold.
MINOR_UNITS: Final[dict[str, int | None]] = {
    currency.code: currency.exponent for currency in Currency
}

# By currency, what matches an amount that has no more decimals than the currency.
_USUAL_FORMS: Final[dict[str, Callable[[str], re.Match[str] | None]]] = {
    code: re.compile(f"[0-9]{{1,{INTEGER_DIGITS_MAX}}}(?:\\.[0-9]{{0,{units}}}0*)?").fullmatch
    for code, units in MINOR_UNITS.items()
    if units is not None and units <= SCALE_MAX
}

_WELL_FORMED: Final = re.compile("[A-Z]{3}")


def decimal_of(text: str, field: str) -> Decimal:
    """Return the amount that `text` spells, without trailing zeros.

    The form is `xs:decimal` and not negative: an optional plus, leading zeros, `1.` and `.5`, with
    white space around.

    Raises:
        Refused: NEGATIVE_AMOUNT (also for -0.00), AMOUNT_TOO_PRECISE for more than five decimals
            that are not zeros, INVALID_AMOUNT for everything else.
    """
    whole, point, fraction = text.strip(XML_SPACE).partition(".")
    whole = whole.removeprefix("+")
    if point and not whole and fraction:
        whole = "0"
    # Equal amounts get equal text here, so that a message sent again in other digits is equal.
    fraction = fraction.rstrip("0")
    if fraction:
        return parse_amount(f"{whole}.{fraction}", field=field, scale_max=SCALE_MAX)
    return parse_amount(whole, field=field, scale_max=SCALE_MAX)


# The amount of an entry stands again in its transaction.
@lru_cache(maxsize=64)
def known_money(text: str | None, currency: str | None) -> Decimal | None:
    """Return the amount in `text` if it needs no further look; None if it does.

    It does not where it is spelled as usual, `currency` is one of ISO 4217 with a number of
    decimals, and the amount has no more of them; then it is what `decimal_of` returns.
    """
    form = _USUAL_FORMS.get(currency or "")
    if form is None or text is None or form(text) is None:
        return None
    if text[-1] == "0" and "." in text:
        text = text.rstrip("0").rstrip(".")
    return Decimal(text)


def checked_currency(code: str, field: str) -> str:
    """Return `code`, which has the form of a currency; it need not be one of today's.

    Raises:
        Refused: INVALID_CURRENCY for another form, and for XXX, which means no currency.
    """
    if code == "XXX" or not _WELL_FORMED.fullmatch(code):
        rule = "three letters A-Z, and not XXX, which means no currency"
        raise Refused(RefusalCode.INVALID_CURRENCY, field, rule, excerpt(code))
    return code
