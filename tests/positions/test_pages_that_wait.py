"""A statement in pages moves the balance once: with its closing, or when it is given up."""

import io
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from statement_office import ARRIVAL, Office

from recon_streams.bankfiles.splitting import pages_of, plan_of
from recon_streams.book.connection import open_pool
from recon_streams.positions.event import BankMoved, Registered, event_from_bytes
from recon_streams.positions.holding import WAIT_MAX
from recon_streams.positions.invariants import InvariantChecks
from recon_streams.positions.state import state_bytes
from recon_streams.positions.step import register, step

pytestmark = pytest.mark.postgres
_NUMBERS = itertools.count(1)
STATEMENT = "053 19 #5: 1000 > 1000 | A+30 B-400 C+500 D-120 E-5 F-5"


@pytest.fixture
async def office(dsn: str) -> AsyncIterator[Office]:
    pool = await open_pool(dsn)
    made = Office(pool, f"WAIT-{next(_NUMBERS)}")
    await made.register()
    yield made
    broken = await InvariantChecks(pool).violations()
    assert broken["bank_figures_follow_their_statements"] == 0
    assert await refolded(made) == state_bytes(await made.state()), "the log is sufficient"
    await pool.close()


async def refolded(office: Office) -> bytes:
    """Return the state that the account's log of events alone gives."""
    directory = await office.directories.current(office.pool)
    account = directory.by_ledger(office.account_id, "AED")
    assert account is not None
    rows = await office.rows(
        "SELECT event FROM positions.account_event WHERE number = $1 ORDER BY sequence"
    )
    first, *later = (event_from_bytes(payload) for (payload,) in rows)
    assert isinstance(first, Registered)
    state = register(office.account_id, "AED", first, account.rules).state
    for event in later:
        state = step(state, event, account.rules).state
    return state_bytes(state)


def cut(payload: bytes, *, entries_max: int = 2) -> list[bytes]:
    plan = plan_of(lambda: io.BytesIO(payload), entries_max=entries_max)
    return [page.payload for page in pages_of(lambda: io.BytesIO(payload), plan)]


async def moves(office: Office) -> list[str]:
    rows = await office.rows(
        "SELECT event FROM positions.account_event WHERE number = $1 ORDER BY sequence"
    )
    events = (event_from_bytes(payload) for (payload,) in rows)
    return [str(event.amount) for event in events if isinstance(event, BankMoved)]


async def test_a_breaker_never_opens_because_of_pages_of_a_file_that_adds_up(
    office: Office,
) -> None:
    for order in itertools.permutations(range(3)):
        other = Office(office.pool, f"{office.account_id}-{''.join(map(str, order))}")
        await other.register()
        pages = cut(other.message(STATEMENT))
        for place in order:
            assert await other.bank() == "1000"
            await other.take("053", [pages[place]])
        assert await other.bank() == "1000"
        opened = await other.rows(
            "SELECT to_state FROM breaker.transition JOIN breaker.scope USING (scope) "
            "WHERE number = $1 "
            "AND to_state = 'OPEN'"
        )
        assert opened == []


async def test_pages_that_stay_missing_are_given_up_when_their_time_has_come(
    office: Office,
) -> None:
    pages = cut(office.message(STATEMENT))
    await office.take("053", [pages[1]])
    until = (await office.state()).held.popitem()[1].until
    assert until == ARRIVAL + timedelta(seconds=1) + WAIT_MAX
    await office.pass_time(until - timedelta(seconds=1))
    assert await office.bank() == "1000"
    await office.pass_time(until)
    assert await office.bank() == "1380"
    assert (await office.state()).held == {}
    assert await office.kinds() == ["STATEMENT_INCOMPLETE"]
    heard = (await office.state()).bank.as_of
    assert heard is not None
    assert heard < until, "nobody spoke"
    await office.take("053", [pages[2]], until + timedelta(seconds=1))
    assert await office.bank() == "1370", "later pages count as they come"
    await office.take("053", [pages[0]], until + timedelta(seconds=2))
    assert await office.bank() == "1000"
    assert await office.kinds() == []
    assert str((await office.state()).stated_on) == "2026-11-19"


