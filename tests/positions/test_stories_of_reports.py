"""What a report during the day does to a position, and what it only says."""

import pytest
from statement_office import ARRIVAL, Office

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
    assert await office.found() == {"SOURCE_DISAGREEMENT balance 2026-11-19": "5"}
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
