"""Files that are broken, oversized or meant to hurt: each is refused with its field and rule."""

import io
import os
import random
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_streams.bankfiles import delivery
from recon_streams.bankfiles.delivery import delivered_as, delivered_in
from recon_streams.bankfiles.inspection import inspect_bytes, inspect_delivered

STATEMENT = (
    "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt><GrpHdr>"
    "<MsgId>M</MsgId></GrpHdr><Stmt><Id>S</Id><Acct><Id><Othr><Id>1</Id></Othr></Id>"
    "<Ccy>EUR</Ccy></Acct><Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp>"
    "<Amt Ccy='EUR'>10.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-01</Dt></Dt></Bal>"
    "<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>11.00</Amt>"
    "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>"
    "<Ntry><Amt Ccy='EUR'>1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
    "<AcctSvcrRef>R1</AcctSvcrRef></Ntry></Stmt></BkToCstmrStmt></Document>"
)


_END = "</AcctSvcrRef>"
_PAGE_TWO = "<Id>S</Id><StmtPgntn><PgNb>2</PgNb><LastPgInd>true</LastPgInd></StmtPgntn>"
_SEVEN = "<TxsSummry><TtlNtries><NbOfNtries>7</NbOfNtries></TtlNtries></TxsSummry><Ntry>"


def _details(inside: str) -> str:
    return f"{_END}<NtryDtls>{inside}</NtryDtls>"


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, payload in members.items():
            archive.writestr(name, payload)
    return buffer.getvalue()


def _shown(payload: bytes, name: str = "x.zip") -> list[dict[str, Any]]:
    return [inspect_delivered(each).shown for each in delivered_as(name, payload)]


def _codes(payload: bytes) -> list[str]:
    return [each.get("refused", {}).get("code", "read") for each in _shown(payload)]


def _findings(old: str, new: str) -> set[str]:
    assert old in STATEMENT
    found: Any = inspect_bytes(STATEMENT.replace(old, new).encode())
    return {finding["code"] for finding in found["findings"]}


def test_each_member_of_a_zip_is_a_file_of_its_own() -> None:
    shown = _shown(_zip({"a.xml": STATEMENT.encode(), "sub/b.xml": STATEMENT.encode()}))
    assert [each["file"] for each in shown] == ["x.zip!a.xml", "x.zip!sub/b.xml"]
    assert all("refused" not in each for each in shown)


def test_a_broken_member_does_not_hide_its_neighbours() -> None:
    members = {"a.xml": STATEMENT.encode(), "b.xml": b"<broken", "c.xml": STATEMENT.encode()}
    assert _codes(_zip(members)) == ["read", "NOT_WELL_FORMED", "read"]


def test_a_bomb_is_refused_by_its_ratio_before_it_is_unpacked() -> None:
    (shown,) = _shown(_zip({"bomb.xml": b" " * 50_000_000}))
    assert shown["refused"]["code"] == "TOO_LARGE"
    assert "times its size" in shown["refused"]["rule"]


def test_a_zip_in_a_zip_is_not_opened() -> None:
    assert _codes(_zip({"inner.zip": _zip({"a.xml": STATEMENT.encode()})})) == ["TOO_DEEP"]


def test_a_large_zip_in_a_zip_is_not_opened_either() -> None:
    inner = _zip({"a.xml": random.Random(1).randbytes(delivery.WHOLE_BYTES_MAX)})
    assert _codes(_zip({"inner.zip": inner})) == ["TOO_DEEP"]


def test_too_many_members_are_refused_as_one() -> None:
    members = {f"{number}.xml": b"" for number in range(delivery.MEMBERS_MAX + 1)}
    assert _codes(_zip(members, zipfile.ZIP_STORED)) == ["TOO_LARGE"]


def test_an_encrypted_member_is_refused() -> None:
    payload = bytearray(_zip({"a.xml": STATEMENT.encode()}))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = payload.index(signature) + place
        struct.pack_into("<H", payload, at, 1)
    (shown,) = _shown(bytes(payload))
    assert shown["refused"]["code"] == "UNREADABLE_FILE"
    assert "encrypted" in shown["refused"]["rule"]


