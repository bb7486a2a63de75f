"""The log in PostgreSQL is trimmed by who publishes from it, and never of what nobody has read."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from agents.house import Duties, open_house
from agents.logs import Logs, postgres_logs, topic_plans
from agents.upkeep import keep_log
from recon_streams.book import streams
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.log.record import OutgoingRecord, TopicPartition
from recon_streams.runtime.settings import load_settings
from recon_streams.testing.keys import new_key_ring

pytestmark = pytest.mark.postgres

NOTICES = TopicPartition("bank.notifications", 0)
ALERTS = TopicPartition("recon.alerts", 0)


@dataclass
class Old:
    """A log whose records are all far older than they are kept."""

    pool: asyncpg.Pool
    logs: Logs

    async def starts(self) -> dict[TopicPartition, int]:
        return await self.logs.probe.start_offsets([NOTICES, ALERTS])


@pytest.fixture
async def old(database: str) -> AsyncIterator[Old]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    logs = postgres_logs(pool, group="recon")
    await logs.admin.apply(topic_plans(partitions=1))
    records = [OutgoingRecord(topic, b"k", b"-") for topic, _ in (NOTICES, ALERTS)]
    for _ in range(5):
        await logs.writer.append(records)
    await pool.execute("UPDATE log.record SET at = at - interval '500 days'")
    yield Old(pool, logs)
    await pool.close()


async def test_inputs_that_wait_are_kept_however_old_they_are(old: Old) -> None:
    await keep_log(old.pool, old.logs)
    assert await old.starts() == {NOTICES: 0, ALERTS: 5}, "nobody has met the partition"
    await streams.open_positions(old.pool, {NOTICES: 0})
    await old.pool.execute("UPDATE book.stream SET next_offset = 3")
    assert await keep_log(old.pool, old.logs) == 3
    assert await old.starts() == {NOTICES: 3, ALERTS: 5}
    await old.pool.execute("UPDATE book.stream SET next_offset = 5")
    assert await keep_log(old.pool, old.logs) == 2
    assert await keep_log(old.pool, old.logs) == 0


async def test_a_house_that_publishes_trims_the_log(old: Old) -> None:
    settings = load_settings(None, {}, {"telemetry.port": 0})
    stop = asyncio.Event()
    duties = Duties(worker=False, keys=new_key_ring())
    async with open_house(settings, old.pool, old.logs, name="test", duties=duties) as house:
        serving = asyncio.create_task(house.serve(stop))
        async with asyncio.timeout(10):
            while (await old.starts())[ALERTS] < 5:
                await asyncio.sleep(0.05)
        stop.set()
        await serving
