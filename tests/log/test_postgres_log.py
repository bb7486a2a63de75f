"""What only the log in Postgres promises: appends inside transactions, no holes, upkeep."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from recon_streams.log.errors import LogUnreachable, LostRecords
from recon_streams.log.postgres_reader import PostgresGroupPlan, PostgresReader
from recon_streams.log.record import GapCause, OutgoingRecord, ProvenGap, TopicPartition
from recon_streams.testing.logs import Owner, PostgresLog, drain, everything, record, until

pytestmark = pytest.mark.postgres


async def test_an_append_in_a_transaction_exists_only_if_it_commits(
    postgres_log: PostgresLog,
) -> None:
    log = postgres_log
    topic = await log.topic()
    partition = TopicPartition(topic, 0)
    async with log.pool.acquire() as connection:
        rolled_back = connection.transaction()
        await rolled_back.start()
        await log.writer.append_in(connection, [record(topic, b"k", 1)])
        await rolled_back.rollback()
        async with connection.transaction():
            places = await log.writer.append_in(connection, [record(topic, b"k", 2)])
    assert places == [(0, 0)]  # the one that was rolled back left no hole
    assert [each.value for each in await everything(log.probe, partition)] == [b"2"]


async def test_writers_that_commit_in_any_order_leave_one_order_without_holes(
    postgres_log: PostgresLog,
) -> None:
    log = postgres_log
    topic = await log.topic(partitions=2)
    random.seed(7)
    reader = await log.reader(topic)

    async def write() -> int:
        committed = 0
        for number in range(15):
            keys = [f"{random.random()}".encode() for _ in range(random.randint(1, 5))]
            open_append = await log.begin([record(topic, key, number) for key in keys])
            await asyncio.sleep(random.random() * 0.004)
            if random.random() < 0.3:
                await open_append.abort()
            else:
                await open_append.commit()
                committed += len(keys)
        return committed

    async def read(part: int) -> int:
        partition = TopicPartition(topic, part)
        await drain(reader, partition, 0)
        seen = 0
        while (batch := await reader.fetch(partition, records_max=7, wait_seconds=0.5)) is not None:
            assert [each.offset for each in batch.records] == list(range(seen, batch.next_offset))
            assert batch.gaps == ()
            seen = batch.next_offset
        return seen

    *written, zero, one = await asyncio.gather(*(write() for _ in range(4)), read(0), read(1))
    assert sum(written) == zero + one


async def test_compacted_rows_are_proven_to_a_reader(postgres_log: PostgresLog) -> None:
    log = postgres_log
    topic = await log.topic(cleanup_policy="compact")
    partition = TopicPartition(topic, 0)
    keys = [b"a", b"b", b"a", b"a", b"c", b"b"]
    await log.writer.append([record(topic, key, n) for n, key in enumerate(keys)])
    assert await log.admin.compact(topic) == 3
    (batch,) = await drain(await log.reader(topic), partition, 3)
    assert [each.offset for each in batch.records] == [3, 4, 5]
    assert batch.gaps == (ProvenGap(0, 3, GapCause.COMPACTED),)


async def test_a_young_record_makes_none_obsolete_before_the_compaction_lag(
    postgres_log: PostgresLog,
) -> None:
    log = postgres_log
    topic = await log.topic(cleanup_policy="compact", min_compaction_lag_ms="60000")
    await log.writer.append([record(topic, b"a", n) for n in range(3)])
    assert await log.admin.compact(topic) == 0
    await log.pool.execute("UPDATE log.record SET at = at - interval '2 minutes' WHERE off < 2")
    assert await log.admin.compact(topic) == 1


async def test_a_row_that_vanished_from_a_topic_without_compaction_is_a_loss(
    postgres_log: PostgresLog,
) -> None:
    log = postgres_log
    topic = await log.topic()
    await log.fill(topic, 5)
    await log.pool.execute("DELETE FROM log.record WHERE off = 2")
    with pytest.raises(LostRecords):
        await drain(await log.reader(topic), TopicPartition(topic, 0), 4)


async def test_a_big_append_is_one_and_keeps_its_order(postgres_log: PostgresLog) -> None:
    log = postgres_log
    topic = await log.topic(partitions=2)
    records = [OutgoingRecord(topic, f"{n % 5}".encode(), f"{n}".encode()) for n in range(5_000)]
    places = await log.writer.append(records)
    for part in range(2):
        mine = [
            record.value
            for record, place in zip(records, places, strict=True)
            if place.partition == part
        ]
        found = await everything(log.probe, TopicPartition(topic, part))
        assert [each.value for each in found] == mine


async def test_a_fetch_is_bounded_in_bytes_but_always_brings_one_record(
    postgres_log: PostgresLog,
) -> None:
    log = postgres_log
    topic = await log.topic()
    await log.writer.append([OutgoingRecord(topic, b"k", b"x" * 1_000) for _ in range(10)])
    plan = PostgresGroupPlan(group="bounded", batch_bytes_max=2_500)
    reader = PostgresReader(log.pool, plan, log.probe)
    await reader.start([topic], Owner())
    await until(lambda: bool(reader.assignment))
    partition = TopicPartition(topic, 0)
    batch = await reader.fetch(partition, records_max=100, wait_seconds=1)
    assert len(batch.records) == 3
    await log.writer.append([OutgoingRecord(topic, b"k", b"x" * 9_000)])
    reader.seek(partition, 10)
    batch = await reader.fetch(partition, records_max=100, wait_seconds=1)
    assert len(batch.records) == 1
    await reader.stop()


async def test_upkeep_expires_what_is_older_than_the_retention(postgres_log: PostgresLog) -> None:
    log = postgres_log
    topic = await log.topic(retention_ms="60000")
    partition = TopicPartition(topic, 0)
    await log.fill(topic, 6)
    await log.pool.execute("UPDATE log.record SET at = at - interval '2 minutes' WHERE off < 4")
    now = datetime.now(UTC)
    assert await log.admin.upkeep(now) == 4
    assert [each.offset for each in await everything(log.probe, partition)] == [4, 5]
    assert await log.admin.upkeep(now + timedelta(hours=1)) == 2
    assert await log.probe.start_offsets([partition]) == {partition: 6}


async def test_append_times_never_go_backwards(postgres_log: PostgresLog) -> None:
    log = postgres_log
    topic = await log.topic()
    await asyncio.gather(*(log.writer.append([record(topic, b"k", n)]) for n in range(50)))
    times = [each.appended_at for each in await everything(log.probe, TopicPartition(topic, 0))]
    assert times == sorted(times)


async def test_a_lost_session_loses_its_partitions_and_gets_them_back(
    postgres_log: PostgresLog,
) -> None:
    log = postgres_log
    topic = await log.topic()
    owner = Owner()
    reader = await log.reader(topic, owner)
    partition = TopicPartition(topic, 0)
    await drain(reader, partition, 0)
    await log.pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    )
    await until(lambda: len(owner.assigned) == 2)
    assert owner.revoked == [frozenset({partition})]


async def test_what_anybody_notifies_is_a_reason_to_look_and_nothing_more(
    postgres_log: PostgresLog,
) -> None:
    """PostgreSQL lets every session notify; one that reads a topic must not mislead a worker."""
    log = postgres_log
    topic = await log.topic()
    await log.fill(topic, 2)
    reader = await log.reader(topic)
    partition = TopicPartition(topic, 0)
    await drain(reader, partition, 2)
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    topic_id = await log.pool.fetchval("SELECT topic_id FROM log.topic")
    for said in (f"{topic_id}:0:999999999999", "nonsense", f"{topic_id}:0", "", "1" * 7000):
        await log.pool.execute("SELECT pg_notify('recon_log', $1)", said)
    await until(lambda: reader.known_end(partition) == 999_999_999_999)
    while (batch := await reader.fetch(partition, records_max=9, wait_seconds=0.2)) is not None:
        assert (batch.first_offset, batch.records, batch.next_offset) == (2, (), 2)
        assert reader.known_end(partition) == 2
    await log.fill(topic, 1)
    batch = await reader.fetch(partition, records_max=9, wait_seconds=5)
    assert batch is not None
    assert len(batch.records) == 1
    assert failures == []


async def test_a_server_that_stays_away_is_reported(postgres_log: PostgresLog) -> None:
    log = postgres_log
    topic = await log.topic()
    plan = PostgresGroupPlan(group="away", silence_seconds_max=0.5)
    reader = PostgresReader(log.pool, plan, log.probe)
    await reader.start([topic], Owner())
    await log.server.stop()
    try:
        with pytest.raises(LogUnreachable):
            await asyncio.wait_for(reader.watch(), 10)
    finally:
        await log.server.start()
        await reader.stop()


async def test_a_person_can_append_with_sql(postgres_log: PostgresLog) -> None:
    log = postgres_log
    topic = await log.topic()
    await log.fill(topic, 1)
    offset = await log.pool.fetchval("SELECT log.append_text($1, 0, 'k', 'Grüße')", topic)
    assert offset == 1
    found = await everything(log.probe, TopicPartition(topic, 0))
    assert found[1].value == "Grüße".encode()
