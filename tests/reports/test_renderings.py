"""Every rendering is made of the same bytes, shows their hash, and lets nobody's text run."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from recon_streams.reports.as_csv import BOM, as_csv, harmless
from recon_streams.reports.as_html import as_html
from recon_streams.reports.as_json import as_json
from recon_streams.reports.dataset import (
    EodDataset,
    IntradayDataset,
    dataset_bytes,
    dataset_from_bytes,
    digest_of,
    report_id,
)
from recon_streams.reports.figures import printed
from recon_streams.reports.parts import Change
from recon_streams.reports.verify import NotAReport, canonical, verify_file
from recon_streams.reports.walk import steps_of

HOSTILE = "\"><img src=x onerror=alert(1)>'</script>{{ 7*7 }}"


def test_the_renderings_are_those_that_people_looked_at(
    eod: EodDataset, intraday: IntradayDataset, golden: Path
) -> None:
    for dataset in (eod, intraday):
        content = dataset_bytes(dataset)
        kind = "eod" if dataset is eod else "intraday"
        made = {
            f"{kind}.json": as_json(content),
            f"{kind}.csv": as_csv(content),
            f"{kind}.html": as_html(content),
        }
        for name, text in made.items():
            # To renew one after a change that was meant: write `text` there, and look at it.
            assert text.encode() == (golden / name).read_bytes(), name


def test_the_same_figures_give_the_same_bytes_and_another_figure_another_hash(
    eod: EodDataset,
) -> None:
    content = dataset_bytes(eod)
    assert dataset_bytes(dataset_from_bytes(content)) == content
    assert dataset_from_bytes(content) == eod
    later = msgspec.structs.replace(eod, cause="x")
    assert digest_of(dataset_bytes(later)) != digest_of(content)
    assert canonical(json.loads(content)) == content


def test_every_rendering_shows_the_hash_and_the_name(eod: EodDataset) -> None:
    content = dataset_bytes(eod)
    for text in (as_json(content), as_csv(content), as_html(content)):
        assert digest_of(content) in text
        assert report_id(eod) == "eod-2026-11-20-v1"
        assert report_id(eod) in text


def test_an_exported_file_is_checked_without_this_program(eod: EodDataset) -> None:
    exported = as_json(dataset_bytes(eod))
    found = verify_file(exported.encode())
    assert found.problems == ()
    assert found.totals > 40
    touched = exported.replace('"amount": "2500"', '"amount": "2500.01"')
    problems = verify_file(touched.encode()).problems
    assert any("names the hash" in problem for problem in problems)
    assert any("explained = the items" in problem for problem in problems)
    renamed = exported.replace("eod-2026-11-20-v1", "eod-2026-11-20-v2")
    assert "names the report" in verify_file(renamed.encode()).problems[0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"dataset": 5}',
        b'{"dataset": {"kind": "eod"}}',
        b'{"dataset": {"kind": "eod", "accounts": 1.5}}',
        b'{"dataset": {}, "dataset": {}}',
        b"[" * 100_000,
    ],
)
def test_a_file_that_is_no_report_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(NotAReport):
        verify_file(content)


def test_the_way_from_the_bank_to_the_ledger_is_walked_in_the_order_of_the_form(
    eod: EodDataset,
) -> None:
    steps = steps_of(eod.accounts[1])
    assert [(step.label.split(",")[0], step.amount) for step in steps] == [
        ("less: difference when the account was registered", "-120"),
        ("less: booked by the bank", "-2465"),
        ("less: booked in the ledger", "-40"),
        ("plus: matched", "5"),
    ]
    # What is overdue comes first, and what is not printed is summed up.
    few = steps_of(eod.accounts[1], items_max=1)[1]
    assert [item.reference for item in few.items] == ["CHG-11-18"]
    assert (few.effects, few.hidden, few.hidden_amount) == (("35",), 1, "-2500")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("5002500", "AED", "5,002,500.00"),
        ("-950", "INR", "-950.00"),
        ("0", "JPY", "0"),
        ("1250.5", "KWD", "1,250.500"),
        ("0.00000001", "ZMW", "0.00000001"),
        ("123456", "TOKEN", "123,456"),
        (None, "AED", "none"),
    ],
)
def test_figures_are_printed_for_people_and_never_rounded(
    amount: str | None, currency: str, text: str
) -> None:
    assert printed(amount, currency) == text


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_csv_adds_up_in_a_spreadsheet(eod: EodDataset) -> None:
    rows = [r for r in _rows(as_csv(dataset_bytes(eod))) if r["account_id"] == "AE-SAFEGUARDING"]
    items = [row for row in rows if row["section"] == "item"]
    assert [row["explains"] for row in items] == ["120", "-35", "2500", "40", "-5"]
    proof = next(row for row in rows if row["kind"] == "proof")
    assert proof["amount"] == "0"


def test_a_negative_amount_stays_a_number_and_a_formula_becomes_text(eod: EodDataset) -> None:
    rows = _rows(as_csv(dataset_bytes(eod)))
    assert "-950" in {row["amount"] for row in rows}
    assert '\'=HYPERLINK("http://x")' in {row["reference"] for row in rows}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+41", "'+41"),
        ("-12.50", "'-12.50"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\rcmd", "'\rcmd"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("a;=cmd|' /C calc'!A0", "a;'=cmd|' /C calc'!A0"),
        ("line\n=1", "line\n'=1"),
        ("PAYOUT-8841", "PAYOUT-8841"),
        ("2026-11-20", "2026-11-20"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_text_that_a_spreadsheet_would_run_is_made_harmless(text: str, written: str) -> None:
    assert harmless(text) == written


@given(text=st.text(alphabet="=+-@\t\r\n;, \"'a1", max_size=12))
def test_no_cell_of_any_text_begins_like_a_formula_however_it_is_cut(text: str) -> None:
    for line in harmless(text).replace("\r", "\n").split("\n"):
        for cell in line.replace("\t", ";").split(";"):
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@"))


def test_a_byte_order_mark_is_written_when_asked_for(eod: EodDataset) -> None:
    content = dataset_bytes(eod)
    assert as_csv(content, with_bom=True) == BOM + as_csv(content)
    assert as_csv(content).startswith('"report_id","sha256"')
    assert as_csv(content).endswith("\r\n")


def test_nothing_that_others_wrote_is_markup(eod: EodDataset) -> None:
    day = eod.accounts[1]
    assert day.statement is not None
    hostile = msgspec.structs.replace(
        day,
        statement=msgspec.structs.replace(day.statement, statement_id=HOSTILE, origin=HOSTILE),
        items=tuple(
            msgspec.structs.replace(item, reference=HOSTILE, reason=HOSTILE, nearest=(HOSTILE,))
            for item in day.items
        ),
        rule=HOSTILE,
        time_zone=HOSTILE,
        rules_version=HOSTILE,
    )
    accounts = (eod.accounts[0], hostile, *eod.accounts[2:])
    page = as_html(dataset_bytes(msgspec.structs.replace(eod, accounts=accounts)))
    tree = html.fromstring(page)
    assert tree.xpath("//img | //script | //*[@onerror]") == []
    assert HOSTILE in tree.text_content()
    assert "49" not in tree.xpath("string(//td[contains(., 'onerror')])")


def test_the_page_loads_nothing_and_its_tables_can_be_read_aloud(
    eod: EodDataset, intraday: IntradayDataset
) -> None:
    for dataset in (eod, intraday):
        page = as_html(dataset_bytes(dataset))
        tree = html.fromstring(page)
        assert tree.xpath("//link | //script | //iframe | //img | //@src") == []
        assert "url(" not in page
        assert "@import" not in page
        assert all(link.startswith("#") for link in tree.xpath("//a/@href"))
        assert tree.get("lang") == "en"
        for table in tree.xpath("//table"):
            assert table.xpath("./caption")
            assert all(cell.get("scope") for cell in table.xpath(".//th"))
        assert len(tree.xpath("//h1")) == 1
        identifiers = tree.xpath("//@id")
        assert len(identifiers) == len(set(identifiers))


def test_an_account_without_a_statement_is_not_printed_as_proven(eod: EodDataset) -> None:
    tree = html.fromstring(as_html(dataset_bytes(eod)))
    section = tree.xpath("//section[@aria-labelledby='account-4']")[0].text_content()
    assert "not proven" in section
    assert "everything is explained" not in section


def test_a_correction_says_what_it_corrects(
    eod: EodDataset, corrected: Callable[[EodDataset, str], EodDataset]
) -> None:
    first = digest_of(dataset_bytes(eod))
    page = as_html(dataset_bytes(corrected(eod, first)))
    assert first in page
    assert "No figure that is signed for is otherwise" in page


def test_every_row_of_the_csv_says_in_words_what_it_is(
    eod: EodDataset, intraday: IntradayDataset
) -> None:
    for dataset in (eod, intraday):
        for row in _rows(as_csv(dataset_bytes(dataset))):
            assert row["label"], row
    coverage = next(r for r in _rows(as_csv(dataset_bytes(eod))) if r["section"] == "coverage")
    assert coverage["label"] == (
        "every record of bank.notifications/3 before offset 48231 is in, "
        "decided through 2026-11-20T20:00:00Z"
    )
    assert (coverage["next_offset"], coverage["at"]) == ("48231", "2026-11-20T20:00:00Z")


def test_a_correction_shows_each_figure_before_and_now_by_its_name(
    eod: EodDataset, corrected: Callable[[EodDataset, str], EodDataset]
) -> None:
    changes = (
        Change(account_id="A", currency="AED", what="bank", before="1250.5", after="-70"),
        Change(
            account_id="A", currency="AED", what="BANK_NOT_IN_LEDGER", before=None, after="1 of -70"
        ),
        Change(account_id="A", currency="AED", what="tier", before="OK", after="CRITICAL"),
    )
    first = digest_of(dataset_bytes(eod))
    content = dataset_bytes(msgspec.structs.replace(corrected(eod, first), changes=changes))
    rows = [row for row in _rows(as_csv(content)) if row["section"] == "change"]
    assert [(row["label"], row["before"], row["now"]) for row in rows] == [
        ("balance per bank", "1250.5", "-70"),
        ("booked by the bank, not in the ledger", "", "1 of -70"),
        ("verdict", "OK", "CRITICAL"),
    ]
    assert rows[1]["reason"] == "none became 1 item, -70.00"
    page = html.fromstring(as_html(content)).text_content()
    assert "1,250.50" in page
    assert "1 item, -70.00" in page


def test_a_page_says_why_an_account_is_critical_and_what_covers(eod: EodDataset) -> None:
    tree = html.fromstring(as_html(dataset_bytes(eod)))
    section = tree.xpath("//section[@aria-labelledby='account-3']")[0].text_content()
    assert "CRITICAL, because the bank is short by 950.00" in section
    assert "does not cover" in section
    balanced = tree.xpath("//section[@aria-labelledby='account-2']")[0].text_content()
    assert "of it covered: booked in the ledger, not at the bank" in balanced
    assert "accounted for" not in tree.text_content()


def test_the_page_of_a_window_shows_what_the_bank_answered(intraday: IntradayDataset) -> None:
    text = html.fromstring(as_html(dataset_bytes(intraday))).text_content()
    assert "The bank answered: 4,992,290.00 as of 2026-11-20 08:29:58 UTC" in text
    assert "its messages come to 4,992,290.00, which agrees" in text
