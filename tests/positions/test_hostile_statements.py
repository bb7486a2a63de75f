"""Batches, pages, corrections and days of statements as bad banks tell them: counted once, said."""

from datetime import UTC, datetime

import pytest
from bank_messages import U1, U2, detail, entry
from statement_office import Office

from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.refusal import RefusalCode

pytestmark = pytest.mark.postgres
PERIOD = (
    "<FrToDt><FrDtTm>0001-01-01T00:00:00Z</FrDtTm><ToDtTm>2026-11-19T08:00:00Z</ToDtTm></FrToDt>"
)


def batch(ref: str, day: str) -> str:
    """Return a batch of +10 and +20."""
    parts = detail(uetr=U1, amount="10.00") + detail(uetr=U2, amount="20.00")
    return entry("30.00", ref=ref, details=parts, day=f"2026-11-{day}")


def single(uetr: str, amount: str, day: str) -> str:
    return entry(amount, details=detail(uetr=uetr), day=f"2026-11-{day}")


async def test_a_statement_with_one_line_for_a_batch_holds_its_parts(office: Office) -> None:
    await office.hear("054 19: | ", batch("BATCH", "19"))
    await office.tell("053 19: 1000 > 1030 | BATCH+30")
    assert await office.bank() == "1030"
    assert await office.found() == {}


async def test_a_batch_notified_for_the_next_day_is_not_added_to_the_statement_that_has_it(
    office: Office,
) -> None:
    await office.hear("054 20: | ", batch("BATCH", "20"))
    await office.tell("053 19: 1000 > 1030 | BATCH+30")
    assert await office.bank() == "1030"
    await office.tell("053 20: 1030 > 1030 | ")
    assert await office.found() == {}


async def test_a_batch_is_the_sum_of_what_was_notified_before_it_too(office: Office) -> None:
    await office.hear("054 20: | ", single(U1, "10.00", "20"))
    await office.hear("054 20: | ", batch("BATCH", "20"))
    await office.hear("054 20: | ", single(U2, "20.00", "20"))
    assert await office.bank() == "1030"
    await office.tell("053 19: 1000 > 1030 | BATCH+30")
    assert await office.bank() == "1030"
    await office.tell("053 20: 1030 > 1030 | ")
    assert await office.found() == {}


async def test_a_statement_that_lists_parts_by_themselves_holds_the_batch(office: Office) -> None:
    await office.hear("054 20: | ", batch("BATCH", "20"))
    lines = (single(U1, "10.00", "19"), single(U2, "20.00", "19"))
    await office.hear("053 19: 1000 > 1030 | ", *lines)
    assert await office.bank() == "1030"
    await office.tell("053 20: 1030 > 1030 | ")
    assert await office.found() == {}


async def test_a_corrected_statement_without_the_batch_takes_its_parts_back(
    office: Office,
) -> None:
    await office.hear("054 19: | ", batch("BATCH", "19"))
    await office.tell("053 19: 1000 > 1030 | BATCH+30", "053 19: 1000 > 1000 | made=9")
    assert await office.bank() == "1000"
    assert await office.kinds() == ["STATEMENT_CORRECTED"]


async def test_the_next_day_of_a_batch_moves_with_the_later_of_two_statements(
    office: Office,
) -> None:
    await office.hear("054 21: | ", batch("BATCH", "21"))
    await office.tell("053 20: 1030 > 1030 | ", "053 19: 1000 > 1030 | BATCH+30")
    assert await office.bank() == "1030"


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVENING = NOON.replace(hour=18)
NEXT_DAY = NOON.replace(day=21)


async def test_a_payout_after_a_statement_of_the_running_day_is_not_hidden_by_it(
    office: Office,
) -> None:
    await office.tell("053 20: 1000 > 1000 | ", at=NOON)
    (outcome,) = await office.tell("054 20: | A-400", at=EVENING)
    assert outcome.disposition is Disposition.APPLIED
    assert await office.bank() == "600"
    await office.tell("053 20: 1000 > 600 | A-400 made=23", at=NEXT_DAY)
    assert await office.bank() == "600"
    assert "NOTIFICATION_UNCONFIRMED" not in await office.kinds()
    (outcome,) = await office.tell("054 20: | B-5", at=NEXT_DAY)
    assert outcome.disposition is Disposition.OBSERVATION
    assert await office.kinds() == ["NOTIFICATION_UNCONFIRMED", "STATEMENT_CORRECTED"]


