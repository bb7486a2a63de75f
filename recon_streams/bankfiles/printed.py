"""What a message prints, letter for letter: the page a person compares with the bank's own.

The reader drops zeros, turns instants to UTC and placeholders to nothing. That is right for books
and wrong for somebody who asks what stands in a file, so here texts stay texts.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from recon_streams.iso20022.safe_xml import Element, namespace_of

Printed = dict[str, object]

_SPACE: Final = " \t\r\n"
# More digits than ISO 20022 allows: banks print binary floats, and their sum is still exact.
_AMOUNT: Final = re.compile(r"\+?(?=\.?[0-9])[0-9]{0,18}(?:\.[0-9]{0,25})?")


_REFERENCES: Final = (
    "MsgId",
    "AcctSvcrRef",
    "PmtInfId",
    "InstrId",
    "EndToEndId",
    "UETR",
    "TxId",
    "MndtId",
    "ClrSysRef",
)


class Unprintable(Exception):
    """A figure of the message cannot be added up; the reader's refusal says why."""


def each(element: Element | None, name: str) -> Iterator[Element]:
    """Yield the children called `name` in the namespace of `element`."""
    if element is not None:
        namespace = namespace_of(element)
        tag = f"{{{namespace}}}{name}" if namespace else name
        yield from (child for child in element if child.tag == tag)


def at(element: Element | None, *names: str) -> Element | None:
    """Return the element reached by the first child of each name, or None."""
    for name in names:
        element = next(each(element, name), None)
    return element


def text_at(element: Element | None, *names: str) -> str | None:
    """Return the text there without white space around; None if there is none."""
    found = at(element, *names)
    if found is None:
        return None
    return (found.text or "").strip(_SPACE) or None


def first_text(element: Element | None, *paths: tuple[str, ...]) -> str | None:
    """Return the first text that one of `paths` leads to."""
    return next((t for path in paths if (t := text_at(element, *path)) is not None), None)


def decimal_at(element: Element | None) -> Decimal:
    """Return the amount printed in `element`, with the zeros printed there.

    Raises:
        Unprintable: If it is none.
    """
    return decimal_of((element.text or "").strip(_SPACE) if element is not None else "")


def decimal_of(text: str) -> Decimal:
    """Return the amount that `text` spells, with its zeros.

    Raises:
        Unprintable: If it spells none.
    """
    if not _AMOUNT.fullmatch(text):
        raise Unprintable(text)
    return Decimal(text)


def group_header(body: Element) -> Printed:
    """Return the header of the message."""
    header = at(body, "GrpHdr")
    return {
        "msg_id": text_at(header, "MsgId"),
        "created": text_at(header, "CreDtTm"),
        "page": text_at(header, "MsgPgntn", "PgNb"),
        "last_page": text_at(header, "MsgPgntn", "LastPgInd"),
        "addtl": text_at(header, "AddtlInf"),
    }


def report(element: Element) -> Printed:
    """Return what stands at the head of a report."""
    pages = ("StmtPgntn", "RptPgntn", "NtfctnPgntn")
    account = at(element, "Acct")
    period = at(element, "FrToDt")
    return {
        "id": text_at(element, "Id"),
        "electronic_seq": text_at(element, "ElctrncSeqNb"),
        "legal_seq": text_at(element, "LglSeqNb"),
        "created": text_at(element, "CreDtTm"),
        "page": first_text(element, *((name, "PgNb") for name in pages)),
        "last_page": first_text(element, *((name, "LastPgInd") for name in pages)),
        "copy_duplicate": text_at(element, "CpyDplctInd"),
        "period": None
        if period is None
        else [text_at(period, "FrDtTm"), text_at(period, "ToDtTm")],
        "account": {
            "iban": text_at(account, "Id", "IBAN"),
            "other": _other_account(account),
            "currency": text_at(account, "Ccy"),
        },
        "balances": [_balance(child) for child in each(element, "Bal")],
    }


def summary(element: Element) -> Printed | None:
    """Return the totals the bank itself gives in a report, if it does."""
    totals = at(element, "TxsSummry")
    if totals is None:
        return None
    return {
        "total_entries": text_at(totals, "TtlNtries", "NbOfNtries"),
        "total_sum": text_at(totals, "TtlNtries", "Sum"),
        "credit_entries": text_at(totals, "TtlCdtNtries", "NbOfNtries"),
        "credit_sum": text_at(totals, "TtlCdtNtries", "Sum"),
        "debit_entries": text_at(totals, "TtlDbtNtries", "NbOfNtries"),
        "debit_sum": text_at(totals, "TtlDbtNtries", "Sum"),
        "net": first_text(
            totals, ("TtlNtries", "TtlNetNtryAmt"), ("TtlNtries", "TtlNetNtry", "Amt")
        ),
    }


