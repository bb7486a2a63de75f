"""What a bank's file becomes in the log: its topic, its key, and one record or many."""

import io
import zipfile
from pathlib import Path

import pytest

from recon_streams.bankfiles.delivery import delivered_as, delivered_in
from recon_streams.bankfiles.publishing import Outgoing, outgoing_of
from recon_streams.iso20022.reader import read
from recon_streams.kernel.refusal import RefusalCode, Refused

_BODIES = {"052": ("AcctRpt", "Rpt"), "053": ("Stmt", "Stmt"), "054": ("DbtCdtNtfctn", "Ntfctn")}
_ENTRY = (
    "<Ntry><Amt Ccy='EUR'>1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
    "<BookgDt><Dt>2026-03-02</Dt></BookgDt><AddtlNtryInf>{}</AddtlNtryInf></Ntry>"
)


def _message(kind: str, entries: int = 1, filling: str = "") -> bytes:
    body, report = _BODIES[kind]
    return (
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.08'><BkToCstmr{body}>"
        f"<GrpHdr><MsgId>M</MsgId></GrpHdr><{report}><Id>R</Id><Acct><Id><IBAN>"
        f"DE89370400440532013000</IBAN></Id></Acct>{_ENTRY.format(filling) * entries}</{report}>"
        f"</BkToCstmr{body}></Document>"
    ).encode()


def _outgoing(payload: bytes, name: str = "x") -> list[Outgoing]:
    return [out for each in delivered_as(name, payload) for out in outgoing_of(each)]


@pytest.mark.parametrize(
    ("kind", "topic"),
    [("052", "bank.reports"), ("053", "bank.statements"), ("054", "bank.notifications")],
)
def test_a_message_goes_to_the_topic_of_its_kind_under_its_account(kind: str, topic: str) -> None:
    payload = _message(kind)
    (outgoing,) = _outgoing(payload)
    assert outgoing == Outgoing(topic=topic, key="DE89370400440532013000", value=payload)


def test_members_of_a_zip_go_out_one_by_one() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for kind in ("052", "053", "054"):
            archive.writestr(f"{kind}.xml", _message(kind))
    assert [each.topic for each in _outgoing(buffer.getvalue())] == [
        "bank.reports",
        "bank.statements",
        "bank.notifications",
    ]


def test_a_file_of_many_entries_goes_out_in_pages() -> None:
    outgoing = _outgoing(_message("053", entries=12_000))
    assert [len(read(each.value).reports[0].entries) for each in outgoing] == [5_000, 5_000, 2_000]
    assert {each.key for each in outgoing} == {"DE89370400440532013000"}
    assert {each.topic for each in outgoing} == {"bank.statements"}


def test_a_file_of_many_bytes_goes_out_in_pages(tmp_path: Path) -> None:
    path = tmp_path / "large.xml"
    path.write_bytes(_message("054", entries=1_000, filling="x" * 9_000))
    outgoing = [out for each in delivered_in([path]) for out in outgoing_of(each)]
    assert [len(read(each.value).reports[0].entries) for each in outgoing] == [438, 438, 124]


def test_a_file_in_between_stays_as_it_is() -> None:
    payload = _message("053", entries=4_999)
    assert len(payload) > 700_000
    assert [each.value for each in _outgoing(payload + b" " * 400_000)] == [
        payload + b" " * 400_000
    ]


def test_what_is_broken_but_recognised_goes_out_so_that_quarantine_keeps_it() -> None:
    payload = _message("053")[:-30]
    (outgoing,) = _outgoing(payload)
    assert (outgoing.topic, outgoing.key, outgoing.value) == ("bank.statements", None, payload)


def test_a_large_file_that_is_broken_goes_out_whole_as_long_as_a_record_can_hold_it() -> None:
    payload = _message("052", entries=6_000)[:-30]
    (outgoing,) = _outgoing(payload)
    assert (outgoing.topic, outgoing.value) == ("bank.reports", payload)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", RefusalCode.EMPTY_VALUE),
        (b"hello", RefusalCode.NOT_WELL_FORMED),
        (b"<a/>", RefusalCode.UNKNOWN_MESSAGE),
        (b":20:A\n:25:1\n:60F:C260301EUR1,00\n:62F:C260301EUR1,00\n", RefusalCode.UNKNOWN_MESSAGE),
    ],
)
def test_what_is_no_camt_message_is_refused(payload: bytes, code: RefusalCode) -> None:
    with pytest.raises(Refused) as refused:
        _outgoing(payload)
    assert refused.value.code is code
    assert refused.value.rule
