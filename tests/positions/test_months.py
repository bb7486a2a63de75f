"""Partitions by month: made ahead, and never in the way of rows that were there before them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import asyncpg
import pytest

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.positions.entry_store import make_months

pytestmark = pytest.mark.postgres
TABLES = ("bank_entry", "entry_confirmation")
ENTRY = (
    "INSERT INTO positions.bank_entry (number, sequence, part, arrived_on, booked_on, amount, net, "
    "code, reversal, message, origin, path) "
    "VALUES (1, $1, 0, $2, $2, 5, 5, 'X', false, 'camt.054', 't/0/1', 'Ntry[1]')"
)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


async def partition_of(pool: asyncpg.Pool, sequence: int) -> str:
    name: str = await pool.fetchval(
        "SELECT tableoid::regclass::text FROM positions.bank_entry WHERE sequence = $1", sequence
    )
    return name


async def test_months_are_made_once(pool: asyncpg.Pool) -> None:
    assert await make_months(pool, date(2040, 4, 20)) == 3 * len(TABLES)
    assert await make_months(pool, date(2040, 4, 25)) == 0
    await pool.execute(ENTRY, 1, date(2040, 5, 31))
    assert await partition_of(pool, 1) == "positions.bank_entry_204005"


async def test_a_month_whose_rows_stand_in_the_default_partition_stays_there(
    pool: asyncpg.Pool,
) -> None:
    await pool.execute(ENTRY, 1, date(2040, 5, 10))
    assert await partition_of(pool, 1) == "positions.bank_entry_otherwise"
    made = await make_months(pool, date(2040, 4, 20))
    assert made == 3 * len(TABLES) - 1, "all but that month of that table"
    assert await make_months(pool, date(2040, 4, 20)) == 0
    await pool.execute(ENTRY, 2, date(2040, 5, 11))
    await pool.execute(ENTRY, 3, date(2040, 6, 1))
    assert await partition_of(pool, 2) == "positions.bank_entry_otherwise"
    assert await partition_of(pool, 3) == "positions.bank_entry_204006"
    total = await pool.fetchval("SELECT sum(net) FROM positions.bank_entry")
    assert total == 15
