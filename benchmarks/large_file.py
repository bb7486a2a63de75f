"""Large file: planning the pages of a camt.053, against a bare lxml pull pass over the same file.

The plan reads every field of every entry, because a file with one entry that cannot be read is not
cut, adds the booked ones up, and finds the bytes of each entry. The bare pass adds up the amounts
and knows neither bytes nor faults. Both run in this process and in pieces of 256 kB; the times are
of this process alone.
"""

import os
import resource
import tempfile
from decimal import Decimal
from pathlib import Path
from time import process_time
from typing import Any

from lxml import etree

from benchmarks.stage import quiet
from recon_streams.bankfiles.splitting import pages_of, plan_of

ENTRIES = int(os.environ.get("BENCH_LARGE_ENTRIES", "100000"))
_NS = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_TAG = f"{{{_NS}}}"
_CHUNK = 1 << 18

_ENTRY = """<Ntry><NtryRef>{n}</NtryRef><Amt Ccy="EUR">{a}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>
<Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-03-02</Dt></BookgDt><ValDt><Dt>2026-03-02</Dt></ValDt>
<AcctSvcrRef>SVC-{n}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>E-{n}</EndToEndId></Refs>
<Amt Ccy="EUR">{a}</Amt><RmtInf><Ustrd>Invoice {n}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
"""
_BALANCE = (
    "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
    "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>"
)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "statement.xml"
        total = _write(path)
        size = path.stat().st_size
        began = process_time()
        assert _bare(path) == (ENTRIES, total)
        bare = process_time() - began
        began = process_time()
        plan = plan_of(lambda: path.open("rb"))
        planned = process_time() - began
        (statement,) = plan.statements
        assert (statement.extent.count, statement.balanced) == (ENTRIES, True)
        began = process_time()
        pages = sum(1 for _ in pages_of(lambda: path.open("rb"), plan))
        cut = process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"large file, camt.053 of {ENTRIES} entries, {size / 1e6:.0f} MB: bare pull pass "
        f"{bare:.1f} s, plan {planned:.1f} s (bare / plan = {bare / planned:.2f}), {pages} pages "
        f"cut in {cut:.2f} s, at most {peak} MiB, {quiet()}"
    )


def _write(path: Path) -> Decimal:
    """Write a statement that balances to `path`, and return what its entries add up to."""
    amounts = [Decimal(100 + n * 7919 % 100_000).scaleb(-2) for n in range(ENTRIES)]
    total = sum(amounts, Decimal(0))
    with path.open("w") as file:
        file.write(
            f"<?xml version='1.0' encoding='UTF-8'?>\n<Document xmlns='{_NS}'><BkToCstmrStmt>"
            "<GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>S</Id><Acct><Id>"
            "<IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>"
            f"{_BALANCE.format(code='OPBD', amount='10.00')}"
            f"{_BALANCE.format(code='CLBD', amount=total + 10)}\n"
        )
        for n, amount in enumerate(amounts):
            file.write(_ENTRY.format(n=n, a=amount))
        file.write("</Stmt></BkToCstmrStmt></Document>\n")
    return total


def _bare(path: Path) -> tuple[int, Decimal]:
    """Return number and sum of the entries."""
    parser = etree.XMLPullParser(
        events=("end",), tag=f"{_TAG}Ntry", resolve_entities=False, remove_blank_text=True
    )
    count, total = 0, Decimal(0)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            parser.feed(chunk)
            element: Any
            for _, element in parser.read_events():
                amount, sign, status = Decimal(0), "", ""
                for child in element:
                    if child.tag == f"{_TAG}Amt":
                        amount = Decimal(child.text or "")
                    elif child.tag == f"{_TAG}CdtDbtInd":
                        sign = child.text or ""
                    elif child.tag == f"{_TAG}Sts":
                        status = child[0].text or ""
                if status == "BOOK":
                    total += amount if sign == "CRDT" else -amount
                count += 1
                element.clear(keep_tail=True)
    return count, total


if __name__ == "__main__":
    main()
