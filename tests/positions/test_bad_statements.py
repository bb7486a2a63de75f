"""What banks send that must not become money: each is held or told, with the field and the rule."""

import io
import zipfile

import msgspec
import pytest
from bank_messages import entry
from statement_office import ROOTS, Office

from recon_streams.kernel.disposition import Disposition, Held, Outcome
from recon_streams.kernel.refusal import RefusalCode

pytestmark = pytest.mark.postgres
KINDS = ["052", "053", "054"]


def only(outcome: Outcome) -> Held:
    """Return why the message is held, which must say what to do about it."""
    (held,) = outcome.held
    assert outcome.disposition is Disposition.QUARANTINED
    assert outcome.events == 0
    assert held.rule
    return held


async def facts(office: Office, kind: str) -> dict[str, str]:
    """Return the facts of the only open discrepancy, which is of `kind`."""
    assert await office.kinds() == [kind]
    rows = await office.pool.fetch(
        "SELECT facts FROM discrepancies.discrepancy JOIN positions.account USING (number) "
        "WHERE account_id = $1",
        office.account_id,
    )
    found: dict[str, str] = msgspec.json.decode(rows[0]["facts"])
    assert found["what"]
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_about_an_account_of_another_bank_is_held(
    office: Office, kind: str
) -> None:
    (outcome,) = await office.tell(f"{kind} 19: | A+30 account=NOBODY")
    held = only(outcome)
    report = ROOTS[kind][1]
    assert (held.code, held.field) == (RefusalCode.UNKNOWN_ACCOUNT, f"{report}[1]/Acct/Id")


async def test_a_statement_in_another_currency_is_held(office: Office) -> None:
    held = only((await office.tell("053 19: 1000 > 1000 | currency=USD"))[0])
    assert (held.code, held.field) == (RefusalCode.CURRENCY_MISMATCH, "Stmt[1]")


async def test_a_statement_with_an_entry_in_a_second_currency_is_held(office: Office) -> None:
    dollars = entry("7", currency="USD", day="2026-11-19")
    held = only(await office.hear("053 19: 1000 > 1030 | A+30", dollars))
    assert (held.code, held.field) == (RefusalCode.CURRENCY_MISMATCH, "Stmt[1]/Ntry[2]")


async def test_a_statement_that_closes_in_a_second_currency_has_no_closing(office: Office) -> None:
    swap = ('<Amt Ccy="AED">1030</Amt>', '<Amt Ccy="USD">1030</Amt>')
    await office.hear("053 19: 1000 > 1030 | A+30", swap=swap)
    assert (await facts(office, "STATEMENT_INCOMPLETE"))["closing"] == "none"
    assert (await office.state()).stated_on is None


async def test_the_second_page_without_the_first_is_told_by_its_number(office: Office) -> None:
    await office.tell("053 19: ? > 1025 | B-5 page=4/4")
    assert (await facts(office, "STATEMENT_INCOMPLETE"))["pages_missing"] == "1-3"
    assert await office.bank() == "1000"


async def test_a_number_that_goes_back_is_told_with_both_statements(office: Office) -> None:
    await office.tell("053 19 #9: 1000 > 1030 | A+30", "053 20 #7: 1020 > 1020 |")
    found = await facts(office, "CONTINUITY_BROKEN")
    assert (found["relation"], found["statement_before"]) == ("BACKWARD", "2026-11-19#9")


async def test_an_opening_that_is_not_the_closing_before_is_told_with_both(office: Office) -> None:
    await office.tell("053 19: 1000 > 1030 | A+30", "053 20: 1031 > 1031 |")
    found = await facts(office, "CONTINUITY_BROKEN")
    assert (found["closing_before"], found["opening"]) == ("1030", "1031")


async def test_a_closing_of_a_day_before_its_opening_is_held(office: Office) -> None:
    held = only((await office.tell("053 19: 1000 > 1000 | opened=20"))[0])
    assert (held.code, held.field) == (RefusalCode.INVALID_DATE, "Stmt[1]/Bal")
    assert held.detail == "opens 2026-11-20, closes 2026-11-19"


async def test_a_closing_that_stands_before_its_opening_is_the_closing(office: Office) -> None:
    text = office.message("053 19: 1000 > 1030 | A+30").decode()
    first, second = text.index("<Bal>"), text.rindex("<Bal>")
    end = text.rindex("</Bal>") + len("</Bal>")
    turned = text[:first] + text[second:end] + text[first:second] + text[end:]
    (outcome,) = await office.take("053", [turned.encode()])
    assert outcome.disposition is Disposition.APPLIED
    assert await office.bank() == "1030"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_that_says_it_is_a_test_is_held(office: Office, kind: str) -> None:
    swap = ("</GrpHdr>", "<AddtlInf>TEST</AddtlInf></GrpHdr>")
    held = only(await office.hear(f"{kind} 19: | A+30", swap=swap))
    assert (held.code, held.field) == (RefusalCode.TEST_MESSAGE, "GrpHdr/AddtlInf")


@pytest.mark.parametrize("flag", ["COPY", "DUPL", "CODU"])
async def test_a_flag_of_a_copy_neither_drops_nor_counts_twice(office: Office, flag: str) -> None:
    line = "053 19: 1000 > 1030 | A+30"
    swap = ("<Acct>", f"<CpyDplctInd>{flag}</CpyDplctInd><Acct>")
    first = await office.hear(line, swap=swap)
    assert first.disposition is Disposition.APPLIED, "the original may never have come"
    again = await office.hear(f"{line} id=again", swap=swap)
    assert again.disposition is Disposition.DUPLICATE
    assert again.duplicate_of == "bank.statements/0/1"
    assert await office.bank() == "1030"


