"""What one batch learned of payments is all there for the next one, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import asyncpg
import pytest

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Disposition
from recon_streams.positions.identity import Mark, Rung
from recon_streams.positions.known import Claims, Known, SeenReport
from recon_streams.positions.known_store import Keys, load_known, write_known

pytestmark = pytest.mark.postgres
DAY = date(2026, 11, 20)
UETR = Mark(Rung.UETR, b"uetr-1")
FIRST = Mark(Rung.TRANSACTION_SERVICER_REFERENCE, b"reference-1")
SECOND = Mark(Rung.TRANSACTION_SERVICER_REFERENCE, b"reference-2")
END_TO_END = Mark(Rung.END_TO_END_ID, b"end-to-end")


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


async def learn(pool: asyncpg.Pool, marks: tuple[Mark, ...], payment: tuple[int, int]) -> None:
    async with UnitOfWork(pool) as unit:
        known = await ask(unit, marks)
        known.learn(1, marks, payment=payment, booked_on=DAY)
        write_known(unit, known)


async def ask(unit: UnitOfWork, marks: tuple[Mark, ...]) -> Known:
    keys = Keys(marks={(1, mark.digest) for mark in marks})
    return await load_known(unit.connection, keys)


async def found(pool: asyncpg.Pool, marks: tuple[Mark, ...]) -> tuple[int, int] | None:
    async with UnitOfWork(pool) as unit:
        seen = (await ask(unit, marks)).find(1, marks, booked_on=DAY, claimed=Claims())
        return (seen.sequence, seen.part) if seen else None


async def test_a_mark_brings_every_other_mark_of_its_payment(pool: asyncpg.Pool) -> None:
    await learn(pool, (UETR, END_TO_END), (7, 0))
    await learn(pool, (UETR, FIRST), (7, 0))
    await learn(pool, (END_TO_END,), (8, 2))
    async with UnitOfWork(pool) as unit:
        known = await ask(unit, (END_TO_END,))
    assert known.carried == {(1, 7, 0): {UETR, FIRST, END_TO_END}, (1, 8, 2): {END_TO_END}}


async def test_a_reference_of_an_earlier_batch_tells_two_payments_apart(pool: asyncpg.Pool) -> None:
    await learn(pool, (UETR, FIRST, END_TO_END), (7, 0))
    assert await found(pool, (SECOND, END_TO_END)) is None
    assert await found(pool, (FIRST, END_TO_END)) == (7, 0)
    await learn(pool, (SECOND, END_TO_END), (8, 0))
    assert await found(pool, (SECOND, END_TO_END)) == (8, 0)
    assert await found(pool, (END_TO_END,)) == (7, 0)


async def test_payments_of_other_accounts_are_not_brought(pool: asyncpg.Pool) -> None:
    async with UnitOfWork(pool) as unit:
        known = Known()
        known.learn(2, (UETR, FIRST), payment=(7, 0), booked_on=DAY)
        write_known(unit, known)
    assert await found(pool, (UETR,)) is None


async def test_what_became_of_a_notification_is_there_for_its_replay(pool: asyncpg.Pool) -> None:
    seen = SeenReport(b"content", "bank.notifications/0/7", Disposition.APPLIED)
    async with UnitOfWork(pool) as unit:
        known = Known()
        known.learn_report(1, b"key", seen)
        write_known(unit, known)
    async with UnitOfWork(pool) as unit:
        known = await load_known(unit.connection, Keys(reports={(1, b"key"), (2, b"key")}))
    assert known.reports == {(1, b"key"): seen}
