"""Charges of an entry or a transaction: one level up to version 02, a total and records after."""

from collections.abc import Sequence
from decimal import Decimal

from recon_streams.iso20022.leaves import boolean_in, direction_in, money_of
from recon_streams.iso20022.reading import Children, Reading
from recon_streams.iso20022.safe_xml import Element
from recon_streams.iso20022.shapes import CHARGES
from recon_streams.iso20022.values import Charge
from recon_streams.kernel.money import add


def charges_of(
    elements: Sequence[Element], parent: str, reading: Reading
) -> tuple[tuple[Charge, ...], Decimal | None]:
    """Return the charges in the `Chrgs` elements of `parent`, and the total the bank states."""
    if not elements:
        return (), None
    charges: list[Charge] = []
    total: Decimal | None = None
    for number, element in enumerate(elements, start=1):
        path = f"{parent}/Chrgs[{number}]"
        one, many = reading.split(element, CHARGES, path)
        if "TtlChrgsAndTaxAmt" in one:
            amount, _ = money_of(one["TtlChrgsAndTaxAmt"], path, reading)
            total = amount if total is None else add(total, amount)
        if "Amt" in one:
            charges.append(_charge_of(one, path, reading))
        for position, record in enumerate(many.get("Rcrd", ()), start=1):
            record_path = f"{path}/Rcrd[{position}]"
            inner = reading.children(record, CHARGES, record_path)
            if "Amt" in inner:
                charges.append(_charge_of(inner, record_path, reading))
    return tuple(charges), total


def _charge_of(one: Children, path: str, reading: Reading) -> Charge:
    amount, currency = money_of(one["Amt"], path, reading)
    return Charge(
        amount=amount,
        currency=currency,
        direction=direction_in(one, path),
        included=boolean_in(one, "ChrgInclInd", path),
    )
