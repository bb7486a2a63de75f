"""The second page may come first: no figure is made of it that the first one would take back."""

import pytest
from statement_office import ARRIVAL, Office

from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions.holding import AHEAD_WAIT_MAX, WAIT_MAX

pytestmark = pytest.mark.postgres
# Each page alone is a shortage of 400, or a surplus; both together are what the ledger has.
PAGES = {
    "statement with balances at the edges": (
        "053 19 #5: 1000 > 1400 | A+400 id=S page=1/2 close=ITBD",
        "053 19 #5: 1400 > 1000 | B-400 id=S page=2/2 open=ITBD",
    ),
    "statement with one balance at each end": (
        "053 19 #5: 1000 > ? | A+400 id=S page=1/2",
        "053 19 #5: ? > 1000 | B-400 id=S page=2/2",
    ),
    "statement with the balances of the whole": (
        "053 19 #5: 1000 > 1000 | A+400 id=S page=1/2",
        "053 19 #5: 1000 > 1000 | B-400 id=S page=2/2",
    ),
    "report": (
        "052 19: 1000 > ? | A+400 id=S page=1/2",
        "052 19: ? > 1000 | B-400 id=S page=2/2",
    ),
    "report without balances": ("052 19: | A+400 id=S page=1/2", "052 19: | B-400 id=S page=2/2"),
    "notification": ("054 19: | A+400 id=S page=1/2", "054 19: | B-400 id=S page=2/2"),
}


async def opened(office: Office) -> int:
    """Return how often the breaker of the account opened."""
    ((count,),) = await office.rows(
        "SELECT count(*) FROM breaker.transition JOIN breaker.scope USING (scope) "
        "WHERE number = $1 AND to_state = 'OPEN'"
    )
    return int(count)


@pytest.mark.parametrize("pages", PAGES.values(), ids=PAGES)
async def test_the_second_page_first_moves_nothing_until_the_first_is_there(
    office: Office, pages: tuple[str, str]
) -> None:
    first, second = pages
    (outcome,) = await office.tell(second)
    assert outcome.disposition is Disposition.OBSERVATION
    assert await office.bank() == "1000"
    assert await opened(office) == 0
    assert await office.kinds() == ["STATEMENT_INCOMPLETE"]
    await office.tell(first)
    assert await office.bank() == "1000"
    assert await opened(office) == 0
    assert await office.found() == {}
    assert (await office.state()).held == {}
    booked = await office.rows("SELECT sum(net) FROM positions.bank_entry WHERE number = $1")
    assert booked == [(0,)]
    assert [o.disposition for o in await office.tell(*pages)] == [Disposition.DUPLICATE] * 2
    assert await office.bank() == "1000"


@pytest.mark.parametrize("kind", ["053", "052", "054"])
async def test_what_waits_for_a_page_that_never_comes_counts_when_its_time_has_come(
    office: Office, kind: str
) -> None:
    balances = "? > 600 " if kind == "053" else ""
    await office.tell(f"{kind} 19: {balances}| B-400 id=S page=2/2", at=ARRIVAL)
    patience = WAIT_MAX if kind == "053" else AHEAD_WAIT_MAX
    await office.pass_time(ARRIVAL + patience)
    assert await office.bank() == "600"
    assert await opened(office) == 1, "the bank did book it"
    assert await office.kinds() == ["STATEMENT_INCOMPLETE"]


async def test_pages_of_a_notification_in_their_order_count_as_they_come(office: Office) -> None:
    await office.tell("054 19: | A+400 id=S page=1/3", "054 19: | B+5 id=S page=2/3")
    assert await office.bank() == "1405"
    await office.tell("054 19: | C+5 id=S page=3/3")
    assert await office.bank() == "1410"
    assert await office.found() == {}


async def test_what_stands_on_two_pages_of_a_notification_is_two_payments(office: Office) -> None:
    await office.tell("054 19: | A+5 id=S page=1/2", "054 19: | A+5 id=S page=2/2")
    assert await office.bank() == "1010"


@pytest.mark.parametrize("kind", ["052", "054"])
async def test_a_page_that_says_another_thing_than_before_is_held(
    office: Office, kind: str
) -> None:
    await office.tell(f"{kind} 19: | B+5 id=S page=2/2", f"{kind} 19: | A+1 id=S page=1/2")
    (outcome,) = await office.tell(f"{kind} 19: | C+7 id=S page=2/2")
    assert [held.code for held in outcome.held] == [RefusalCode.ID_CONFLICT]
    assert await office.bank() == "1006"


async def test_the_balance_on_a_page_of_a_report_is_compared_when_all_pages_are_there(
    office: Office,
) -> None:
    at = ARRIVAL.replace(day=19, hour=9)
    second, first = "052 19: ? > 1030 | B+5 id=S page=2/2", "052 19: 1000 > ? | A+20 id=S page=1/2"
    await office.tell(f"{second} made=9", at=at)
    assert await office.kinds() == ["STATEMENT_INCOMPLETE"]
    await office.tell(f"{first} made=9", at=at)
    assert await office.bank() == "1025"
    assert (await office.found())["SOURCE_DISAGREEMENT balance 2026-11-19"] == "5"


async def test_what_pages_of_a_notification_told_without_references_is_in_the_statement_in_pages(
    office: Office,
) -> None:
    await office.tell("054 19: | b+5 id=S page=2/2", "054 19: | a+20 id=S page=1/2")
    await office.tell(
        "053 19 #5: 1000 > ? | a+20 id=T page=1/2", "053 19 #5: ? > 1025 | b+5 id=T page=2/2"
    )
    assert await office.bank() == "1025"
    assert await office.found() == {}


async def test_a_payment_on_an_overtaking_page_counts_once_though_its_statement_comes_first(
    office: Office,
) -> None:
    await office.tell("054 19: | B+5 id=S page=2/2", "053 19: 1000 > 1025 | A+20 B+5")
    assert await office.bank() == "1025"
    await office.tell("054 19: | A+20 id=S page=1/2")
    assert await office.bank() == "1025"
    await office.pass_time(ARRIVAL + WAIT_MAX)
    assert await office.bank() == "1025"
    booked = await office.rows("SELECT sum(net) FROM positions.bank_entry WHERE number = $1")
    assert booked == [(25,)]
    assert "NOTIFICATION_UNCONFIRMED" not in await office.kinds()


async def test_a_notification_that_calls_itself_page_0_counts_as_it_comes(office: Office) -> None:
    text = office.message("054 19: | A+5 page=1/1").replace(b"<PgNb>1<", b"<PgNb>0<")
    (outcome,) = await office.take("054", [text])
    assert outcome.disposition is Disposition.APPLIED
    assert await office.bank() == "1005"
