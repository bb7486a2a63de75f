"""A bare lxml pass over a camt.054: what reading costs when nothing is checked.

It extracts every field that the values of the reader hold for a notification, with amounts as
`Decimal`, days as `date` and instants as `datetime`, into plain tuples in the order of those
values. It trusts its input: it knows one version of one namespace, takes the first child where
there should be one, strips and refuses nothing, notes nothing, and has no paths. Its loops ask
first for what an entry always has, as anybody would write them.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from lxml import etree

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"

# The bare pass takes whatever lxml gives it.
Node: TypeAlias = Any
Found: TypeAlias = dict[str, Any]
Row: TypeAlias = tuple[Any, ...]

_PARSER: Final = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True
)


def _tags(names: str) -> tuple[str, ...]:
    return tuple(f"{{{NAMESPACE}}}{name}" for name in names.split())


_HEADER, _REPORT, _MSG, _CREATED, _MSG_PAGE, _MORE = _tags(
    "GrpHdr Ntfctn MsgId CreDtTm MsgPgntn AddtlInf"
)
_ID, _SEQ, _LEGAL, _PAGE, _COPY, _PERIOD, _ACCOUNT, _ENTRY = _tags(
    "Id ElctrncSeqNb LglSeqNb NtfctnPgntn CpyDplctInd FrToDt Acct Ntry"
)
_IBAN, _CCY, _SVCR = _tags("IBAN Ccy Svcr")
_REF, _AMT, _SIGN, _REVERSAL, _STATUS, _BOOKED, _VALUED, _SERVICER, _CODE, _DETAILS = _tags(
    "NtryRef Amt CdtDbtInd RvslInd Sts BookgDt ValDt AcctSvcrRef BkTxCd NtryDtls"
)
_DT, _DOMAIN, _BATCH, _COUNT, _TOTAL, _PAYMENT, _CHARGES, _CHARGES_TOTAL, _RECORD, _INCLUDED = (
    _tags("Dt Domn Btch NbOfTxs TtlAmt PmtInfId Chrgs TtlChrgsAndTaxAmt Rcrd ChrgInclInd")
)
_TX, _REFS, _PARTIES, _REMITTANCE, _DEBTOR, _CREDITOR, _USTRD, _AMOUNTS, _TX_AMOUNT, _RETURN = (
    _tags("TxDtls Refs RltdPties RmtInf DbtrAcct CdtrAcct Ustrd AmtDtls TxAmt RtrInf")
)
_INSTRUCTION, _END_TO_END, _TX_ID, _UETR, _CLEARING, _MANDATE, _RSN, _REF_INFO, _OWN_REF = _tags(
    "InstrId EndToEndId TxId UETR ClrSysRef MndtId Rsn CdtrRefInf Ref"
)


def extract(payload: bytes, schema: etree.XMLSchema | None = None) -> tuple[Row, list[Row]]:
    """Return the fields of the header of `payload` and of each of its notifications."""
    root = etree.fromstring(payload, _PARSER)
    assert schema is None or schema.validate(root)
    body = root[0]
    header: Row = ()
    reports = []
    for element in body:
        if element.tag == _REPORT:
            reports.append(_report(element))
        elif element.tag == _HEADER:
            header = _group_header(element)
    return header, reports


def _group_header(element: Node) -> Row:
    found: Found = {}
    page = (None, None)
    for child in element:
        tag = child.tag
        if tag == _MSG_PAGE:
            page = _pagination(child)
        else:
            found[tag] = child.text
    created_at = datetime.fromisoformat(found[_CREATED])
    return (found[_MSG], created_at, *page, found.get(_MORE))


def _pagination(element: Node) -> Row:
    return int(element[0].text), element[1].text == "true"


def _report(element: Node) -> Row:
    found: Found = {}
    page: Row = (None, None)
    period: Row = (None, None)
    entries = []
    for child in element:
        tag = child.tag
        if tag == _ENTRY:
            entries.append(_entry(child))
        elif tag == _PERIOD:
            period = tuple(datetime.fromisoformat(each.text) for each in child)
        elif tag == _ACCOUNT:
            found[tag] = _account(child)
        elif tag == _PAGE:
            page = _pagination(child)
        else:
            found[tag] = child.text
    return (
        found[_ACCOUNT],
        found.get(_ID),
        int(found[_SEQ]) if _SEQ in found else None,
        int(found[_LEGAL]) if _LEGAL in found else None,
        datetime.fromisoformat(found[_CREATED]) if _CREATED in found else None,
        *period,
        *page,
        found.get(_COPY),
        entries,
    )


def _account(element: Node) -> Row:
    identification = ("", "")
    currency = bic = None
    for child in element:
        tag = child.tag
        if tag == _ID:
            identification = _identification(child)
        elif tag == _CCY:
            currency = child.text
        elif tag == _SVCR:
            bic = child[0][0].text
    return (*identification, currency, bic)


def _identification(element: Node) -> tuple[str, str]:
    first = element[0]
    return (first.text, "IBAN") if first.tag == _IBAN else (first[0].text, "OTHER")


# One loop with a branch a field is what a bare pass is.
def _entry(element: Node) -> Row:  # noqa: C901 - one branch a field
    found: Found = {}
    amount = currency = booked_on = booked_at = value_on = own_code = None
    code = ""
    batch: Row = (None, None, None, None)
    details: list[Row] = []
    charges: list[Node] = []
    for child in element:
        tag = child.tag
        if tag == _AMT:
            amount, currency = Decimal(child.text), child.get("Ccy")
        elif tag == _STATUS:
            found[tag] = child[0].text
        elif tag == _BOOKED:
            booked_on, booked_at = _moment(child[0])
        elif tag == _VALUED:
            value_on = _moment(child[0])[0]
        elif tag == _CODE:
            code, own_code = _bank_code(child)
        elif tag == _DETAILS:
            for each in child:
                if each.tag == _TX:
                    details.append(_detail(each, found[_SIGN]))
                elif each.tag == _BATCH:
                    batch = _batch(each)
        elif tag == _CHARGES:
            charges.append(child)
        else:
            found[tag] = child.text
    days = (booked_on, booked_at, value_on)
    texts = (found.get(_REF), found.get(_SERVICER), code, own_code)
    head = (amount, currency, found[_SIGN], found[_STATUS], found.get(_REVERSAL) == "true")
    return (*head, *days, *texts, *batch, *_charges(charges), details)


def _moment(element: Node) -> tuple[date, datetime | None]:
    if element.tag == _DT:
        return date.fromisoformat(element.text), None
    at = datetime.fromisoformat(element.text)
    return at.date(), at


def _bank_code(element: Node) -> tuple[str, str | None]:
    code, own = "", None
    for child in element:
        if child.tag == _DOMAIN:
            domain, family = child
            main, sub = family
            code = f"{domain.text}/{main.text}/{sub.text}"
        else:
            own = child[0].text
    return code, own


def _batch(element: Node) -> Row:
    found = {child.tag: child.text for child in element}
    count, total = found.get(_COUNT), found.get(_TOTAL)
    return (
        int(count) if count else None,
        Decimal(total) if total else None,
        found.get(_MSG),
        found.get(_PAYMENT),
    )


def _charges(elements: list[Node]) -> tuple[list[Row], Decimal | None]:
    charges = []
    total = None
    for element in elements:
        for child in element:
            if child.tag == _CHARGES_TOTAL:
                total = Decimal(child.text)
            elif child.tag == _RECORD:
                found = {each.tag: each for each in child}
                sign, included = found.get(_SIGN), found.get(_INCLUDED)
                charge = (
                    Decimal(found[_AMT].text),
                    found[_AMT].get("Ccy"),
                    None if sign is None else sign.text,
                    None if included is None else included.text == "true",
                )
                charges.append(charge)
    return charges, total


def _detail(element: Node, entry_sign: str) -> Row:  # noqa: C901, PLR0912, PLR0915 - as above
    found: dict[str, str] = {}
    amount = currency = sign = parties = reason = None
    lines: list[str] = []
    references: list[str] = []
    charges: list[Node] = []
    for child in element:
        tag = child.tag
        if tag == _REFS:
            found = {each.tag: each.text for each in child}
        elif tag == _AMT:
            amount, currency = Decimal(child.text), child.get("Ccy")
        elif tag == _SIGN:
            sign = child.text
        elif tag == _PARTIES:
            parties = child
        elif tag == _REMITTANCE:
            for each in child:
                if each.tag == _USTRD:
                    lines.append(each.text)
                else:
                    references += [i[-1].text for i in each if i.tag == _REF_INFO]
        elif tag == _AMOUNTS and amount is None:
            of_transaction = next(each[0] for each in child if each.tag == _TX_AMOUNT)
            amount, currency = Decimal(of_transaction.text), of_transaction.get("Ccy")
        elif tag == _RETURN:
            reason = next(each[0].text for each in child if each.tag == _RSN)
        elif tag == _CHARGES:
            charges.append(child)
    get = found.get
    named = (
        get(_MSG), get(_SERVICER), get(_PAYMENT), get(_INSTRUCTION), get(_END_TO_END),
        get(_TX_ID), get(_UETR), None, get(_CLEARING), get(_MANDATE),
    )  # fmt: skip
    account = None
    if parties is not None:
        wanted = _DEBTOR if (sign or entry_sign) == "CRDT" else _CREDITOR
        account = next(
            (_identification(each[0])[0] for each in parties if each.tag == wanted), None
        )
    texts = (account, reason, lines, references)
    return (amount, currency, sign, *named, *texts, *_charges(charges))
