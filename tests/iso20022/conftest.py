"""The public samples, and one small notification that tests bend."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CAMT = Path(__file__).parents[1] / "data" / "camt"
EXPECTED: dict[str, Any] = json.loads((CAMT / "expected.json").read_text(encoding="utf-8"))
READABLE = sorted(
    name for name, file in EXPECTED["files"].items() if file["expected"].get("statements")
)
UNREADABLE = sorted(set(EXPECTED["files"]) - set(READABLE))
# One day of the daily series and no file of hundreds of entries are enough to be written anew.
VARIED = [
    name
    for name in READABLE
    if EXPECTED["files"][name]["expected"]["bytes"] < 100_000
    and ("Subite" not in name or name.endswith("03-11.xml"))
]

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"

NOTIFICATION = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{NAMESPACE}">
  <BkToCstmrDbtCdtNtfctn>
    <GrpHdr>
      <MsgId>M-1</MsgId>
      <CreDtTm>2026-03-02T10:15:00+02:00</CreDtTm>
      <AddtlInf>SPS/2.1/PROD</AddtlInf>
    </GrpHdr>
    <Ntfctn>
      <Id>N-1</Id>
      <ElctrncSeqNb>17</ElctrncSeqNb>
      <CreDtTm>2026-03-02T10:15:00+02:00</CreDtTm>
      <Acct>
        <Id>
          <IBAN>CH9300762011623852957</IBAN>
        </Id>
        <Ccy>CHF</Ccy>
      </Acct>
      <Ntry>
        <NtryRef>1</NtryRef>
        <Amt Ccy="CHF">1234.50</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd>
        <RvslInd>false</RvslInd>
        <Sts>
          <Cd>BOOK</Cd>
        </Sts>
        <BookgDt>
          <Dt>2026-03-02</Dt>
        </BookgDt>
        <ValDt>
          <Dt>2026-03-03</Dt>
        </ValDt>
        <AcctSvcrRef>SVC-1</AcctSvcrRef>
        <BkTxCd>
          <Domn>
            <Cd>PMNT</Cd>
            <Fmly>
              <Cd>RCDT</Cd>
              <SubFmlyCd>ESCT</SubFmlyCd>
            </Fmly>
          </Domn>
        </BkTxCd>
        <NtryDtls>
          <TxDtls>
            <Refs>
              <MsgId>PAIN-1</MsgId>
              <InstrId>I-1</InstrId>
              <EndToEndId>E-1</EndToEndId>
              <UETR>eb6305c9-1f7f-49de-aed0-16487c27b42d</UETR>
              <TxId>T-1</TxId>
            </Refs>
            <Amt Ccy="CHF">1234.50</Amt>
            <CdtDbtInd>CRDT</CdtDbtInd>
            <RltdPties>
              <DbtrAcct>
                <Id>
                  <IBAN>DE89370400440532013000</IBAN>
                </Id>
              </DbtrAcct>
            </RltdPties>
            <RmtInf>
              <Ustrd>Invoice 77, Zürich</Ustrd>
            </RmtInf>
          </TxDtls>
        </NtryDtls>
      </Ntry>
    </Ntfctn>
  </BkToCstmrDbtCdtNtfctn>
</Document>
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that asks for a sample on each of them."""
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", READABLE)
    if "varied_sample" in metafunc.fixturenames:
        metafunc.parametrize("varied_sample", VARIED)
    if "unreadable_sample" in metafunc.fixturenames:
        metafunc.parametrize("unreadable_sample", UNREADABLE)


@pytest.fixture(scope="session")
def camt_expected() -> dict[str, Any]:
    """What the samples say, worked out apart from this reader."""
    return EXPECTED


@pytest.fixture
def payload_of() -> Callable[[str], bytes]:
    """Return the bytes of a sample by its name."""
    return lambda name: (CAMT / "public" / name).read_bytes()


@pytest.fixture
def notification() -> str:
    """A camt.054.001.08 with one booked credit of 1234.50 CHF."""
    return NOTIFICATION


@pytest.fixture
def bent() -> Callable[..., bytes]:
    """Return the notification with each `(old, new)` of the arguments replaced once."""

    def bend(*changes: tuple[str, str]) -> bytes:
        text = NOTIFICATION
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        return text.encode()

    return bend
