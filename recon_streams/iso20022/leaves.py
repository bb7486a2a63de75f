"""Elements that hold a value and nothing else, made into that value.

`parent` is always the path of the element around; the element's own name is added only where
something is wrong, because on the way of every message that text would be built for nothing.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Final

from recon_streams.iso20022.amounts import (
    MINOR_UNITS,
    XML_SPACE,
    checked_currency,
    decimal_of,
    known_money,
)
from recon_streams.iso20022.moments import Moment, moment_of
from recon_streams.iso20022.reading import Children, Reading
from recon_streams.iso20022.safe_xml import Element, local_name
from recon_streams.iso20022.shapes import MOMENT
from recon_streams.iso20022.values import Direction, FindingCode
from recon_streams.kernel.refusal import RefusalCode, Refused, excerpt

# What banks write where they have nothing to write; it must never match anything.
PLACEHOLDERS: Final = frozenset({"NOTPROVIDED", "NONREF", "NOTAPPLICABLE"})

DIRECTIONS: Final = {direction.value: direction for direction in Direction}
BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False}
Money = tuple[Decimal, str]

NUMBER_DIGITS_MAX: Final = 18
_NUMBER: Final = re.compile(f"[0-9]{{1,{NUMBER_DIGITS_MAX}}}")


def text_of(element: Element, parent: str) -> str:
    """Return the text of `element`, without white space around.

    Raises:
        Refused: MARKUP_IN_VALUE for an element, comment or instruction inside. Readers disagree
            on the text around it, so a signed `1<!-- -->000.00` is worth 1 or 1000.
    """
    if len(element):
        path = f"{parent}/{local_name(element)}"
        rule = "a value holds no element, comment or processing instruction"
        raise Refused(RefusalCode.MARKUP_IN_VALUE, path, rule)
    text = element.text
    return text.strip(XML_SPACE) if text else ""


def text_in(children: Children, name: str, parent: str) -> str | None:
    """Return the text of the child called `name`; None if it is absent or empty."""
    element = children.get(name)
    if element is None:
        return None
    if len(element):
        return text_of(element, parent)
    text = element.text
    return text.strip(XML_SPACE) or None if text else None


def reference_in(children: Children, name: str, parent: str) -> str | None:
    """Return the reference in the child called `name`; None if it says that there is none."""
    element = children.get(name)
    if element is None:
        return None
    if len(element):
        return text_of(element, parent)
    text = element.text
    text = text.strip(XML_SPACE) if text else None
    return None if not text or text.upper() in PLACEHOLDERS else text


def money_of(element: Element, parent: str, reading: Reading) -> tuple[Decimal, str]:
    """Return the unsigned amount and the currency of an element with the attribute `Ccy`.

    Raises:
        Refused: MARKUP_IN_VALUE, MISSING_FIELD for no currency, and what `decimal_of` and
            `checked_currency` raise.
    """
    currency = element.get("Ccy")
    known = known_money(element.text, currency)
    if known is not None and currency is not None and not len(element):
        return known, currency
    exponent = MINOR_UNITS.get(currency or "")
    path = f"{parent}/{local_name(element)}"
    amount = decimal_of(text_of(element, parent), path)
    if currency is None:
        rule = "an amount names its currency"
        raise Refused(RefusalCode.MISSING_FIELD, f"{path}/@Ccy", rule)
    if exponent is None or currency == "XXX":
        checked_currency(currency, f"{path}/@Ccy")
        if currency not in MINOR_UNITS:
            reading.note(FindingCode.CURRENCY_UNKNOWN, path, "not a currency of ISO 4217")
        return amount, currency
    digits = amount.as_tuple().exponent
    assert isinstance(digits, int), "infinities and NaN never become amounts"
    if -digits > exponent:
        text = f"{currency} has {exponent} digits after the point"
        reading.note(FindingCode.CURRENCY_SCALE, path, text)
    return amount, currency


def currency_in(children: Children, parent: str, reading: Reading) -> str | None:
    """Return the currency in the child `Ccy`, or None.

    Raises:
        Refused: INVALID_CURRENCY.
    """
    code = text_in(children, "Ccy", parent)
    if code is None:
        return None
    checked_currency(code, f"{parent}/Ccy")
    if code not in MINOR_UNITS:
        reading.note(FindingCode.CURRENCY_UNKNOWN, f"{parent}/Ccy", "not a currency of ISO 4217")
    return code


def direction_in(children: Children, parent: str) -> Direction | None:
    """Return the direction in the child `CdtDbtInd`, or None if there is no such child.

    Raises:
        Refused: INVALID_DIRECTION.
    """
    element = children.get("CdtDbtInd")
    if element is None:
        return None
    text = text_of(element, parent)
    direction = DIRECTIONS.get(text)
    if direction is None:
        rule = "CRDT or DBIT"
        raise Refused(RefusalCode.INVALID_DIRECTION, f"{parent}/CdtDbtInd", rule, excerpt(text))
    return direction


def boolean_in(children: Children, name: str, parent: str) -> bool | None:
    """Return the truth in the child called `name`, or None if there is no such child.

    Raises:
        Refused: INVALID_BOOLEAN.
    """
    element = children.get(name)
    if element is None:
        return None
    text = text_of(element, parent)
    value = BOOLEANS.get(text)
    if value is None:
        rule = "true, false, 1 or 0"
        raise Refused(RefusalCode.INVALID_BOOLEAN, f"{parent}/{name}", rule, excerpt(text))
    return value


def number_in(children: Children, name: str, parent: str, reading: Reading) -> int | None:
    """Return the number in the child called `name`; None, and a finding, if it is not one."""
    text = text_in(children, name, parent)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        reading.note(FindingCode.NUMBER_INVALID, f"{parent}/{name}", "1 to 18 digits")
        return None
    return int(text)


def instant_in(children: Children, name: str, parent: str, reading: Reading) -> datetime | None:
    """Return the instant in the child called `name`; None, and a finding, if it is not one.

    For instants that no money depends on; real banks print `11:17:11:735` here.
    """
    text = text_in(children, name, parent)
    if text is None:
        return None
    moment = moment_of(text)
    if moment is None or moment.at is None:
        reading.note(FindingCode.INSTANT_INVALID, f"{parent}/{name}", "an ISO 8601 date and time")
        return None
    _note_zone(moment, f"{parent}/{name}", reading)
    return moment.at


def moment_in(children: Children, name: str, parent: str, reading: Reading) -> Moment | None:
    """Return the day and instant in the child called `name`, or None if it is absent or empty.

    The child holds `Dt` or `DtTm`; some banks print either form in either, or no child at all.

    Raises:
        Refused: INVALID_DATE, MARKUP_IN_VALUE.
    """
    element = children.get(name)
    if element is None:
        return None
    path = f"{parent}/{name}"
    inner = reading.children(element, MOMENT, path) if len(element) else {}
    source = inner.get("DtTm")
    if source is None:
        source = inner.get("Dt")
    text = text_of(source, path) if source is not None else text_of(element, parent)
    if not text:
        return None
    moment = moment_of(text)
    if moment is None:
        rule = "an existing day, YYYY-MM-DD, or a day and time of ISO 8601"
        raise Refused(RefusalCode.INVALID_DATE, path, rule, excerpt(text))
    _note_zone(moment, path, reading)
    return moment


def _note_zone(moment: Moment, path: str, reading: Reading) -> None:
    if moment.at is not None and not moment.has_zone:
        reading.note(FindingCode.ZONE_MISSING, path, "read as UTC, for want of a zone")