def test_a_member_whose_bytes_were_changed_is_refused() -> None:
    payload = _zip({"a.xml": STATEMENT.encode()}, zipfile.ZIP_STORED)
    assert _codes(payload.replace(b"10.00", b"90.00")) == ["UNREADABLE_FILE"]


def test_a_name_in_a_zip_is_a_label_and_no_path(tmp_path: Path) -> None:
    shown = _shown(_zip({"../../etc/\x1b[31mx.xml": STATEMENT.encode()}))
    assert shown[0]["file"] == "x.zip!../../etc/?[31mx.xml"
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_zip_is_refused() -> None:
    payload = _zip({"a.xml": STATEMENT.encode()})
    assert _codes(payload[: len(payload) // 2]) == ["UNREADABLE_FILE"]


def test_documents_one_after_another_are_files_of_their_own() -> None:
    declared = f"<?xml version='1.0' encoding='utf-8'?>\n{STATEMENT}\n"
    for payload in ((declared * 3), STATEMENT * 3, f"\ufeff{declared}" * 3):
        shown = _shown(payload.encode(), "x.xml")
        assert [each["file"] for each in shown] == ["x.xml#1", "x.xml#2", "x.xml#3"]
        assert all("refused" not in each for each in shown)


def test_a_document_in_a_comment_is_no_second_document() -> None:
    payload = f"{STATEMENT}<!-- <?xml version='1.0'?>{STATEMENT} -->"
    assert len(_shown(payload.encode(), "x.xml")) == 1


def test_text_after_a_document_makes_the_whole_file_unreadable() -> None:
    assert _codes(f"{STATEMENT}\nend of file".encode()) == ["NOT_WELL_FORMED"]


def test_a_folder_inside_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b.xml").write_text(STATEMENT)
    found = list(delivered_in([tmp_path]))
    assert [each.refusal.code.value if each.refusal else "read" for each in found] == [
        "TOO_DEEP",
        "read",
    ]


def test_a_pipe_and_an_absent_file_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    found = list(delivered_in([tmp_path / "pipe", tmp_path / "absent"]))
    assert [each.refusal.code.value for each in found if each.refusal] == [
        "UNKNOWN_MESSAGE",
        "UNREADABLE_FILE",
    ]


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("<MsgId>M", "<MsgId>A & B", "NOT_WELL_FORMED", ""),
        ("10.00", "100.0000000000005", "AMOUNT_TOO_PRECISE", "Stmt[1]/Bal[1]/Amt"),
        (">1.00", ">-1.00", "NEGATIVE_AMOUNT", "Stmt[1]/Ntry[1]/Amt"),
        ("<Sts><Cd>BOOK", "<Sts><Cd>MAYBE", "INVALID_STATUS", "Stmt[1]/Ntry[1]/Sts"),
        ("1.00</Amt>", "1<!-- -->.00</Amt>", "MARKUP_IN_VALUE", "Stmt[1]/Bal[2]/Amt"),
    ],
)
def test_what_leaves_money_in_doubt_is_refused(old: str, new: str, code: str, field: str) -> None:
    found: Any = inspect_bytes(STATEMENT.replace(old, new).encode())
    assert (found["refused"]["code"], found["refused"]["field"]) == (code, field)
    assert found["refused"]["rule"]
    assert "findings" not in found


def test_no_figure_is_given_of_what_can_be_read_in_two_ways() -> None:
    assert "statements" not in inspect_bytes(STATEMENT.replace("1.00<", "-1.00<").encode())
    assert "statements" not in inspect_bytes(STATEMENT.replace("1.00<", "1<!-- -->.00<").encode())


def test_the_wrong_encoding_is_refused_and_not_guessed() -> None:
    payload = STATEMENT.replace("<MsgId>M", "<MsgId>Zürich").encode("latin-1")
    found: Any = inspect_bytes(payload)
    assert found["refused"]["code"] == "NOT_WELL_FORMED"


def test_an_empty_file_is_refused() -> None:
    assert _codes(b"") == ["EMPTY_VALUE"]