async def test_what_no_later_statement_holds_leaves_with_the_one_of_the_next_day(
    office: Office,
) -> None:
    await office.tell("053 20: 1000 > 1000 | ", at=NOON)
    await office.tell("054 20: | A-400", at=EVENING)
    await office.tell("053 21: 1000 > 1000 | ", at=NEXT_DAY.replace(day=22))
    assert await office.bank() == "1000"
    assert await office.found() == {"NOTIFICATION_UNCONFIRMED payment 3.0": "-400"}


async def test_a_day_is_over_at_the_cut_off_of_its_account(office: Office) -> None:
    await office.register(cut_off="11:00")
    await office.tell("053 20: 1000 > 1000 | ", at=NOON)
    (outcome,) = await office.tell("054 20: | A-400", at=EVENING)
    assert outcome.disposition is Disposition.OBSERVATION
    assert await office.kinds() == ["NOTIFICATION_UNCONFIRMED"]


async def test_a_correction_is_taken_back_by_what_was_said_before_it(office: Office) -> None:
    first, second = "053 19: 1000 > 1030 | A+30", "053 19: 1000 > 1010 | B+10 made=9"
    await office.tell(first, second)
    assert await office.bank() == "1010"
    (outcome,) = await office.tell(first)
    assert outcome.disposition is Disposition.DUPLICATE, "made at eight, before the correction"
    (outcome,) = await office.tell(f"{first} made=10")
    assert outcome.disposition is Disposition.APPLIED
    assert await office.bank() == "1030"
    (outcome,) = await office.tell(f"{first} made=10")
    assert outcome.disposition is Disposition.DUPLICATE


async def test_a_page_that_a_correction_leaves_as_it_was_is_a_page_of_it(office: Office) -> None:
    same = "053 19: 1000 > 1030 | A+30 page=1/2 close=ITBD"
    await office.tell(f"{same} id=V1", "053 19: 1030 > 1050 | B+20 open=ITBD page=2/2 id=V1")
    assert await office.bank() == "1050"
    corrected = "053 19: 1030 > 1035 | C+5 open=ITBD page=2/2 id=V2 made=9"
    await office.tell(f"{same} id=V2 made=9", corrected)
    assert await office.bank() == "1035"
    assert await office.kinds() == ["STATEMENT_CORRECTED"]


async def test_an_older_version_in_pages_does_not_replace_a_newer_one(office: Office) -> None:
    await office.tell("053 19: 1000 > 1035 | A+30 C+5 made=9")
    await office.tell("053 19: 1000 > 1030 | A+30 page=1/2 close=ITBD id=V1")
    await office.tell("053 19: 1030 > 1050 | B+20 open=ITBD page=2/2 id=V1")
    assert await office.bank() == "1035"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_of_two_statements_of_a_day_balances_tell_the_later_when_the_counter_restarts(
    office: Office, order: tuple[int, int]
) -> None:
    lines = ("053 19 #7: 1000 > 1030 | A+30", "053 19 #1: 1030 > 1010 | B-20")
    await office.tell(*(lines[place] for place in order))
    assert await office.bank() == "1010"
    assert await office.found() == {}


async def test_what_a_page_dates_after_its_closing_is_in_the_closing(office: Office) -> None:
    await office.tell("053 19: 1000 > 1030 | A+30@20 page=1/2 close=ITBD id=V1")
    await office.tell("053 19: 1030 > 1050 | B+20@20 open=ITBD page=2/2 id=V1")
    assert await office.bank() == "1050"


