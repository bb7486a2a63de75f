"""How statements follow each other: by their balances, whatever order they arrive in."""

import pytest
from statement_office import Office

from recon_streams.kernel.disposition import Disposition

pytestmark = pytest.mark.postgres


async def test_a_correction_of_an_older_day_leaves_the_anchor_and_is_judged_forward(
    office: Office,
) -> None:
    await office.tell("053 19 #5: 1000 > 1030 | A+30", "053 20 #6: 1030 > 1037 | B+7")
    await office.tell("053 19 #5: 1000 > 1029 | A+29 made=20")
    assert await office.bank() == "1037"
    found = await office.found()
    assert found["CONTINUITY_BROKEN 2026-11-20#6"] == "1"


async def test_an_older_statement_after_a_newer_one_leaves_the_anchor(office: Office) -> None:
    await office.tell("053 20 #6: 1030 > 1037 | B+7", "053 19 #5: 1000 > 1030 | A+30")
    assert await office.bank() == "1037"
    assert await office.found() == {}


async def test_a_skipped_number_is_a_missing_statement_until_it_comes(office: Office) -> None:
    await office.tell("053 18 #4: 1000 > 1001 | A+1", "053 20 #6: 1030 > 1037 | B+7")
    assert await office.found() == {
        "CONTINUITY_BROKEN 2026-11-20#6": "29",
        "STATEMENT_MISSING number 2026/5": "",
    }
    await office.tell("053 19 #5: 1001 > 1030 | C+29")
    assert await office.found() == {}
    assert await office.bank() == "1037"


async def test_skipped_numbers_over_balances_that_connect_miss_nothing(office: Office) -> None:
    await office.tell("053 18 #4: 1000 > 1001 | A+1", "053 20 #60: 1001 > 1008 | B+7")
    assert await office.found() == {}


async def test_an_opening_that_is_not_the_last_closing_is_a_broken_chain(office: Office) -> None:
    await office.tell("053 19: 1000 > 1030 | A+30", "053 20: 1031 > 1031 |")
    assert await office.bank() == "1031"
    assert await office.found() == {"CONTINUITY_BROKEN 2026-11-20": "1"}


async def test_a_number_that_goes_back_is_a_broken_chain(office: Office) -> None:
    await office.tell("053 19 #9: 1000 > 1030 | A+30", "053 20 #7: 1020 > 1020 |")
    assert await office.kinds() == ["CONTINUITY_BROKEN"]


async def test_a_statement_without_entries_moves_the_chain_on(office: Office) -> None:
    await office.tell("053 19: 1000 > 1030 | A+30", "053 20: 1030 > 1030 |")
    (outcome,) = await office.tell("053 21: 1030 > 1031 | B+1")
    assert outcome.disposition is Disposition.APPLIED
    assert str((await office.state()).stated_on) == "2026-11-21"
    assert await office.found() == {}


async def test_two_statements_of_one_day_follow_each_other(office: Office) -> None:
    await office.tell("053 19: 1030 > 1033 | B+3", "053 19: 1000 > 1030 | A+30")
    assert await office.bank() == "1033"
    assert await office.found() == {}


async def test_a_statement_older_than_the_opening_is_no_anchor(office: Office) -> None:
    await office.tell("053 17: 800 > 900 | A+100")
    assert await office.bank() == "1000"
    assert (await office.state()).stated_on is None