@pytest.mark.parametrize("flag", ["COPY", "DUPL"])
async def test_a_copy_that_says_something_else_is_a_correction_and_told(
    office: Office, flag: str
) -> None:
    await office.tell("053 19: 1000 > 1030 | A+30")
    swap = ("<Acct>", f"<CpyDplctInd>{flag}</CpyDplctInd><Acct>")
    await office.hear("053 19: 1000 > 1040 | A+30 B+10 made=9", swap=swap)
    assert (await facts(office, "STATEMENT_CORRECTED"))["entries_added_sum"] == "10"


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("30.000000000000004", RefusalCode.AMOUNT_TOO_PRECISE),
        ("3E1", RefusalCode.INVALID_AMOUNT),
        ("3.0e+01", RefusalCode.INVALID_AMOUNT),
        ("30,00", RefusalCode.INVALID_AMOUNT),
        ("NaN", RefusalCode.INVALID_AMOUNT),
        ("INF", RefusalCode.INVALID_AMOUNT),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
async def test_an_amount_that_a_float_printed_is_held(
    office: Office, kind: str, amount: str, code: RefusalCode
) -> None:
    swap = ('<Amt Ccy="AED">30</Amt>', f'<Amt Ccy="AED">{amount}</Amt>')
    held = only(await office.hear(f"{kind} 19: | A+30", swap=swap))
    assert (held.code, held.field) == (code, f"{ROOTS[kind][1]}[1]/Ntry[1]/Amt")


async def test_a_balance_that_a_float_printed_is_held(office: Office) -> None:
    swap = (">1030</Amt>", ">1030.0000000000001</Amt>")
    held = only(await office.hear("053 19: 1000 > 1030 | A+30", swap=swap))
    assert (held.code, held.field) == (RefusalCode.AMOUNT_TOO_PRECISE, "Stmt[1]/Bal[2]/Amt")
    swap = (">1030</Amt>", ">1030.00001</Amt>")
    held = only(await office.hear("053 19: 1000 > 1030 | A+30 id=again", swap=swap))
    assert held.code is RefusalCode.STATEMENT_UNBALANCED
    assert "difference 0.00001" in held.detail


async def test_a_bare_ampersand_is_held_with_its_bytes(office: Office) -> None:
    swap = ("<AcctSvcrRef>A<", "<AcctSvcrRef>A & B<")
    held = only(await office.hear("053 19: 1000 > 1030 | A+30", swap=swap))
    assert held.code is RefusalCode.NOT_WELL_FORMED


@pytest.mark.parametrize("kind", KINDS)
async def test_a_packed_file_is_not_opened_on_a_topic(office: Office, kind: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.xml", b" " * 50_000_000)
    (outcome,) = await office.take(kind, [packed.getvalue()])
    assert only(outcome).code is RefusalCode.NOT_WELL_FORMED


async def test_a_message_above_the_limit_is_held_unread(office: Office) -> None:
    text = office.message("053 19: 1000 > 1030 | A+30").replace(b"</Stmt>", b" " * 50_000_000)
    (outcome,) = await office.take("053", [text])
    held = only(outcome)
    assert (held.code, held.rule) == (RefusalCode.TOO_LARGE, "at most 50000000 bytes")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_record_without_bytes_is_held(office: Office, kind: str) -> None:
    (outcome,) = await office.take(kind, [b""])
    assert only(outcome).code is RefusalCode.EMPTY_VALUE


async def test_a_statement_without_entries_closes_its_day(office: Office) -> None:
    await office.tell("053 19: 1000 > 1000 | ")
    assert str((await office.state()).stated_on) == "2026-11-19"
    assert await office.found() == {}


async def test_a_statement_that_says_nothing_at_all_is_told(office: Office) -> None:
    (outcome,) = await office.tell("053 19: | ")
    assert outcome.disposition is Disposition.OBSERVATION
    assert (await facts(office, "STATEMENT_INCOMPLETE"))["opening"] == "none"
    assert (await office.state()).stated_on is None
    await office.tell("053 19: 1000 > 1000 | ")
    assert await office.found() == {}


async def test_a_notification_cut_at_five_hundred_entries_is_found_by_balance_and_statement(
    office: Office,
) -> None:
    entries = " ".join(f"C{number}+1" for number in range(500))
    await office.tell(f"054 19: | {entries}", "052 19: ? > 1503 | ")
    assert await office.found() == {"SOURCE_DISAGREEMENT balance 2026-11-19": "3"}
    await office.tell(f"053 19: 1000 > 1503 | {entries} D+1 E+1 F+1")
    assert (await facts(office, "LATE_NOTIFICATION"))["entries"] == "3"
    assert await office.bank() == "1503"


async def test_a_message_without_a_report_is_held(office: Office) -> None:
    text = office.message("053 19: | ").decode()
    start, end = text.index("<Stmt>"), text.index("</Stmt>") + len("</Stmt>")
    (outcome,) = await office.take("053", [(text[:start] + text[end:]).encode()])
    held = only(outcome)
    assert (held.code, held.field) == (RefusalCode.MISSING_FIELD, "Stmt")
