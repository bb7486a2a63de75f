"""A large statement becomes pages of its own bytes, and the pages are the statement."""

import hashlib
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import pytest

from recon_streams.bankfiles.splitting import Plan, pages_of, plan_of
from recon_streams.iso20022.reader import read
from recon_streams.iso20022.values import Entry, FilePage, Message
from recon_streams.kernel.refusal import RefusalCode, Refused

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def _balance(code: str, amount: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>"
    )


def _entry(number: int) -> str:
    return (
        f"<Ntry><NtryRef>{number}</NtryRef><Amt Ccy='EUR'>1.01</Amt><CdtDbtInd>CRDT</CdtDbtInd>"
        f"<Sts><Cd>BOOK</Cd></Sts><AcctSvcrRef>é&gt;{number}</AcctSvcrRef></Ntry>\n"
    )


def _statement(number: int, count: int, closing: str) -> str:
    entries = "".join(_entry(each) for each in range(1, count + 1))
    return (
        f"<Stmt><Id>S{number}</Id><Acct><Id><Othr><Id>ACC-{number}</Id></Othr></Id>"
        f"<Ccy>EUR</Ccy></Acct>{_balance('OPBD', '10.00')}{_balance('CLBD', closing)}"
        f"{entries}<AddtlStmtInf>end > of {number}</AddtlStmtInf></Stmt>\n"
    )


def _file(*statements: str, encoding: str = "utf-8") -> bytes:
    text = (
        f"<?xml version='1.0' encoding='{encoding}'?><!-- > --><Document xmlns='{NAMESPACE}'>"
        "<BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr>"
        f"{''.join(statements)}</BkToCstmrStmt></Document>\n"
    )
    return text.encode(encoding)


def _opener(payload: bytes) -> Callable[[], BinaryIO]:
    return lambda: io.BytesIO(payload)


def _plan(payload: bytes, entries_max: int = 3) -> Plan:
    return plan_of(_opener(payload), entries_max=entries_max)


def _pages(payload: bytes, entries_max: int = 3) -> list[Message]:
    plan = _plan(payload, entries_max)
    return [read(page.payload) for page in pages_of(_opener(payload), plan)]


def _bare(entry: Entry) -> tuple[str | None, str | None, Decimal]:
    return entry.reference, entry.servicer_reference, entry.amount


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "utf-8-sig"])
def test_the_pages_together_are_the_statement(encoding: str) -> None:
    payload = _file(_statement(1, 7, "17.07"), encoding=encoding.removesuffix("-sig"))
    if encoding == "utf-8-sig":
        payload = b"\xef\xbb\xbf" + payload
    whole = read(payload)
    pages = _pages(payload)
    assert [len(page.reports[0].entries) for page in pages] == [3, 3, 1]
    assert [_bare(e) for page in pages for e in page.reports[0].entries] == [
        _bare(e) for e in whole.reports[0].entries
    ]
    for number, page in enumerate(pages, start=1):
        assert page.group_header == whole.group_header
        assert page.reports[0].balances == whole.reports[0].balances
        assert page.reports[0].account == whole.reports[0].account
        assert page.page == FilePage(
            sha256=hashlib.sha256(payload).hexdigest(),
            statement=1,
            number=number,
            of=3,
            balanced=True,
            entries=7,
            first_entry=(number - 1) * 3 + 1,
        )


def test_each_statement_of_a_file_has_pages_of_its_own_account() -> None:
    payload = _file(_statement(1, 4, "14.04"), _statement(2, 0, "10.00"), _statement(3, 1, "9"))
    plan = _plan(payload)
    pages = list(pages_of(_opener(payload), plan))
    assert [page.account for page in pages] == ["ACC-1", "ACC-1", "ACC-2", "ACC-3"]
    told = [read(page.payload).page for page in pages]
    assert [(p.statement, p.number, p.of, p.balanced, p.entries) for p in told if p] == [
        (1, 1, 2, True, 4),
        (1, 2, 2, True, 4),
        (2, 1, 1, True, 0),
        (3, 1, 1, False, 1),
    ]
    assert read(pages[2].payload).reports[0].entries == ()


def test_a_page_holds_the_bytes_of_the_bank() -> None:
    payload = _file(_statement(1, 2, "12.02"))
    (page,) = pages_of(_opener(payload), _plan(payload))
    start, rest = page.payload.split(b"<page:Page ", 1)
    inside = rest.split(b">", 1)[1].removesuffix(b"</page:Page>")
    assert start + inside == payload


def test_entries_in_an_envelope_with_prefixes_are_cut_as_well() -> None:
    inner = _file(_statement(1, 5, "15.05")).decode().partition("-->")[2]
    payload = f"<x:Envelope xmlns:x='urn:x'>{inner}</x:Envelope>".encode()
    assert [len(page.reports[0].entries) for page in _pages(payload, 2)] == [2, 2, 1]


def test_an_entry_inside_a_comment_is_none() -> None:
    statement = _statement(1, 4, "14.04").replace("<Ntry>", "<!-- <Ntry> --><Ntry>", 2)
    pages = _pages(_file(statement))
    assert sum(len(page.reports[0].entries) for page in pages) == 4


def test_balances_between_entries_cannot_be_cut() -> None:
    statement = _statement(1, 4, "14.04")
    head, _, tail = statement.rpartition("<Ntry>")
    with pytest.raises(Refused) as refused:
        _plan(_file(f"{head}{_balance('CLAV', '1')}<Ntry>{tail}"))
    assert refused.value.code is RefusalCode.UNKNOWN_MESSAGE


def test_what_the_reader_refuses_is_not_cut() -> None:
    with pytest.raises(Refused) as refused:
        _plan(_file(_statement(1, 4, "14.04").replace("1.01", "-1.01", 1)))
    assert refused.value.code is RefusalCode.NEGATIVE_AMOUNT


def test_a_head_that_would_fill_every_page_is_refused() -> None:
    statement = _statement(1, 4, "14.04").replace("<Id>S1", f"<Id>{'x' * 1_100_000}")
    payload = _file(statement)
    with pytest.raises(Refused) as refused:
        list(pages_of(_opener(payload), _plan(payload)))
    assert refused.value.code is RefusalCode.TOO_LARGE


def test_every_sample_can_be_cut_one_entry_a_page(camt_sample: str, samples: Path) -> None:
    payload = (samples / camt_sample).read_bytes()
    try:
        whole = read(payload)
    except Refused:
        return
    pages = _pages(payload, 1)
    for number, report in enumerate(whole.reports, start=1):
        own = [page for page in pages if page.page and page.page.statement == number]
        entries = [entry for page in own for entry in page.reports[0].entries]
        assert [_bare(entry) for entry in entries] == [_bare(entry) for entry in report.entries]
        assert {page.reports[0].balances for page in own} == {report.balances}
