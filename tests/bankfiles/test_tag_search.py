"""Searching for tags finds what a parser finds, or says that it cannot be sure."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.bankfiles.offsets import Extent, Offsets
from recon_streams.bankfiles.splitting import plan_of
from recon_streams.bankfiles.tag_search import TagSearch
from recon_streams.kernel.refusal import Refused

ENTRY = "<Ntry><Amt Ccy='EUR'>1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts></Ntry>"
PIECES = [
    *(ENTRY, ENTRY, ENTRY, "\n", "a>b"),
    ENTRY.replace("<Ntry>", "<Ntry >"),
    ENTRY.replace("</Ntry>", "</Ntry\n>"),
    ENTRY.replace("</Sts>", "</Sts><SplmtryData><Ntry>x</Ntry></SplmtryData>"),
    ENTRY.replace("</Sts>", "</Sts><SplmtryData><Ntry >x</Ntry ></SplmtryData>"),
    *("<!-- <Ntry> -->", "<?x <Ntry>?>", "<![CDATA[<Ntry>]]>"),
    *("<SplmtryData><Ntry>x</Ntry></SplmtryData>", "<SplmtryData><Stmt>x</Stmt></SplmtryData>"),
    *("<AddtlStmtInf>&lt;Ntry></AddtlStmtInf>", "<x:Ntry xmlns:x='urn:x'/>"),
]


def _pieces(payload: bytes, size: int) -> Iterator[bytes]:
    file = io.BytesIO(payload)
    while chunk := file.read(size):
        yield chunk


def _shown(extent: Extent) -> tuple[object, ...]:
    last_entry = extent.last_entry if extent.count else None
    return extent.start, extent.cuts, extent.counts, extent.count, last_entry, extent.end


def _parsed(payload: bytes, entries_max: int = 2) -> tuple[int, list[tuple[object, ...]]]:
    offsets = Offsets(entries_max=entries_max, bytes_max=10_000)
    offsets.feed(payload)
    return offsets.root, [_shown(extent) for extent in offsets.extents]


def _search(payload: bytes, size: int, entries_max: int = 2) -> TagSearch:
    search = TagSearch("Stmt", entries_max=entries_max, bytes_max=10_000)
    for chunk in _pieces(payload, size):
        search.feed(chunk)
    return search


def _file(*statements: str, head: str = "<?xml version='1.0'?>\n") -> bytes:
    space = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
    inner = "".join(f"<Stmt><Id>1</Id>{each}</Stmt>" for each in statements)
    body = f"<BkToCstmrStmt><GrpHdr/>{inner}</BkToCstmrStmt>"
    return f"{head}<Document xmlns='{space}'>{body}</Document>".encode()


@pytest.mark.parametrize("size", [1, 5, 64, 100_000])
def test_a_usual_file_is_searched_to_its_end(size: int) -> None:
    payload = _file(ENTRY * 5 + "<AddtlStmtInf>x</AddtlStmtInf>", "", f"{ENTRY} {ENTRY}")
    search = _search(payload, size)
    assert search.finds([5, 0, 2])
    assert (search.root, [_shown(extent) for extent in search.extents]) == _parsed(payload)


@pytest.mark.parametrize(
    "head",
    [
        "<?xml version='1.0' encoding='UTF-16'?>",
        "<?xml version='1.0' encoding='UTF-7'?>",
        "<?xml version='1.0' encoding='cp037'?>",
        "<?xml version='1.0'?><!-- note -->",
        "<?xml version='1.0'?><?note?>",
        " " * 2_000,
    ],
)
def test_it_is_not_sure_of_other_encodings_and_markup(head: str) -> None:
    assert not _search(_file(ENTRY, head=head), 64).finds([1])


def test_it_is_not_sure_of_what_stands_between_entries() -> None:
    assert not _search(_file(f"{ENTRY}<Bal/>{ENTRY}"), 64).finds([2])


@given(
    statements=st.lists(st.lists(st.sampled_from(PIECES), max_size=6), min_size=1, max_size=3),
    size=st.sampled_from([7, 100_000]),
)
def test_a_plan_is_the_same_however_the_places_were_found(
    statements: list[list[str]], size: int
) -> None:
    payload = _file(*("".join(each) for each in statements))
    try:
        plan = plan_of(lambda: io.BytesIO(payload), entries_max=2, bytes_max=10_000)
    except Refused:
        return
    assert [_shown(each.extent) for each in plan.statements] == _parsed(payload)[1]
    search = _search(payload, size)
    if all(piece in (ENTRY, "\n", "a>b") for each in statements for piece in each):
        assert search.finds([each.extent.count for each in plan.statements])


def test_a_plan_of_a_sample_is_the_parsers(camt_sample: str, samples: Path) -> None:
    payload = (samples / camt_sample).read_bytes()
    try:
        plan = plan_of(lambda: io.BytesIO(payload), entries_max=2, bytes_max=10_000)
    except Refused:
        return
    shown = [_shown(each.extent) for each in plan.statements]
    assert (plan.root, shown) == _parsed(payload)