async def test_a_page_without_balances_counts_in_its_period(office: Office) -> None:
    swap = ("<Acct>", f"{PERIOD.replace('0001-01-01', '2026-11-19')}<Acct>")
    await office.hear("053 19: 1000 > ? | A+30@20 page=1/2 id=V1", swap=swap)
    await office.hear("053 19: ? > 1050 | B+20@20 page=2/2 id=V1", swap=swap)
    assert await office.bank() == "1050"


async def test_what_is_dated_before_the_opening_is_said_if_it_comes_long_after(
    office: Office,
) -> None:
    await office.tell("054 17: | A-400", at=datetime(2026, 11, 20, 9, tzinfo=UTC))
    assert await office.found() == {}
    (outcome,) = await office.tell("054 17: | B-400")
    assert outcome.disposition is Disposition.OBSERVATION
    assert await office.found() == {"NOTIFICATION_UNCONFIRMED payment 3.0": "-400"}


async def test_increments_that_repeat_the_opening_of_the_day_are_not_the_day(
    office: Office,
) -> None:
    await office.tell("052 19: 1000 > 1005 | a+5", "052 19: 1000 > 1010 | a+5")
    assert await office.bank() == "1010"


async def test_a_report_whose_period_begins_with_the_day_lists_all_of_it(office: Office) -> None:
    swap = ("<Acct>", f"{PERIOD.replace('0001-01-01', '2026-11-19')}<Acct>")
    await office.hear("052 19: | a+5", swap=swap)
    await office.hear("052 19: | a+5 b+7", swap=swap)
    assert await office.bank() == "1012"


async def test_a_day_with_two_closings_is_refused(office: Office) -> None:
    second = office.message("053 19: ? > 1030 | ").decode()
    second = second[second.index("<Bal>") : second.index("</Bal>")] + "</Bal>"
    swap = ("</Acct>", f"</Acct>{second}")
    outcome = await office.hear("053 19: 1000 > 1000 | ", swap=swap)
    assert outcome.held[0].code is RefusalCode.DUPLICATE_FIELD
    assert outcome.held[0].field == "Stmt[1]/Bal[3]"


async def test_a_statement_of_a_month_is_no_neighbour_of_its_days(office: Office) -> None:
    days = [
        "053 18: 1000 > 1010 | A+10",
        "053 19: 1010 > 1030 | B+20",
        "053 20: 1030 > 1025 | C-5",
    ]
    await office.tell(*days, "053 20: 1000 > 1025 | A+10@18 B+20@19 C-5@20 opened=18")
    assert await office.bank() == "1025"
    await office.tell("053 21: 1025 > 1024 | D-1")
    assert await office.found() == {}


async def test_a_credit_line_in_another_currency_is_not_taken_from_the_balance(
    office: Office,
) -> None:
    line = '<CdtLine><Incl>true</Incl><Amt Ccy="USD">100</Amt></CdtLine>'
    swap = ('<Amt Ccy="AED">1000</Amt>', f'{line}<Amt Ccy="AED">1000</Amt>')
    outcome = await office.hear("053 19: 1000 > 1000 | ", swap=swap)
    assert outcome.held[0].code is RefusalCode.CURRENCY_MISMATCH
    assert outcome.held[0].field == "Stmt[1]/Bal[1]/CdtLine[1]/Amt"


async def test_the_last_page_0_is_no_statement_and_no_puzzle(office: Office) -> None:
    line = "053 19: 1000 > 1030 | A+30 page=1/1 open=ITBD"
    outcome = await office.hear(line, swap=("<PgNb>1<", "<PgNb>0<"))
    (held,) = outcome.held
    assert (held.code, held.field, held.detail) == (
        RefusalCode.OUT_OF_RANGE, "Stmt[1]/PgNb", "0",
    )  # fmt: skip
    assert await office.bank() == "1000"


async def test_a_whole_statement_that_calls_itself_page_0_counts(office: Office) -> None:
    await office.hear("053 19: 1000 > 1030 | A+30 page=1/1", swap=("<PgNb>1<", "<PgNb>0<"))
    assert await office.bank() == "1030"
