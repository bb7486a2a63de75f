"""Transactions inside an entry: the references by which money is recognised."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from recon_streams.iso20022.accounts import identification_in
from recon_streams.iso20022.charges import charges_of
from recon_streams.iso20022.leaves import direction_in, money_of, reference_in, text_in, text_of
from recon_streams.iso20022.reading import Children, Reading
from recon_streams.iso20022.safe_xml import Element
from recon_streams.iso20022.shapes import (
    AMOUNT,
    AMOUNTS,
    CODE,
    CREDITOR_REFERENCE,
    DETAIL,
    PARTIES,
    REFERENCES,
    REMITTANCE,
    RETURN,
    STRUCTURED,
)
from recon_streams.iso20022.values import Detail, Direction, FindingCode

UUID: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# A placeholder that looks like an identifier would make strangers' payments one payment.
NIL: Final = "00000000-0000-0000-0000-000000000000"


def detail_of(element: Element, path: str, entry_direction: Direction, reading: Reading) -> Detail:
    """Return the transaction at `path` of an entry that moves in `entry_direction`.

    Raises:
        Refused: For an amount, direction or value that cannot be read without doubt.
    """
    one, many = reading.split(element, DETAIL, path)
    amount, currency = amount_of(one, path, reading)
    direction = direction_in(one, path)
    where = f"{path}/Refs"
    references = reading.children(one["Refs"], REFERENCES, where) if "Refs" in one else {}
    uetr, uetr_text = _uetr_of(references, where, reading)
    remittance, creditor_references = _remittance_of(one, path, reading)
    charges, charges_total = charges_of(many.get("Chrgs", ()), path, reading)
    return Detail(
        path=path,
        amount=amount,
        currency=currency,
        direction=direction,
        message_id=reference_in(references, "MsgId", where),
        servicer_reference=reference_in(references, "AcctSvcrRef", where),
        payment_information_id=reference_in(references, "PmtInfId", where),
        instruction_id=reference_in(references, "InstrId", where),
        end_to_end_id=reference_in(references, "EndToEndId", where),
        transaction_id=reference_in(references, "TxId", where),
        uetr=uetr,
        uetr_text=uetr_text,
        clearing_reference=reference_in(references, "ClrSysRef", where),
        mandate_id=reference_in(references, "MndtId", where),
        counterparty_account=_counterparty_of(one, path, direction or entry_direction, reading),
        return_reason=return_reason_of(one, path, reading),
        remittance=remittance,
        creditor_references=creditor_references,
        charges=charges,
        charges_total=charges_total,
    )


def amount_of(one: Children, path: str, reading: Reading) -> tuple[Decimal | None, str | None]:
    """Return amount and currency of a transaction with the children `one`; None if it has none."""
    element = one.get("Amt")
    if element is not None:
        return money_of(element, path, reading)
    if "AmtDtls" not in one:
        return None, None
    where = f"{path}/AmtDtls"
    amounts = reading.children(one["AmtDtls"], AMOUNTS, where)
    if "TxAmt" not in amounts:
        return None, None
    where = f"{where}/TxAmt"
    inner = reading.children(amounts["TxAmt"], AMOUNT, where)
    return money_of(inner["Amt"], where, reading) if "Amt" in inner else (None, None)


def _uetr_of(references: Children, path: str, reading: Reading) -> tuple[str | None, str | None]:
    text = reference_in(references, "UETR", path)
    if text is None:
        return None, None
    uetr = text.lower()
    if uetr == NIL or not UUID.fullmatch(uetr):
        reading.note(FindingCode.UETR_INVALID, f"{path}/UETR", "a UUID, and not the nil one")
        return None, text
    return uetr, None


def _counterparty_of(
    one: Children, path: str, direction: Direction, reading: Reading
) -> str | None:
    if "RltdPties" not in one:
        return None
    where = f"{path}/RltdPties"
    parties = reading.children(one["RltdPties"], PARTIES, where)
    name = "DbtrAcct" if direction is Direction.CREDIT else "CdtrAcct"
    if name not in parties:
        return None
    return identification_in(parties[name], f"{where}/{name}", reading)[0] or None


def return_reason_of(one: Children, path: str, reading: Reading) -> str | None:
    """Return why a payment came back, of a transaction with the children `one`."""
    if "RtrInf" not in one:
        return None
    where = f"{path}/RtrInf"
    inner = reading.children(one["RtrInf"], RETURN, where)
    for name in ("Rsn", "RtrRsn"):
        if name in inner:
            code = reading.children(inner[name], CODE, f"{where}/{name}")
            return text_in(code, "Cd", where) or text_in(code, "Prtry", where)
    return None


def _remittance_of(
    one: Children, path: str, reading: Reading
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if "RmtInf" not in one:
        return (), ()
    where = f"{path}/RmtInf"
    _, many = reading.split(one["RmtInf"], REMITTANCE, where)
    lines = [text_of(element, where) for element in many.get("Ustrd", ())]
    return (
        tuple(line for line in lines if line),
        creditor_references_of(many.get("Strd", ()), where, reading),
    )


def creditor_references_of(
    elements: Sequence[Element], parent: str, reading: Reading
) -> tuple[str, ...]:
    """Return the references in `elements`, the `Strd` of a remittance at `parent`."""
    found = []
    for number, element in enumerate(elements, start=1):
        path = f"{parent}/Strd[{number}]"
        structured = reading.children(element, STRUCTURED, path)
        if "CdtrRefInf" in structured:
            where = f"{path}/CdtrRefInf"
            inner = reading.children(structured["CdtrRefInf"], CREDITOR_REFERENCE, where)
            reference = reference_in(inner, "Ref", where) or reference_in(inner, "CdtrRef", where)
            found.extend([reference] if reference else [])
    return tuple(found)
