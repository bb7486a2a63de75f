"""Invariants of the book: broken ones are found, old rows are not read again, silence is told."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from recon_streams.book.migrate import migrate
from recon_streams.positions.invariants import INVARIANTS, InvariantChecks

pytestmark = pytest.mark.postgres

ONE_ROW = "every_offset_has_one_row"
SOUND = dict.fromkeys(INVARIANTS, 0)


@pytest.fixture
async def owner(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    async with asyncpg.create_pool(database, min_size=1, max_size=2) as pool:
        await pool.execute(
            "INSERT INTO book.stream (topic, part, first_offset, next_offset) VALUES ('t', 0, 5, 5)"
        )
        yield pool


async def take_in(owner: asyncpg.Pool, *rows: tuple[int, int]) -> None:
    """Take in inputs, each by its offset and how many offsets it spans."""
    await owner.executemany(
        "INSERT INTO book.input (stream, off, span, at, disposition) "
        "SELECT stream, $1, $2, now(), 'APPLIED' FROM book.stream",
        rows,
    )
    last, span = rows[-1]
    await owner.execute("UPDATE book.stream SET next_offset = $1", last + span)


async def test_inputs_and_holes_that_cover_every_offset_are_sound(owner: asyncpg.Pool) -> None:
    checks = InvariantChecks(owner, rows_at_once=2)
    assert await checks.violations() == SOUND
    await take_in(owner, (5, 1), (6, 10), (16, 1), (17, 1), (18, 3))
    assert await checks.violations() == SOUND
    await take_in(owner, (21, 1))
    assert await checks.violations() == SOUND


@pytest.mark.parametrize("rows_at_once", [1, 2, 100])
@pytest.mark.parametrize("missing", [5, 7, 9])
async def test_an_offset_without_a_row_is_found_and_stays_told(
    owner: asyncpg.Pool, rows_at_once: int, missing: int
) -> None:
    checks = InvariantChecks(owner, rows_at_once=rows_at_once)
    await take_in(owner, *((offset, 1) for offset in range(5, 10)))
    await owner.execute("DELETE FROM book.input WHERE off = $1", missing)
    assert await checks.violations() == SOUND | {ONE_ROW: 1}
    await take_in(owner, (10, 1))
    assert await checks.violations() == SOUND | {ONE_ROW: 1}


async def test_what_was_found_in_order_is_not_read_again(owner: asyncpg.Pool) -> None:
    checks = InvariantChecks(owner)
    await take_in(owner, (5, 1), (6, 1))
    assert await checks.violations() == SOUND
    # Only the owner of the database could do this; the auditor compares all of it with the log.
    await owner.execute("DELETE FROM book.input WHERE off = 5")
    assert await checks.violations() == SOUND
    assert await InvariantChecks(owner).violations() == SOUND | {ONE_ROW: 1}


async def test_what_cannot_be_judged_in_time_is_told_and_its_neighbours_are_judged(
    owner: asyncpg.Pool, database: str
) -> None:
    hasty = await asyncpg.create_pool(
        database, min_size=1, max_size=1, server_settings={"statement_timeout": "200"}
    )
    checks = InvariantChecks(hasty)
    async with owner.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE book.input")
        assert await checks.violations() == SOUND | {ONE_ROW: None}
    assert await checks.violations() == SOUND
    await hasty.close()
