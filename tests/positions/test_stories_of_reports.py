"""What a report during the day does to a position, and what it only says."""

import pytest
from statement_office import ARRIVAL, Office

from recon_streams.kernel.disposition import Disposition

pytestmark = pytest.mark.postgres


async def test_a_report_of_the_whole_day_repeats_and_an_increment_adds(office: Office) -> None:
    await office.tell("052 19: 1000 > 1030 | a+30", "052 19: 1000 > 1040 | a+30 b+10")
    assert await office.bank() == "1040"
    await office.tell("052 19: | a+30")
    assert await office.bank() == "1070", "an increment without a reference is another payment"


async def test_the_balance_of_a_report_is_compared_and_never_taken_over(office: Office) -> None:
    at = ARRIVAL.replace(day=19, hour=9)
    await office.tell("052 19: 1000 > 1030 | A+25 made=9", at=at)
    assert await office.bank() == "1025"
    assert await office.found() == {
        "SOURCE_DISAGREEMENT balance 2026-11-19": "5",
        "STATEMENT_UNBALANCED report 2026-11-19": "5",
    }
    await office.tell("053 19: 1000 > 1025 | A+25")
    assert await office.found() == {}


async def test_a_bank_that_sends_reports_only_closes_its_day_with_one(office: Office) -> None:
    other = Office(office.pool, office.account_id + "-052")
    await other.register(day_record="camt.052")
    await other.tell("052 19: 1000 > 1030 | A+30")
    assert (await other.state()).stated_on is None, "an interim balance closes nothing"
    await other.tell("052 19: 1000 > 1025 | A+30 B-5 close=CLBD")
    assert str((await other.state()).stated_on) == "2026-11-19"
    assert await other.bank() == "1025"


async def test_a_balance_with_a_day_and_no_instant_is_compared_with_what_is_booked(
    office: Office,
) -> None:
    await office.tell("054 19: | A+25 made=12", "052 19: ? > 1030 | made=10")
    assert await office.found() == {"SOURCE_DISAGREEMENT balance 2026-11-19": "5"}
    await office.tell("054 19: | B+5", "052 19: ? > 1030 | made=11")
    assert await office.found() == {}


async def test_a_balance_of_a_day_is_not_compared_once_later_days_are_booked(
    office: Office,
) -> None:
    await office.tell("054 20: | A+25", "052 19: ? > 1030 |")
    assert await office.found() == {}


async def test_a_report_that_does_not_add_up_is_told_until_one_does(office: Office) -> None:
    (outcome,) = await office.tell("052 19: 1000 > 1031 | A+30")
    assert outcome.disposition is Disposition.APPLIED, "what it books is booked"
    assert await office.found() == {
        "SOURCE_DISAGREEMENT balance 2026-11-19": "1",
        "STATEMENT_UNBALANCED report 2026-11-19": "1",
    }
    await office.tell("052 19: 1000 > 1031 | A+30 B+1")
    assert await office.found() == {}


async def test_the_statement_of_the_day_ends_what_its_report_got_wrong(office: Office) -> None:
    await office.tell("052 19: 1000 > 1031 | A+30", "053 19: 1000 > 1030 | A+30")
    assert await office.found() == {}
    await office.tell("052 19: 1000 > 1031 | A+30 id=late")
    assert await office.found() == {}, "the day is closed, and better known"


async def test_a_report_of_what_is_new_that_names_the_opening_of_the_day_is_right(
    office: Office,
) -> None:
    await office.tell("052 19: 1000 > 1030 | A+30", "052 19: 1000 > 1035 | B+5")
    assert await office.bank() == "1035"
    assert await office.found() == {}
