"""An exercise that is over is not said again for ever."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker_desk.trip import TripDesk
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.publisher import newest

pytestmark = pytest.mark.postgres

HOUR = timedelta(hours=1)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


async def test_a_drill_is_restated_until_it_has_been_over_for_a_day(pool: asyncpg.Pool) -> None:
    desk = TripDesk(DirectoryCache())
    now = datetime.now(UTC)
    ended = {"drill:old": 25 * HOUR, "drill:young": 23 * HOUR, "drill:open": None}
    for scope, age in ended.items():
        async with UnitOfWork(pool) as unit:
            await desk.trip(unit, scope, reason="exercise", actor="t", at=now - 30 * HOUR)
        if age is not None:
            async with UnitOfWork(pool) as unit:
                await desk.stand_down(unit, scope, reason="over", actor="t", at=now - age)
    await pool.execute("UPDATE book.outbox SET published_at = clock_timestamp()")
    last, records = await newest.page(pool, after="", rows_max=10)
    said = [record.key for record in records]
    assert said == [b"all", b"drill:open", b"drill:young"]
    assert last is None
    _, records = await newest.page(pool, after="all", rows_max=1)
    assert [record.key for record in records] == [b"drill:open"]
