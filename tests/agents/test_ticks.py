"""What a worker may say of inputs it has not seen: nothing, and of time: only what was proven."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import pytest
from typing_extensions import override

from agents.commit import commit_batch
from agents.intakes import make_intakes
from agents.logs import topic_plans
from agents.ticks import note_whether_caught_up
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.reading import read_batch
from recon_streams.book.streams import decided_through, open_positions
from recon_streams.kernel.clock import utc_now
from recon_streams.log.postgres_admin import PostgresAdmin
from recon_streams.log.postgres_probe import PostgresProbe
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import Batch, OutgoingRecord, TopicPartition
from recon_streams.positions.registry_store import DirectoryCache

pytestmark = pytest.mark.postgres

MOVEMENTS = TopicPartition("ledger.movements", 0)


@dataclass
class Desk:
    """A book that has met one partition, and the log it is on."""

    pool: asyncpg.Pool
    probe: PostgresProbe
    writer: PostgresWriter

    async def append(self) -> None:
        await self.writer.append([OutgoingRecord(MOVEMENTS.topic, None, b"{}")])

    async def decide(self) -> None:
        records = tuple([each async for each in self.probe.read(MOVEMENTS, 0, 1)])
        batch = Batch(*MOVEMENTS, 0, 1, records)
        intake = make_intakes(DirectoryCache())[MOVEMENTS.topic]
        await commit_batch(self.pool, intake, batch, await read_batch(intake, batch))

    async def through(self) -> datetime | None:
        return await decided_through(self.pool)


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    await PostgresAdmin(pool).apply(topic_plans(partitions=1))
    await open_positions(pool, {MOVEMENTS: 0})
    yield Desk(pool, PostgresProbe(pool), PostgresWriter(pool))
    await pool.close()


async def test_a_partition_with_a_record_nobody_decided_is_not_caught_up(desk: Desk) -> None:
    await note_whether_caught_up(desk.pool, desk.probe, [MOVEMENTS])
    before = await desk.through()
    assert before is not None
    await desk.append()
    await note_whether_caught_up(desk.pool, desk.probe, [MOVEMENTS])
    assert await desk.through() == before
    await desk.decide()
    asked_at = utc_now()
    await note_whether_caught_up(desk.pool, desk.probe, [MOVEMENTS])
    through = await desk.through()
    assert through is not None
    assert through >= asked_at


async def test_an_answer_covers_nothing_after_its_question(desk: Desk) -> None:
    class Slow(PostgresProbe):
        """A log whose answer was held up on its way."""

        @override
        async def appended_ends(
            self, partitions: Collection[TopicPartition]
        ) -> dict[TopicPartition, int]:
            found = await super().appended_ends(partitions)
            await asyncio.sleep(0.2)
            await desk.append()
            return found

    before = utc_now()
    await note_whether_caught_up(desk.pool, Slow(desk.pool), [MOVEMENTS])
    through = await desk.through()
    assert through is not None
    assert (through - before).total_seconds() < 0.15
    (record,) = [each async for each in desk.probe.read(MOVEMENTS, 0, 1)]
    assert through < record.appended_at


async def test_a_record_that_is_being_appended_keeps_its_partition_from_being_caught_up(
    desk: Desk,
) -> None:
    async with desk.pool.acquire() as connection, connection.transaction():
        record = OutgoingRecord(MOVEMENTS.topic, None, b"{}")
        await desk.writer.append_in(connection, [record])
        await note_whether_caught_up(desk.pool, desk.probe, [MOVEMENTS])
        assert await desk.through() is None


async def test_a_silent_log_proves_nothing(desk: Desk, database: str) -> None:
    gone = await open_pool(database)
    await gone.close()
    await note_whether_caught_up(desk.pool, PostgresProbe(gone), [MOVEMENTS])
    assert await desk.through() is None
