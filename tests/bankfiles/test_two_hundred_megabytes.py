"""A file of 200 MB goes out in records of a bounded size, with every entry, in little memory."""

import resource
from decimal import Decimal
from pathlib import Path

import pytest

from recon_streams.bankfiles.delivery import delivered_in
from recon_streams.bankfiles.publishing import outgoing_of
from recon_streams.bankfiles.splitting import PAGE_BYTES_MAX
from recon_streams.iso20022.reader import read

BYTES_MIN = 200_000_000
_FILLING = "x" * 20_000
_ENTRY = (
    "<Ntry><Amt Ccy='EUR'>1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
    f"<BookgDt><Dt>2026-03-02</Dt></BookgDt><AddtlNtryInf>{_FILLING}</AddtlNtryInf></Ntry>"
)
_ENTRIES = BYTES_MIN // len(_ENTRY) + 1


def _balance(code: str, amount: int) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>"
    )


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.xml"
    with path.open("w") as file:
        file.write(
            "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt>"
            "<GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>R</Id><Acct><Id><IBAN>"
            "DE89370400440532013000</IBAN></Id></Acct>"
            f"{_balance('OPBD', 0)}{_balance('CLBD', _ENTRIES)}"
        )
        for _ in range(_ENTRIES):
            file.write(_ENTRY)
        file.write("</Stmt></BkToCstmrStmt></Document>")
    assert path.stat().st_size >= BYTES_MIN
    return path


def test_a_file_of_two_hundred_megabytes_goes_out_in_pages_of_a_bounded_size(large: Path) -> None:
    kilobytes_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pages = entries = 0
    total = Decimal(0)
    for each in delivered_in([large]):
        for outgoing in outgoing_of(each):
            assert len(outgoing.value) <= PAGE_BYTES_MAX + 100_000
            message = read(outgoing.value)
            assert message.page is not None
            assert message.page.balanced is True
            pages += 1
            entries += len(message.reports[0].entries)
            total += sum(entry.amount for entry in message.reports[0].entries)
    assert (entries, total) == (_ENTRIES, _ENTRIES)
    assert pages >= 50
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - kilobytes_before
    assert grown * 1024 < BYTES_MIN / 2
