"""Rows collected in a unit of work are written alike, whether there are few of them or many."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from recon_streams.book.bulk import COPY_ROWS_MIN, Bulk
from recon_streams.book.connection import open_pool
from recon_streams.book.unit_of_work import UnitOfWork

pytestmark = pytest.mark.postgres

COIN = Bulk.insert("public.coin", {"number": "int", "name": "text", "image": "bytea"})
PURSE = Bulk.insert("public.purse", {"number": "int", "amount": "numeric"})
ADDED = Bulk(
    "added",
    PURSE.columns,
    "INSERT INTO public.purse AS p SELECT * FROM {rows} "
    "ON CONFLICT (number) DO UPDATE SET amount = p.amount + excluded.amount",
)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await open_pool(database, as_app=False)
    await pool.execute("CREATE TABLE coin (number int PRIMARY KEY, name text, image bytea)")
    await pool.execute("CREATE TABLE purse (number int PRIMARY KEY, amount numeric)")
    yield pool
    await pool.close()


@pytest.mark.parametrize("count", [1, COPY_ROWS_MIN - 1, COPY_ROWS_MIN, 3 * COPY_ROWS_MIN])
async def test_few_rows_and_many_are_written_alike(pool: asyncpg.Pool, count: int) -> None:
    rows = [(number, None if number % 3 else "é", bytes([0, number])) for number in range(count)]
    async with UnitOfWork(pool) as unit:
        unit.write(COIN, rows[: count // 2])
        unit.write(COIN, rows[count // 2 :])
        unit.write(PURSE, [(1, 10)])
    assert [tuple(row) for row in await pool.fetch("SELECT * FROM coin ORDER BY number")] == rows
    assert await pool.fetchval("SELECT amount FROM purse") == 10


async def test_what_is_not_a_plain_insert_is_one_statement_at_any_size(pool: asyncpg.Pool) -> None:
    for _ in range(2):
        async with UnitOfWork(pool) as unit:
            unit.write(ADDED, [(number, 1) for number in range(2 * COPY_ROWS_MIN)])
    assert await pool.fetchval("SELECT sum(amount) FROM purse") == 4 * COPY_ROWS_MIN


async def test_nothing_collected_is_nothing_written(pool: asyncpg.Pool) -> None:
    async with UnitOfWork(pool) as unit:
        unit.write(COIN, [])
        await unit.flush()
    assert await pool.fetchval("SELECT count(*) FROM coin") == 0


async def test_what_was_collected_goes_with_a_transaction_that_fails(pool: asyncpg.Pool) -> None:
    async def write_and_fail() -> None:
        async with UnitOfWork(pool) as unit:
            unit.write(COIN, [(1, "a", b"")])
            await unit.flush()
            unit.write(COIN, [(2, "b", b"")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_and_fail()
    assert await pool.fetchval("SELECT count(*) FROM coin") == 0
