"""A correction takes back what it dropped, whichever of the two versions comes in pages."""

import io
import itertools
from collections.abc import AsyncIterator

import pytest
from statement_office import Office

from recon_streams.bankfiles.splitting import pages_of, plan_of
from recon_streams.book.connection import open_pool
from recon_streams.positions.event import Registered, event_from_bytes
from recon_streams.positions.invariants import InvariantChecks
from recon_streams.positions.state import state_bytes
from recon_streams.positions.step import register, step

pytestmark = pytest.mark.postgres
_NUMBERS = itertools.count(1)
FIRST = "053 19 #5: 1000 > 1007 | A+30 B-30 D+7 made=8"
SECOND = "053 19 #5: 1000 > 1012 | A+30 C-25 D+7 made=9"
NEXT = "053 20 #6: 1012 > 1013 | N+1"


@pytest.fixture
async def office(dsn: str) -> AsyncIterator[Office]:
    pool = await open_pool(dsn)
    made = Office(pool, f"FIX-{next(_NUMBERS)}")
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


def cut(payload: bytes, *, entries_max: int = 1) -> list[bytes]:
    plan = plan_of(lambda: io.BytesIO(payload), entries_max=entries_max)
    return [page.payload for page in pages_of(lambda: io.BytesIO(payload), plan)]


async def withdrawn(office: Office) -> list[tuple[str, str]]:
    return [
        (str(amount), str(day))
        for amount, day in await office.rows(
            "SELECT net, booked_on FROM positions.bank_entry "
            "WHERE number = $1 AND code = 'WITHDRAWN' ORDER BY net"
        )
    ]


async def booked(office: Office) -> str:
    rows = await office.rows("SELECT sum(net) FROM positions.bank_entry WHERE number = $1")
    return str(rows[0][0])


@pytest.mark.parametrize("batches", ["one", "each"])
@pytest.mark.parametrize("later", ["before", "none"])
@pytest.mark.parametrize("forms", [("pages", "pages"), ("pages", "whole"), ("whole", "pages")])
async def test_a_correction_takes_back_what_it_no_longer_holds(
    office: Office, forms: tuple[str, str], later: str, batches: str
) -> None:
    for form, line in zip(forms, (FIRST, SECOND), strict=True):
        payload = office.message(line)
        pages = cut(payload) if form == "pages" else [payload]
        if batches == "one":
            await office.take("053", pages)
        else:
            for page in pages:
                await office.take("053", [page])
        if later == "before" and line == FIRST:
            await office.tell(NEXT)
    assert await office.bank() == ("1012" if later == "none" else "1013")
    assert await withdrawn(office) == [("30", "2026-11-19")]
    assert await booked(office) == ("12" if later == "none" else "13")
    assert (await office.found()).keys() == {"STATEMENT_CORRECTED 2026-11-19#5"}
    assert (await office.state()).held == {}


@pytest.mark.parametrize("newer", [0, 1, 3])
async def test_pages_of_an_older_version_change_nothing_once_they_are_whole(
    office: Office, newer: int
) -> None:
    pages = cut(office.message(FIRST))
    for place, page in enumerate(pages):
        if place == newer:
            await office.tell(SECOND)
        await office.take("053", [page])
    if newer == len(pages):
        await office.tell(SECOND)
    assert await office.bank() == "1012"
    assert await booked(office) == "12"
    assert (await office.state()).held == {}
    statuses = await office.rows(
        "SELECT status FROM positions.statement WHERE number = $1 ORDER BY status"
    )
    assert statuses == [("ACCEPTED",), ("SUPERSEDED",)]
