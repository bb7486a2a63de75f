"""What the tests of positions share: storyboards, offices on a book, examples for their laws."""

import asyncio
import itertools
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.positions.invariants import InvariantChecks
from recon_streams.testing.postgres import TestPostgres

# This folder is not a package; its helpers are modules beside the tests.
sys.path.append(str(Path(__file__).parent))

from bank_messages import Bank
from statement_office import Office
from storyboard import Story

_NUMBERS = itertools.count(1)

# The same examples in every run: a red build must be red again when somebody looks.
settings.register_profile("lawful", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("lawful")


@pytest.fixture
def storyboard() -> Callable[[str], Story]:
    """Play a storyboard and check its decisions; return the account at its end."""
    return lambda text: Story().play(text)


@pytest.fixture
def bank() -> Bank:
    """Return a bank that has said nothing yet; both its accounts hold 1000."""
    return Bank()


@pytest.fixture(scope="module")
def dsn(postgres: TestPostgres) -> str:
    """One migrated database for all the stories of a file; each has an account of its own."""
    name = f"t_{secrets.token_hex(6)}"

    async def create() -> None:
        connection = await asyncpg.connect(postgres.dsn)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(create())
    migrate(postgres.dsn_of(name))
    return postgres.dsn_of(name)


@pytest.fixture
async def office(dsn: str) -> AsyncIterator[Office]:
    """Return an account and its bank; at the end the book must be in agreement with itself."""
    pool = await open_pool(dsn)
    made = Office(pool, f"SAFE-{next(_NUMBERS)}")
    await made.register()
    yield made
    broken = await InvariantChecks(pool).violations()
    assert broken["bank_figures_follow_their_statements"] == 0
    # Two roads to what each account booked: its days, and its entries one by one.
    apart = await pool.fetch(
        "SELECT number, d.net AS days, e.net AS entries FROM "
        "(SELECT number, sum(net) AS net FROM positions.bank_day GROUP BY 1) AS d "
        "FULL JOIN (SELECT number, sum(net) AS net FROM positions.bank_entry GROUP BY 1) AS e "
        "USING (number) WHERE d.net IS DISTINCT FROM e.net"
    )
    assert not apart
    await pool.close()
