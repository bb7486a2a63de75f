"""Reader: camt.054 into values, against a bare lxml pass that extracts the same fields.

The bare pass trusts its input: it checks no form, refuses nothing, notes nothing, and knows one
version of one namespace. Both run in one process, rounds alternate, time is of this process alone,
and what they read is compared.
"""

import os
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from time import process_time
from typing import Any, TypeAlias

from lxml import etree

from benchmarks.stage import median, quiet
from recon_streams.iso20022.reader import read

MESSAGES = int(os.environ.get("BENCH_READER_MESSAGES", "2000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
_NS = "{urn:iso:std:iso:20022:tech:xsd:camt.054.001.08}"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True)

_ENTRY = """<Ntry><NtryRef>{n}</NtryRef><Amt Ccy="CHF">1234.5{d}</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<RvslInd>false</RvslInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-03-02</Dt></BookgDt>
<ValDt><Dt>2026-03-03</Dt></ValDt><AcctSvcrRef>SVC-{n}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd>
<Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs>
<MsgId>PAIN-{n}</MsgId><AcctSvcrRef>SVC-{n}</AcctSvcrRef><InstrId>I-{n}</InstrId>
<EndToEndId>E-{n}</EndToEndId><UETR>eb6305c9-1f7f-49de-aed0-16487c27b42d</UETR><TxId>T-{n}</TxId>
</Refs><Amt Ccy="CHF">1234.5{d}</Amt><CdtDbtInd>CRDT</CdtDbtInd><RltdPties><Dbtr><Pty>
<Nm>Example Trading Company</Nm><PstlAdr><Ctry>DE</Ctry></PstlAdr></Pty></Dbtr><DbtrAcct><Id>
<IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct></RltdPties><RltdAgts><DbtrAgt><FinInstnId>
<BICFI>COBADEFFXXX</BICFI></FinInstnId></DbtrAgt></RltdAgts><RmtInf><Ustrd>Invoice {n}</Ustrd>
</RmtInf></TxDtls></NtryDtls></Ntry>
"""
_MESSAGE = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn><GrpHdr>
<MsgId>M-{n}</MsgId><CreDtTm>2026-03-02T10:15:00+02:00</CreDtTm><MsgPgntn><PgNb>1</PgNb>
<LastPgInd>true</LastPgInd></MsgPgntn><AddtlInf>SPS/2.1/PROD</AddtlInf></GrpHdr><Ntfctn>
<Id>N-{n}</Id><ElctrncSeqNb>17</ElctrncSeqNb><CreDtTm>2026-03-02T10:15:00+02:00</CreDtTm><FrToDt>
<FrDtTm>2026-03-02T00:00:00+02:00</FrDtTm><ToDtTm>2026-03-02T23:59:59+02:00</ToDtTm></FrToDt>
<Acct><Id><IBAN>CH9300762011623852957</IBAN></Id><Ccy>CHF</Ccy><Svcr><FinInstnId>
<BICFI>POFICHBEXXX</BICFI></FinInstnId></Svcr></Acct>
{entries}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>
"""

# The bare pass takes whatever lxml gives it.
Node: TypeAlias = Any


def main() -> None:
    for entries in (1, 100):
        payloads = _payloads(entries)
        ours, bare = [], []
        for _ in range(ROUNDS):
            bare.append(_rate(_bare, payloads))
            ours.append(_rate(_ours, payloads))
        sums = [sum(work(payload) for payload in payloads) for work in (_bare, _ours)]
        assert sums[0] == sums[1], f"the passes disagree: {sums}"
        print(
            f"reader, camt.054 of {entries} entries, {len(payloads[0])} bytes: bare "
            f"{median(bare):,.0f}/s, values {median(ours):,.0f}/s, "
            f"values / bare = {median(ours) / median(bare):.2f}   (goal >= 0.8), {quiet()}"
        )


def _payloads(entries: int) -> list[bytes]:
    return [
        _MESSAGE.format(
            n=number,
            entries="".join(_ENTRY.format(n=n, d=n % 10) for n in range(number, number + entries)),
        ).encode()
        for number in range(max(MESSAGES // entries, 20))
    ]


def _rate(work: Callable[[bytes], Decimal], payloads: list[bytes]) -> float:
    began = process_time()
    for payload in payloads:
        work(payload)
    return len(payloads) / (process_time() - began)


def _ours(payload: bytes) -> Decimal:
    message = read(payload, validate=False)
    return sum((e.signed_amount for r in message.reports for e in r.entries), Decimal(0))


def _bare(payload: bytes) -> Decimal:
    """Extract what the reader extracts, and return the sum of the entries."""
    body = etree.fromstring(payload, _PARSER)[0]
    header: list[Any] = []
    reports = []
    for element in body:
        if element.tag == _HEADER:
            header.append(_group_header(element))
        elif element.tag == _REPORT:
            reports.append(_report(element))
    assert header
    return sum((entry[0] for report in reports for entry in report[-1]), Decimal(0))


(_HEADER, _REPORT, _MSG, _CREATED, _PAGE, _MORE, _ID, _SEQ, _PERIOD, _ACCOUNT, _ENTRY_TAG) = (
    _NS + name
    for name in (
        "GrpHdr",
        "Ntfctn",
        "MsgId",
        "CreDtTm",
        "MsgPgntn",
        "AddtlInf",
        "Id",
        "ElctrncSeqNb",
        "FrToDt",
        "Acct",
        "Ntry",
    )
)
(_REF, _AMT, _SIGN, _REVERSAL, _STATUS, _BOOKED, _VALUED, _SERVICER, _CODE, _DETAILS) = (
    _NS + name
    for name in (
        "NtryRef",
        "Amt",
        "CdtDbtInd",
        "RvslInd",
        "Sts",
        "BookgDt",
        "ValDt",
        "AcctSvcrRef",
        "BkTxCd",
        "NtryDtls",
    )
)
(_TX, _BATCH, _REFS, _PARTIES, _REMITTANCE, _DEBTOR, _USTRD, _CCY, _SVCR) = (
    _NS + name
    for name in (
        "TxDtls",
        "Btch",
        "Refs",
        "RltdPties",
        "RmtInf",
        "DbtrAcct",
        "Ustrd",
        "Ccy",
        "Svcr",
    )
)


def _group_header(element: Node) -> tuple[Any, ...]:
    found: dict[str, Any] = {}
    for child in element:
        tag = child.tag
        if tag == _CREATED:
            found[tag] = datetime.fromisoformat(child.text)
        elif tag == _PAGE:
            found[tag] = (int(child[0].text), child[1].text == "true")
        else:
            found[tag] = child.text
    return (found.get(_MSG), found.get(_CREATED), found.get(_PAGE), found.get(_MORE))


def _report(element: Node) -> tuple[Any, ...]:
    found: dict[str, Any] = {}
    entries = []
    for child in element:
        tag = child.tag
        if tag == _ENTRY_TAG:
            entries.append(_entry(child))
        elif tag == _CREATED:
            found[tag] = datetime.fromisoformat(child.text)
        elif tag == _PERIOD:
            found[tag] = [datetime.fromisoformat(each.text) for each in child]
        elif tag == _ACCOUNT:
            found[tag] = _account(child)
        else:
            found[tag] = child.text
    return (found.get(_ID), found.get(_SEQ), found.get(_PERIOD), found.get(_ACCOUNT), entries)


def _account(element: Node) -> tuple[Any, ...]:
    found: dict[str, Any] = {}
    for child in element:
        tag = child.tag
        if tag == _ID:
            found[tag] = child[0].text
        elif tag == _CCY:
            found[tag] = child.text
        elif tag == _SVCR:
            found[tag] = child[0][0].text
    return (found.get(_ID), found.get(_CCY), found.get(_SVCR))


def _entry(element: Node) -> tuple[Any, ...]:
    found: dict[str, Any] = {}
    details = []
    amount, currency = Decimal(0), ""
    for child in element:
        tag = child.tag
        if tag == _AMT:
            amount, currency = Decimal(child.text), child.get("Ccy")
        elif tag == _STATUS:
            found[tag] = child[0].text
        elif tag in (_BOOKED, _VALUED):
            found[tag] = date.fromisoformat(child[0].text)
        elif tag == _CODE:
            domain = child[0]
            family = domain[1]
            found[tag] = f"{domain[0].text}/{family[0].text}/{family[1].text}"
        elif tag == _DETAILS:
            details += [_detail(each) for each in child if each.tag == _TX]
        else:
            found[tag] = child.text
    amount = amount if found[_SIGN] == "CRDT" else -amount
    reversal = found.get(_REVERSAL) == "true"
    return (
        amount,
        currency,
        found.get(_STATUS),
        reversal,
        found.get(_BOOKED),
        found.get(_VALUED),
        found.get(_REF),
        found.get(_SERVICER),
        found.get(_CODE),
        details,
    )


def _detail(element: Node) -> tuple[Any, ...]:
    references: dict[str, str] = {}
    amount = currency = sign = account = None
    lines: list[str] = []
    for child in element:
        tag = child.tag
        if tag == _REFS:
            references = {each.tag: each.text for each in child}
        elif tag == _AMT:
            amount, currency = Decimal(child.text), child.get("Ccy")
        elif tag == _SIGN:
            sign = child.text
        elif tag == _PARTIES:
            account = next((p[0][0].text for p in child if p.tag == _DEBTOR), None)
        elif tag == _REMITTANCE:
            lines = [each.text for each in child if each.tag == _USTRD]
    return (references, amount, currency, sign, account, lines)


if __name__ == "__main__":
    main()
