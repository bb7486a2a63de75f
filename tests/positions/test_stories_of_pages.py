"""What the pages of a statement do to a position: nothing before they are whole."""

import pytest
from statement_office import Office

from recon_streams.kernel.disposition import Disposition

pytestmark = pytest.mark.postgres


async def test_pages_that_add_up_by_themselves_wait_for_each_other(office: Office) -> None:
    one = "053 19 #5: 1000 > 1030 | A+30 id=S page=1/2 close=ITBD"
    two = "053 19 #5: 1030 > 1025 | B-5 id=S page=2/2 open=ITBD"
    await office.tell(two)
    assert await office.bank() == "1000"
    assert await office.kinds() == ["STATEMENT_INCOMPLETE"]
    assert (await office.state()).stated_on is None
    await office.tell(one)
    assert await office.bank() == "1025"
    assert str((await office.state()).stated_on) == "2026-11-19"
    assert await office.found() == {}
    (again,) = await office.tell(one)
    assert again.disposition is Disposition.DUPLICATE


async def test_pages_of_which_nobody_knows_whether_they_add_up_wait_as_well(
    office: Office,
) -> None:
    await office.tell("053 19 #5: ? > 1025 | B-5 id=S page=2/2")
    assert await office.bank() == "1000"
    await office.tell("053 19 #5: 1000 > ? | A+30 id=S page=1/2")
    assert await office.bank() == "1025"
    assert str((await office.state()).stated_on) == "2026-11-19"
    assert await office.found() == {}


async def test_pages_that_do_not_add_up_leave_the_last_anchor(office: Office) -> None:
    await office.tell(
        "053 19: 1000 > 1030 | A+30 id=S page=1/2 close=ITBD",
        "053 19: 1030 > 1026 | B-5 id=S page=2/2 open=ITBD",
    )
    assert (await office.state()).stated_on is None
    assert await office.found() == {"STATEMENT_UNBALANCED 2026-11-19": "1"}


async def test_a_file_numbered_two_that_is_whole_by_itself_is_not_waited_for(
    office: Office,
) -> None:
    await office.tell("053 19: 1000 > 1030 | A+30 page=2/2")
    assert str((await office.state()).stated_on) == "2026-11-19"
    assert await office.found() == {}
