"""Balances of statements and reports; a notification has none."""

from decimal import Decimal

from recon_streams.iso20022.leaves import (
    boolean_in,
    direction_in,
    moment_in,
    money_of,
    text_in,
)
from recon_streams.iso20022.reading import Children, Reading, Repeated, required
from recon_streams.iso20022.safe_xml import Element
from recon_streams.iso20022.shapes import BALANCE, BALANCE_TYPE, CODE, CREDIT_LINE
from recon_streams.iso20022.values import Balance, Direction, FindingCode
from recon_streams.kernel.money import ZERO, add, subtract
from recon_streams.kernel.refusal import RefusalCode, Refused


def balance_of(element: Element, path: str, reading: Reading) -> Balance:
    """Return the balance at `path`.

    Raises:
        Refused: For an amount, currency, direction or date that cannot be read without doubt.
    """
    one, many = reading.split(element, BALANCE, path)
    amount, currency = money_of(required(one, "Amt", path), path, reading)
    direction = direction_in(one, path)
    if direction is None:
        text = "a balance without a direction is neither in credit nor overdrawn"
        reading.note(FindingCode.DIRECTION_MISSING, path, text)
    code, proprietary, sub_type = _type_of(one, path, reading)
    moment = moment_in(one, "Dt", path, reading)
    return Balance(
        code=code,
        proprietary=proprietary,
        sub_type=sub_type,
        amount=subtract(ZERO, amount) if direction is Direction.DEBIT else amount,
        currency=currency,
        direction=direction,
        on=moment.on if moment else None,
        at=moment.at if moment else None,
        credit_line=_credit_line_of(many, path, reading, currency=currency),
    )


def _type_of(
    one: Children, path: str, reading: Reading
) -> tuple[str | None, str | None, str | None]:
    if "Tp" not in one:
        return None, None, None
    where = f"{path}/Tp"
    inner = reading.children(one["Tp"], BALANCE_TYPE, where)
    sub_type: str | None = None
    if "SubTp" in inner:
        sub = reading.children(inner["SubTp"], CODE, f"{where}/SubTp")
        sub_type = text_in(sub, "Cd", where) or text_in(sub, "Prtry", where)
    if "CdOrPrtry" in inner:
        where = f"{where}/CdOrPrtry"
        inner = reading.children(inner["CdOrPrtry"], CODE, where)
    return text_in(inner, "Cd", where), text_in(inner, "Prtry", where), sub_type


def _credit_line_of(
    many: Repeated, path: str, reading: Reading, *, currency: str
) -> Decimal | None:
    total: Decimal | None = None
    for number, element in enumerate(many.get("CdtLine", ()), start=1):
        where = f"{path}/CdtLine[{number}]"
        inner = reading.children(element, CREDIT_LINE, where)
        if "Amt" in inner and boolean_in(inner, "Incl", where):
            amount, other = money_of(inner["Amt"], where, reading)
            if other != currency:
                rule = "a credit line that is included is in the currency of its balance"
                raise Refused(RefusalCode.CURRENCY_MISMATCH, f"{where}/Amt", rule, other)
            total = amount if total is None else add(total, amount)
    return total