async def test_the_next_message_gives_up_what_waited_too_long(office: Office) -> None:
    pages = cut(office.message(STATEMENT))
    at = ARRIVAL
    await office.take("053", pages[:1], at)
    await office.tell("054 20: | Z+7", at=at + WAIT_MAX - timedelta(seconds=1))
    assert await office.bank() == "1007"
    await office.tell("054 20: | Y+1", at=at + WAIT_MAX)
    assert await office.bank() == "638"
    assert await moves(office) == ["7", "-370", "1"]


async def test_what_another_message_announces_does_not_wait(office: Office) -> None:
    pages = cut(office.message(STATEMENT))
    await office.take("053", [pages[0]])
    await office.tell("054 19: | A+30")
    assert await office.bank() == "1030"
    await office.tell("054 19: | A+30 id=again", "052 19: | A+30")
    assert await office.bank() == "1030"
    await office.take("053", pages[1:])
    assert await office.bank() == "1000"
    assert await moves(office) == ["30"]


async def test_an_announced_payment_is_not_given_up_again(office: Office) -> None:
    pages = cut(office.message(STATEMENT))
    at = ARRIVAL
    await office.take("053", [pages[0]], at)
    await office.tell("054 19: | A+30", at=at)
    await office.pass_time(at + WAIT_MAX)
    assert await office.bank() == "630"
    assert await moves(office) == ["30", "-400"]


async def test_an_older_statement_that_closes_meanwhile_does_not_count_what_waits(
    office: Office,
) -> None:
    pages = cut(office.message(STATEMENT))
    await office.take("053", pages[:2])
    await office.tell("053 18: 999 > 1000 | Q+1")
    assert await office.bank() == "1000"
    await office.take("053", pages[2:])
    assert await office.bank() == "1000"


async def test_a_newer_statement_that_closes_meanwhile_contains_what_waits(
    office: Office,
) -> None:
    pages = cut(office.message(STATEMENT))
    await office.take("053", pages[:2])
    await office.tell("053 20: 1000 > 1001 | Q+1")
    assert await office.bank() == "1001"
    await office.pass_time(ARRIVAL + timedelta(hours=1))
    assert await office.bank() == "1001"
    await office.take("053", pages[2:])
    assert await office.bank() == "1001"
    assert await office.kinds() == []


async def test_the_whole_statement_takes_the_place_of_pages_that_wait(office: Office) -> None:
    pages = cut(office.message(STATEMENT))
    await office.take("053", pages[:1])
    await office.tell(STATEMENT)
    assert await office.bank() == "1000"
    await office.pass_time(ARRIVAL + timedelta(hours=1))
    assert await office.bank() == "1000"


async def test_a_page_that_gives_a_payment_another_day_keeps_the_days_right(
    office: Office,
) -> None:
    await office.tell("053 18: 1000 > 1000 |", "054 20: | A+30", "054 19: | B+1")
    pages = cut(office.message("053 19: 1000 > 1031 | A+30@19 B+1 opened=19"), entries_max=1)
    await office.take("053", pages[:1])
    assert await office.bank() == "1031"
    await office.take("053", pages[1:])
    assert await office.bank() == "1031"


async def test_a_page_of_a_closed_day_takes_back_what_was_counted_after_it(
    office: Office,
) -> None:
    await office.tell("054 20: | A+30", "053 19 #6: 1040 > 1040 |")
    assert await office.bank() == "1070"
    pages = cut(office.message("053 18 #5: 1000 > 1040 | A+30 B+10"), entries_max=1)
    await office.take("053", pages[:1])
    assert await office.bank() == "1040", "the closing of the 19th contains it"
    await office.take("053", pages[1:])
    assert await office.bank() == "1040"