def entry(element: Element) -> Printed:
    """Return the entry in `element` without its transactions.

    Raises:
        Unprintable: For no amount or no direction, so that no sum leaves it out silently.
    """
    amount = at(element, "Amt")
    indicator = text_at(element, "CdtDbtInd")
    decimal_at(amount)
    if amount is None or indicator not in ("CRDT", "DBIT"):
        raise Unprintable("CdtDbtInd")
    return {
        "ntry_ref": text_at(element, "NtryRef"),
        "acct_svcr_ref": text_at(element, "AcctSvcrRef"),
        "amount": (amount.text or "").strip(_SPACE),
        "currency": amount.get("Ccy"),
        "indicator": indicator,
        "status": first_text(element, ("Sts", "Cd"), ("Sts", "Prtry"), ("Sts",)),
        "booking": _day(at(element, "BookgDt")),
        "value": _day(at(element, "ValDt")),
        "reversal": text_at(element, "RvslInd") in ("true", "1"),
    }


def batch(element: Element) -> Printed | None:
    """Return what the first batch of the entry in `element` says about itself."""
    found = at(element, "Btch")
    for details in each(element, "NtryDtls"):
        found = found if found is not None else at(details, "Btch")
    if found is None:
        return None
    return {"tx_count": text_at(found, "NbOfTxs"), "total": text_at(found, "TtlAmt")}


def transactions(element: Element) -> Iterator[Element]:
    """Yield the transactions of the entry in `element`."""
    yield from each(element, "TxDtls")
    for details in each(element, "NtryDtls"):
        yield from each(details, "TxDtls")


def amount_of(transaction: Element) -> Element | None:
    """Return the element with the amount of `transaction`, or None."""
    own = at(transaction, "Amt")
    return own if own is not None else at(transaction, "AmtDtls", "TxAmt", "Amt")


def transaction(element: Element) -> Printed:
    """Return what a transaction prints; what it does not is left out."""
    references = at(element, "Refs")
    amount = amount_of(element)
    found: dict[str, str | None] = {name: text_at(references, name) for name in _REFERENCES}
    if amount is not None:
        found["amount"] = (amount.text or "").strip(_SPACE)
        found["currency"] = amount.get("Ccy")
    found["indicator"] = text_at(element, "CdtDbtInd")
    remittance = at(element, "RmtInf", "Strd", "CdtrRefInf")
    found["creditor_ref"] = first_text(remittance, ("Ref",), ("CdtrRef",))
    shown: Printed = {name: text for name, text in found.items() if text is not None}
    returned = at(element, "RtrInf")
    if returned is not None:
        reasons = (("Rsn", "Cd"), ("Rsn", "Prtry"), ("RtrRsn", "Cd"), ("RtrRsn", "Prtry"))
        shown["return_reason"] = first_text(returned, *reasons)
    return shown


def _other_account(account: Element | None) -> str | None:
    return first_text(
        account,
        ("Id", "Othr", "Id"),
        ("Id", "PrtryAcct", "Id"),
        ("Id", "BBAN"),
        ("Id", "UPIC"),
        ("Prxy", "Id"),
    )


def _balance(element: Element) -> Printed:
    amount = at(element, "Amt")
    kind = at(element, "Tp")
    found: Printed = {
        "type": first_text(kind, ("CdOrPrtry", "Cd"), ("CdOrPrtry", "Prtry"), ("Cd",), ("Prtry",)),
        "amount": None if amount is None else (amount.text or "").strip(_SPACE),
        "currency": None if amount is None else amount.get("Ccy"),
        "indicator": text_at(element, "CdtDbtInd"),
        "date": _day(at(element, "Dt")),
    }
    sub_type = first_text(kind, ("SubTp", "Cd"), ("SubTp", "Prtry"))
    return found if sub_type is None else {**found, "subtype": sub_type}


def _day(element: Element | None) -> str | None:
    return first_text(element, ("Dt",), ("DtTm",), ())
