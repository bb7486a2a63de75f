"""A statement that we cut into pages ourselves is the statement, in whatever order they come."""

import asyncio
import io
from collections.abc import AsyncIterator
from random import Random

import pytest
from statement_office import Office

from recon_streams.bankfiles.splitting import pages_of, plan_of
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions.invariants import InvariantChecks

pytestmark = pytest.mark.postgres
BOOKED = range(1, 24)
ENTRIES = " ".join(f"C{number}+{number}" for number in BOOKED) + " x-1 y-1"
CLOSING = 1000 + sum(BOOKED) - 2


@pytest.fixture
async def office(database: str) -> AsyncIterator[Office]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    made = Office(pool)
    await made.register()
    yield made
    assert (await InvariantChecks(pool).violations())["bank_figures_follow_their_statements"] == 0
    await pool.close()


def cut(payload: bytes) -> list[bytes]:
    plan = plan_of(lambda: io.BytesIO(payload), entries_max=5)
    return [page.payload for page in pages_of(lambda: io.BytesIO(payload), plan)]


@pytest.mark.parametrize("seed", range(4))
async def test_pages_of_our_own_in_any_order_are_the_statement(office: Office, seed: int) -> None:
    await office.tell(
        "054 19: | C1+1 C20+20 C21+21",
        "054 20: | D+7",
        "052 19: 1000 > 999 | x-1",
        "053 18: 1000 > 1000 |",
    )
    pages = cut(office.message(f"053 19 #5: 1000 > {CLOSING} | {ENTRIES}"))
    assert len(pages) == 5
    Random(seed).shuffle(pages)
    size = 1 if seed % 2 else 2
    for start in range(0, len(pages), size):
        assert str((await office.state()).stated_on) == "2026-11-18"
        await office.take("053", pages[start : start + size])
    assert str((await office.state()).stated_on) == "2026-11-19"
    assert await office.bank() == f"{CLOSING + 7}"
    rows = await office.rows("SELECT count(*) FROM positions.bank_entry WHERE number = $1")
    assert rows == [(len(BOOKED) + 3,)]
    late = sum(BOOKED) - 1 - 20 - 21 - 1
    assert await office.found() == {"LATE_NOTIFICATION 2026-11-19#5": f"{late}"}
    again = await office.take("053", pages)
    assert {outcome.disposition for outcome in again} == {Disposition.DUPLICATE}


async def test_pages_of_a_file_that_does_not_add_up_are_refused_one_by_one(
    office: Office,
) -> None:
    pages = cut(office.message(f"053 19 #5: 1000 > {CLOSING + 1} | {ENTRIES}"))
    outcomes = await office.take("053", pages)
    assert {outcome.held[0].code for outcome in outcomes} == {RefusalCode.STATEMENT_UNBALANCED}
    assert await office.bank() == "1000"
    assert await office.kinds() == ["STATEMENT_UNBALANCED"]


async def test_a_notification_that_we_cut_is_one_notification(office: Office) -> None:
    pages = cut(office.message(f"054 19: | {ENTRIES}"))
    outcomes = await office.take("054", pages)
    assert {outcome.disposition for outcome in outcomes} == {Disposition.APPLIED}
    assert await office.bank() == f"{CLOSING}"


async def test_pages_that_disagree_about_how_many_there_are_never_become_one_statement(
    office: Office,
) -> None:
    pages = cut(office.message(f"053 19 #5: 1000 > {CLOSING} | {ENTRIES}"))
    pages[-1] = pages[-1].replace(b'number="5" of="5"', b'number="6" of="6"')
    outcomes = await office.take("053", pages)
    assert Disposition.QUARANTINED not in {outcome.disposition for outcome in outcomes}
    assert (await office.state()).stated_on is None
    assert await office.bank() == "1000"
    assert await office.kinds() == ["STATEMENT_INCOMPLETE"]


@pytest.mark.parametrize("seed", range(3))
async def test_pages_of_a_notification_that_we_cut_may_come_in_any_order(
    office: Office, seed: int
) -> None:
    pages = cut(office.message(f"054 19: | {ENTRIES}"))
    Random(seed).shuffle(pages)
    for page in pages:
        await office.take("054", [page])
    assert await office.bank() == f"{CLOSING}"
    assert (await office.state()).held == {}
    assert await office.found() == {}
