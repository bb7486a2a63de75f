"""Reader: camt.054 into values, against a bare lxml pass that extracts the same fields.

What both extract from every message is compared field by field before anything is timed. Both run
in one process, rounds alternate, and time is of this process alone. Amounts and references differ
from entry to entry, as they do at a bank. With the schema the bare pass validates as well.
"""

import os
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from time import process_time

import msgspec
from lxml import etree

from benchmarks import bare_lxml
from benchmarks.stage import median, quiet
from recon_streams.iso20022.reader import read
from recon_streams.iso20022.values import Message
from recon_streams.runtime.tuning import tune_collector

MESSAGES = int(os.environ.get("BENCH_READER_MESSAGES", "2000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
PIECE_BYTES = 400_000

_ENTRY = """<Ntry><NtryRef>{n}</NtryRef><Amt Ccy="CHF">{a}</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<RvslInd>false</RvslInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-03-02</Dt></BookgDt>
<ValDt><Dt>2026-03-03</Dt></ValDt><AcctSvcrRef>SVC-{n}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd>
<Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs>
<MsgId>PAIN-{n}</MsgId><AcctSvcrRef>SVC-{n}</AcctSvcrRef><InstrId>I-{n}</InstrId>
<EndToEndId>E-{n}</EndToEndId><UETR>eb6305c9-1f7f-49de-aed0-16487c27b42d</UETR><TxId>T-{n}</TxId>
</Refs><Amt Ccy="CHF">{a}</Amt><CdtDbtInd>CRDT</CdtDbtInd><RltdPties><Dbtr><Pty>
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


def main() -> None:
    source = files("recon_streams.iso20022") / "schemas" / "camt.054.001.08.xsd"
    schema = etree.XMLSchema(etree.fromstring(source.read_bytes()))
    tune_collector()
    for entries in (1, 100):
        payloads = _payloads(entries)
        for payload in payloads:
            assert _fields_of(read(payload, validate=False)) == bare_lxml.extract(payload)
        ratio = _compared(payloads, bare_lxml.extract, partial(read, validate=False))
        print(f"reader, camt.054 of {entries} entries, {len(payloads[0])} bytes: {ratio}", end="")
        print(f"   (goal >= 0.8), {quiet()}")
        ratio = _compared(payloads, partial(bare_lxml.extract, schema=schema), read)
        print(f"  the same with the official schema: {ratio}, {quiet()}")


def _payloads(entries: int) -> list[bytes]:
    return [
        _MESSAGE.format(
            n=number,
            entries="".join(
                _ENTRY.format(n=n, a=f"{n * 7919 % 100_000}.{n % 100:02}")
                for n in range(number * entries, (number + 1) * entries)
            ),
        ).encode()
        for number in range(max(MESSAGES // entries, 20))
    ]


def _compared(
    payloads: list[bytes], bare: Callable[[bytes], object], ours: Callable[[bytes], object]
) -> str:
    # Processors change their speed within a second, so both sides take turns in small pieces.
    bare_rates, our_rates = [], []
    for _ in range(ROUNDS):
        for piece in _pieces(payloads):
            bare_rates.append(_rate(bare, piece))
            our_rates.append(_rate(ours, piece))
    ratio = median([our / their for our, their in zip(our_rates, bare_rates, strict=True)])
    return (
        f"bare {median(bare_rates):,.0f}/s, values {median(our_rates):,.0f}/s, "
        f"values / bare = {ratio:.2f}"
    )


def _pieces(payloads: list[bytes]) -> list[list[bytes]]:
    size = max(PIECE_BYTES // len(payloads[0]), 1)
    return [payloads[start : start + size] for start in range(0, len(payloads), size)]


def _rate(work: Callable[[bytes], object], payloads: list[bytes]) -> float:
    began = process_time()
    for payload in payloads:
        work(payload)
    return len(payloads) / (process_time() - began)


def _fields_of(message: Message) -> object:
    """Return what `bare_lxml.extract` returns: values as tuples, without paths."""
    header = msgspec.structs.astuple(message.group_header)
    return header, [_row(report) for report in message.reports]


def _row(value: object) -> object:
    if isinstance(value, tuple):
        return [_row(each) for each in value]
    if not isinstance(value, msgspec.Struct):
        return value
    names = [name for name in value.__struct_fields__ if name not in ("path", "balances")]
    return tuple(_row(getattr(value, name)) for name in names)


if __name__ == "__main__":
    main()