def test_gzip_is_not_unpacked() -> None:
    assert _codes(b"\x1f\x8b" + zlib.compress(STATEMENT.encode())) == ["UNKNOWN_MESSAGE"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("11.00", "12.50", "STATEMENT_UNBALANCED"),
        ("2026-03-02", "2026-02-27", "CLOSING_BEFORE_OPENING"),
        ("<Id>S</Id>", _PAGE_TWO, "PAGE_MISSING"),
        ("<Acct>", "<CpyDplctInd>DUPL</CpyDplctInd><Acct>", "COPY_OR_DUPLICATE"),
        ("<MsgId>M</MsgId>", "<MsgId>M</MsgId><AddtlInf>SPS/2.1/TEST</AddtlInf>", "TEST_MESSAGE"),
        ("<Cd>CLBD", "<Cd>CLOS", "BALANCE_TYPE_UNUSUAL"),
        ("<Cd>CLBD", "<Cd>CLAV", "BALANCE_MISSING"),
        (_END, _details("<Btch><NbOfTxs>2</NbOfTxs></Btch><TxDtls/>"), "BATCH_COUNT_DIFFERS"),
        (_END, _details("<Btch><TtlAmt Ccy='EUR'>3</TtlAmt></Btch>"), "BATCH_TOTAL_DIFFERS"),
        (_END, _details("<TxDtls><Amt Ccy='EUR'>0.99</Amt></TxDtls>"), "DETAILS_DIFFER"),
        (_END, _details("<TxDtls/>" * 500), "TRUNCATION_SUSPECTED"),
        ("<Ntry>", _SEVEN, "SUMMARY_DIFFERS"),
        ("<Amt Ccy='EUR'>1.00", "<Amt Ccy='USD'>1.00", "CURRENCIES_DIFFER"),
    ],
)
def test_what_is_odd_is_a_finding(old: str, new: str, code: str) -> None:
    assert code in _findings(old, new)
    assert code not in _findings("<MsgId>M", "<MsgId>M")


def test_the_difference_is_exact_and_says_what_the_bank_has_beyond_its_entries() -> None:
    found: Any = inspect_bytes(STATEMENT.replace("11.00", "12.50").encode())
    (text,) = [f["text"] for f in found["findings"] if f["code"] == "STATEMENT_UNBALANCED"]
    assert text == "OPBD 10 + booked 1 is 11 EUR, not CLBD 12.5: difference 1.5"
    assert found["statements"][0]["equation"]["difference"] == "1.5"
    assert found["statements"][0]["balance_difference"] == "1.50"


def test_a_large_file_has_the_figures_of_a_small_one(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(STATEMENT)
    small: Any = inspect_delivered(next(delivered_in([path]))).shown
    path.write_text(STATEMENT.replace("<Ntry>", " " * delivery.WHOLE_BYTES_MAX + "<Ntry>"))
    large: Any = inspect_delivered(next(delivered_in([path]))).shown
    unvalidated = {"xsd_valid", "xsd_errors", "xsd_first_error"}
    for shown in (small, large):
        del shown["bytes"], shown["sha256"]
    assert {n: small[n] for n in small.keys() - unvalidated - {"findings"}} == {
        n: large[n] for n in large.keys() - {"findings"}
    }
    assert [f["code"] for f in large["findings"]] == ["VALIDITY_UNCHECKED"]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(payload: bytes) -> None:
    for each in delivered_as("x", payload):
        shown = inspect_delivered(each).shown
        assert ("refused" in shown) != ("findings" in shown)


@pytest.mark.parametrize("seed", range(60))
def test_no_damaged_delivery_makes_it_fail(seed: int) -> None:
    dice = random.Random(seed)
    mt = ":20:A\n:25:1\n:28C:1/1\n:60F:C260301EUR1,00\n:61:260302C1,00NTRFX\n:62F:C260302EUR2,00\n"
    sources = (STATEMENT.encode(), _zip({"a.xml": STATEMENT.encode()}), mt.encode())
    payload = bytearray(dice.choice(sources))
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(payload))
        payload[at : at + dice.randint(0, 9)] = dice.randbytes(dice.randint(0, 9))
    for each in delivered_as("x", bytes(payload)):
        shown = inspect_delivered(each).shown
        assert ("refused" in shown) != ("findings" in shown)
