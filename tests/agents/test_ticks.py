"""What a worker may say of inputs it has not seen: nothing, and of time: only what was proven."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from msgspec.structs import replace
from typing_extensions import override

from agents.commit import commit_batch
from agents.intakes import make_intakes
from agents.logs import topic_plans
from agents.ticks import LogEnds, note_whether_caught_up
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.reading import read_batch
from recon_streams.book.streams import (
    LogEnd,
    book_time,
    decided_through,
    note_caught_up,
    open_positions,
    proven_through,
)
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
    asked: LogEnds = field(default_factory=LogEnds)

    async def append(self) -> None:
        await self.writer.append([OutgoingRecord(MOVEMENTS.topic, None, b"{}")])

    async def decide(self, offset: int = 0, *, ahead: timedelta = timedelta(0)) -> None:
        """Decide the record at `offset`, as if the log's clock were `ahead`."""
        records = tuple(
            [
                replace(each, appended_at=each.appended_at + ahead)
                async for each in self.probe.read(MOVEMENTS, offset, offset + 1)
            ]
        )
        batch = Batch(*MOVEMENTS, offset, offset + 1, records)
        intake = make_intakes(DirectoryCache())[MOVEMENTS.topic]
        await commit_batch(self.pool, intake, batch, await read_batch(intake, batch))

    async def through(self) -> datetime | None:
        return await decided_through(self.pool)

    async def proven(self) -> datetime | None:
        return await proven_through(self.pool)

    async def beat(self) -> None:
        await note_whether_caught_up(self.pool, self.probe, [MOVEMENTS], self.asked)


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    await PostgresAdmin(pool).apply(topic_plans(partitions=1))
    await open_positions(pool, {MOVEMENTS: 0})
    yield Desk(pool, PostgresProbe(pool), PostgresWriter(pool))
    await pool.close()


async def test_a_partition_with_a_record_nobody_decided_is_not_caught_up(desk: Desk) -> None:
    await note_whether_caught_up(desk.pool, desk.probe, [MOVEMENTS], desk.asked)
    before = await desk.through()
    assert before is not None
    await desk.append()
    await note_whether_caught_up(desk.pool, desk.probe, [MOVEMENTS], desk.asked)
    assert await desk.through() == before
    await desk.decide()
    asked_at = utc_now()
    await note_whether_caught_up(desk.pool, desk.probe, [MOVEMENTS], desk.asked)
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
    await note_whether_caught_up(desk.pool, Slow(desk.pool), [MOVEMENTS], desk.asked)
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
        await note_whether_caught_up(desk.pool, desk.probe, [MOVEMENTS], desk.asked)
        assert await desk.through() is None


async def test_a_silent_log_proves_nothing(desk: Desk, database: str) -> None:
    gone = await open_pool(database)
    await gone.close()
    await note_whether_caught_up(desk.pool, PostgresProbe(gone), [MOVEMENTS], desk.asked)
    assert await desk.through() is None


async def test_a_log_whose_clock_is_ahead_makes_nobody_who_lags_look_up_to_date(desk: Desk) -> None:
    await desk.beat()
    before = await desk.proven()
    await desk.append()
    await desk.append()
    await desk.decide(ahead=timedelta(hours=1))
    assert await desk.proven() == before, "no lease hangs on what the log says of time"
    through = await desk.through()
    assert through is not None
    assert through <= await book_time(desk.pool), "and nothing on what has not come yet"
    await desk.beat()
    assert await desk.proven() == before, "one record still waits"
    await desk.decide(1, ahead=timedelta(hours=1))
    await desk.beat()
    proven = await desk.proven()
    assert proven is not None
    assert before is not None
    assert before < proven <= await book_time(desk.pool)


async def test_who_is_busy_proves_what_arrived_before_the_end_it_has_reached(desk: Desk) -> None:
    await desk.append()
    asked_after = await book_time(desk.pool)
    await desk.beat()
    asked_before = await book_time(desk.pool)
    assert await desk.proven() is None
    # When the log is asked again there is always something new.
    await desk.append()
    await desk.decide()
    await desk.beat()
    proven = await desk.proven()
    assert proven is not None
    assert asked_after <= proven <= asked_before


async def test_a_worker_that_was_deposed_says_nothing_that_was_not_true(desk: Desk) -> None:
    asleep = LogEnds()
    await note_whether_caught_up(desk.pool, desk.probe, [MOVEMENTS], asleep)
    slept_at = await book_time(desk.pool)
    await desk.append()
    await desk.append()
    await desk.decide()  # by its heir, who is not done yet
    # It wakes and finishes what it was about to say: of the past that is true for ever.
    await note_caught_up(desk.pool, asleep.note({MOVEMENTS: 0}, {}, slept_at))
    # It asks anew, as if the partition were still its own: the book has not reached the end.
    await note_whether_caught_up(desk.pool, desk.probe, [MOVEMENTS], asleep)
    proven = await desk.proven()
    assert proven is not None
    assert proven < slept_at


async def test_what_another_log_said_proves_nothing_of_this_one(desk: Desk) -> None:
    now = await book_time(desk.pool)
    later = now + timedelta(seconds=1)
    asked = LogEnds()
    assert asked.note({MOVEMENTS: 5}, {MOVEMENTS: 9}, now) == [
        LogEnd(partition=MOVEMENTS, end=9, asked_at=now)
    ]
    assert asked.note({MOVEMENTS: 5}, {MOVEMENTS: 8}, later) == [], "it lost its end"
    assert asked.note({MOVEMENTS: 5}, {MOVEMENTS: 4}, later) == [], "we are beyond its end"
    asked.note({MOVEMENTS: 5}, {MOVEMENTS: 9}, now)
    assert asked.note({}, {}, later) == [], "it is another worker's by now"


def test_of_the_ends_that_were_reached_the_newest_is_enough(utc_days: list[datetime]) -> None:
    asked = LogEnds()
    found = []
    for number, at in enumerate(utc_days):
        found = asked.note({MOVEMENTS: max(0, number - 2)}, {MOVEMENTS: number}, at)
    assert [each.end for each in found] == [len(utc_days) - 3, len(utc_days) - 2, len(utc_days) - 1]


@pytest.fixture
def utc_days() -> list[datetime]:
    return [datetime(2026, 11, day, tzinfo=UTC) for day in range(1, 21)]
