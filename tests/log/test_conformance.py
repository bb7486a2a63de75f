"""The promises of the log port, put to both adapters on real servers."""

import asyncio
import os
from datetime import UTC, datetime, timedelta

import pytest

from recon_streams.log.errors import (
    LostRecords,
    OffsetOutOfRange,
    PartitionRevoked,
    UnknownTopic,
)
from recon_streams.log.partitioner import partition_of
from recon_streams.log.record import Batch, GapCause, OutgoingRecord, ProvenGap, TopicPartition
from recon_streams.log.topic_plan import TopicPlan
from recon_streams.testing.logs import Log, Owner, drain, everything, record, until


def offsets(batches: list[Batch]) -> list[int]:
    return [each.offset for batch in batches for each in batch.records]


async def test_a_partition_delivers_in_the_order_of_appending(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 250)
    batches = await drain(await log.reader(topic), TopicPartition(topic, 0), 250)
    assert offsets(batches) == list(range(250))
    assert [int(r.value) for b in batches for r in b.records] == list(range(250))
    assert [b.first_offset for b in batches[1:]] == [b.next_offset for b in batches[:-1]]


async def test_a_record_comes_back_as_it_was_written(log: Log) -> None:
    topic = await log.topic()
    headers = (("id", b"\x00\xff"), ("id", b"again"), ("empty", b""))
    before = datetime.now(UTC) - timedelta(seconds=2)
    await log.writer.append(
        [
            OutgoingRecord(topic, b"k", bytes(range(256)), headers),
            OutgoingRecord(topic, b"k", None),
            OutgoingRecord(topic, None, b""),
        ]
    )
    batches = await drain(await log.reader(topic), TopicPartition(topic, 0), 3)
    first, tombstone, bare = [each for batch in batches for each in batch.records]
    assert (first.key, first.value, first.headers) == (b"k", bytes(range(256)), headers)
    assert (tombstone.value, tombstone.headers) == (None, ())
    assert (bare.key, bare.value) == (None, b"")
    assert first.appended_at.tzinfo is not None
    assert before < first.appended_at < before + timedelta(minutes=1)


async def test_a_key_goes_to_the_same_partition_in_every_adapter(log: Log) -> None:
    topic = await log.topic(partitions=5)
    keys = [f"account-{number}".encode() for number in range(40)]
    places = await log.writer.append([record(topic, key, 0) for key in keys])
    assert [each.partition for each in places] == [partition_of(key, 5) for key in keys]
    for partition in range(5):
        mine = [each.offset for each in places if each.partition == partition]
        assert mine == list(range(len(mine)))


async def test_appended_places_are_those_where_the_records_are(log: Log) -> None:
    topic = await log.topic(partitions=3)
    records = [record(topic, f"{number % 7}".encode(), number) for number in range(100)]
    places = await log.writer.append(records)
    found = {
        (each.partition, each.offset): each.value
        for partition in range(3)
        for each in await everything(log.probe, TopicPartition(topic, partition))
    }
    assert [found[place] for place in places] == [each.value for each in records]


async def test_a_reader_starts_at_the_position_its_owner_names(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 10)
    partition = TopicPartition(topic, 0)
    batches = await drain(await log.reader(topic, Owner({partition: 7})), partition, 3)
    assert offsets(batches) == [7, 8, 9]
    assert batches[0].first_offset == 7


async def test_a_seek_goes_back_and_forth(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 10)
    partition = TopicPartition(topic, 0)
    reader = await log.reader(topic)
    await drain(reader, partition, 10)
    reader.seek(partition, 3)
    assert offsets(await drain(reader, partition, 7)) == list(range(3, 10))
    reader.seek(partition, 9)
    assert offsets(await drain(reader, partition, 1)) == [9]


async def test_advice_is_never_taken_as_a_position(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 4)
    partition = TopicPartition(topic, 0)
    reader = await log.reader(topic, group="advised-" + topic)
    await drain(reader, partition, 4)
    reader.advise(partition, 4)
    await asyncio.sleep(1.2)
    await reader.stop()
    again = await log.reader(topic, Owner({partition: 1}), group="advised-" + topic)
    assert offsets(await drain(again, partition, 3)) == [1, 2, 3]


async def test_an_empty_fetch_returns_after_the_wait(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 1)
    partition = TopicPartition(topic, 0)
    reader = await log.reader(topic)
    await drain(reader, partition, 1)
    began = asyncio.get_running_loop().time()
    assert await reader.fetch(partition, records_max=10, wait_seconds=0.3) is None
    assert 0.2 < asyncio.get_running_loop().time() - began < 1.5


async def test_a_fetch_brings_no_more_records_than_asked(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 25)
    partition = TopicPartition(topic, 0)
    reader = await log.reader(topic)
    await drain(reader, partition, 1)
    reader.seek(partition, 0)
    sizes = []
    while sum(sizes) < 25:
        batch = await reader.fetch(partition, records_max=10, wait_seconds=5)
        sizes.append(len(batch.records))
    assert max(sizes) == 10


async def test_a_cancelled_fetch_loses_nothing(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 50)
    partition = TopicPartition(topic, 0)
    reader = await log.reader(topic)
    await drain(reader, partition, 1)
    reader.seek(partition, 0)
    got: list[int] = []
    for pause in [0.0, 0.0005, 0.001, 0.002, 0.004] * 8:
        task = asyncio.ensure_future(reader.fetch(partition, records_max=3, wait_seconds=1))
        await asyncio.sleep(pause)
        task.cancel()
        done, _ = await asyncio.wait([task])
        if not task.cancelled():
            got += offsets([batch for each in done if (batch := each.result())])
        if len(got) == 50:
            break
    got += offsets(await drain(reader, partition, 50 - len(got)))
    assert got == list(range(50))


async def test_start_and_end_offsets_bound_the_partition(log: Log) -> None:
    topic = await log.topic(partitions=2)
    one, other = TopicPartition(topic, partition_of(b"k", 2)), partition_of(b"k", 2) ^ 1
    await log.fill(topic, 10)
    await log.expire(one, 4)
    both = [one, TopicPartition(topic, other)]
    assert await log.probe.partitions([topic]) == frozenset(both)
    assert await log.probe.start_offsets(both) == {both[0]: 4, both[1]: 0}
    assert await log.probe.end_offsets(both) == {both[0]: 10, both[1]: 0}


async def test_an_append_under_way_is_no_end_of_what_was_appended(log: Log) -> None:
    topic = await log.topic(partitions=2)
    partition = TopicPartition(topic, partition_of(b"k", 2))
    both = [partition, TopicPartition(topic, partition_of(b"k", 2) ^ 1)]
    await log.fill(topic, 2)
    assert await log.probe.appended_ends(both) == {both[0]: 2, both[1]: 0}
    open_append = await log.begin([record(topic, b"k", 2)])
    # Readers are kept before it on both logs, so they must not be told that nothing waits.
    assert await log.probe.end_offsets([partition]) == {partition: 2}
    found = await log.probe.appended_ends(both)
    assert found == ({both[0]: 3, both[1]: 0} if log.name == "kafka" else {both[1]: 0})
    await open_append.commit()
    async with asyncio.timeout(10):  # markers are written after the commit is answered
        while (await log.probe.end_offsets([partition]))[partition] < 3:
            await asyncio.sleep(0.02)
    reader = await log.reader(topic)
    reached = (await drain(reader, partition, 3))[-1].next_offset
    end = (await log.probe.appended_ends([partition]))[partition]
    while reached < end:  # on Kafka the marker may come in a fetch of its own
        batch = await reader.fetch(partition, records_max=10, wait_seconds=2)
        reached = batch.next_offset
    assert reached == end


async def test_a_reader_knows_the_end_it_has_heard_of(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 5)
    partition = TopicPartition(topic, 0)
    reader = await log.reader(topic)
    await drain(reader, partition, 5)
    assert reader.known_end(partition) == 5


async def test_a_second_reader_sees_the_same(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 120)
    partition = TopicPartition(topic, 0)
    first = [r for b in await drain(await log.reader(topic), partition, 120) for r in b.records]
    second = [r for b in await drain(await log.reader(topic), partition, 120) for r in b.records]
    assert first == second == await everything(log.probe, partition)


async def test_reading_the_latest_of_each_key_leaves_out_tombstones(log: Log) -> None:
    topic = await log.topic(partitions=3, cleanup_policy="compact")
    keys = [b"a", b"b", b"c"]
    await log.writer.append([record(topic, key, n) for n in range(5) for key in keys])
    await log.writer.append([OutgoingRecord(topic, b"b", None)])
    before = await log.probe.read_latest(topic)
    assert {key: each.value for key, each in before.items()} == {b"a": b"4", b"c": b"4"}
    await log.compact(topic)
    assert await log.probe.read_latest(topic) == before


async def test_the_identity_of_a_log_stays(log: Log) -> None:
    identity = await log.probe.log_identity()
    assert identity
    assert identity == await log.probe.log_identity()


async def test_a_slow_committer_never_makes_a_reader_skip(log: Log) -> None:
    topic = await log.topic()
    partition = TopicPartition(topic, 0)
    await log.fill(topic, 2)
    reader = await log.reader(topic)
    await drain(reader, partition, 2)
    slow = await log.begin([record(topic, b"k", 2)])
    # On Kafka the quick one is appended behind the open one, in Postgres it has to wait.
    quick = asyncio.ensure_future(log.writer.append([record(topic, b"k", 3)]))
    assert await reader.fetch(partition, records_max=10, wait_seconds=1) is None
    assert await log.probe.end_offsets([partition]) == {partition: 2}
    await slow.commit()
    await quick
    batches = await drain(reader, partition, 2)
    assert [r.value for b in batches for r in b.records] == [b"2", b"3"]


async def test_a_rolled_back_append_is_never_delivered(log: Log) -> None:
    topic = await log.topic()
    partition = TopicPartition(topic, 0)
    await (await log.begin([record(topic, b"k", 0), record(topic, b"k", 1)])).abort()
    await log.writer.append([record(topic, b"k", 2)])
    batches = await drain(await log.reader(topic), partition, 1)
    assert [r.value for b in batches for r in b.records] == [b"2"]
    gaps = {each.cause for batch in batches for each in batch.gaps}
    assert gaps == ({GapCause.ABORTED, GapCause.CONTROL} if log.name == "kafka" else set())


async def test_records_and_gaps_cover_every_offset(log: Log) -> None:
    topic = await log.topic()
    partition = TopicPartition(topic, 0)
    for number in range(4):
        transaction = await log.begin([record(topic, b"k", number)])
        await (transaction.abort() if number == 1 else transaction.commit())
        await log.writer.append([record(topic, b"k", 10 + number)])
    batches = await drain(await log.reader(topic), partition, 7)
    expected = 0
    for batch in batches:
        spans = [(each.offset, each.offset + 1) for each in batch.records]
        spans += [(each.first, each.until) for each in batch.gaps]
        for first, end in sorted(spans):
            assert first == expected
            expected = end
        assert batch.next_offset == expected


async def test_a_hole_with_a_record_in_it_is_a_loss(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 5)
    with pytest.raises(LostRecords) as lost:
        await log.probe.prove_gap(TopicPartition(topic, 0), 1, 4)
    assert lost.value.offsets == (1, 2, 3)


async def test_expired_offsets_are_proven_and_never_jumped(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 10)
    partition = TopicPartition(topic, 0)
    await log.expire(partition, 6)
    reader = await log.reader(topic, Owner({partition: 2}))
    with pytest.raises(OffsetOutOfRange) as refused:
        await drain(reader, partition, 1)
    assert (refused.value.wanted, refused.value.start, refused.value.end) == (2, 6, 10)
    gaps = await log.probe.prove_gap(partition, 2, 6)
    assert gaps == (ProvenGap(2, 6, GapCause.EXPIRED),)
    reader.seek(partition, 6)
    assert offsets(await drain(reader, partition, 4)) == [6, 7, 8, 9]


async def test_a_position_beyond_the_end_is_an_error(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 3)
    partition = TopicPartition(topic, 0)
    with pytest.raises(OffsetOutOfRange):
        await drain(await log.reader(topic, Owner({partition: 9})), partition, 1)


async def test_a_probe_refuses_what_is_not_in_the_log(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 6)
    partition = TopicPartition(topic, 0)
    await log.expire(partition, 2)
    for first, end in [(1, 6), (2, 7)]:
        with pytest.raises(OffsetOutOfRange):
            [each async for each in log.probe.read(partition, first, end)]
    assert [r.offset async for r in log.probe.read(partition, 2, 5)] == [2, 3, 4]


async def test_an_undeclared_topic_is_an_error_and_stays_undeclared(log: Log) -> None:
    for use in [
        lambda: log.probe.partitions(["nowhere"]),
        lambda: log.reader("nowhere"),
        lambda: log.writer.append([record("nowhere", b"k", 0)]),
        lambda: log.probe.read_latest("nowhere"),
    ]:
        with pytest.raises(UnknownTopic):
            await use()
    plan = TopicPlan(name="nowhere", partitions=1)
    assert [each.aspect for each in await log.admin.differences([plan])] == ["existence"]


async def test_topics_are_declared_once_and_their_differences_named(log: Log) -> None:
    name = await log.topic(partitions=2, cleanup_policy="delete")
    plan = TopicPlan(
        name=name, partitions=3, config={"cleanup.policy": "compact", "retention.ms": "60000"}
    )
    named = {each.aspect: each for each in await log.admin.differences([plan])}
    assert set(named) == {"partitions", "cleanup.policy", "retention.ms"}
    assert not named["partitions"].can_be_applied
    changed = await log.admin.apply([plan])
    assert {each.aspect for each in changed} == {"cleanup.policy", "retention.ms"}
    assert [each.aspect for each in await log.admin.differences([plan])] == ["partitions"]
    assert await log.admin.apply([plan]) == []
    # What was set before and is not planned now stays as it is.
    kept = TopicPlan(name=name, partitions=2, config={"message.timestamp.type": "LogAppendTime"})
    assert await log.admin.differences([kept]) == []


async def test_a_partition_belongs_to_one_member_and_moves_when_it_leaves(log: Log) -> None:
    topic = await log.topic(partitions=4)
    all_four = await log.probe.partitions([topic])
    owners = [Owner(), Owner()]
    first = await log.reader(topic, owners[0], group="pair-" + topic)
    await until(lambda: first.assignment == all_four)
    second = await log.reader(topic, owners[1], group="pair-" + topic)
    await asyncio.sleep(1)
    assert not first.assignment & second.assignment
    await until(lambda: first.assignment | second.assignment == all_four)
    await first.stop()
    await until(lambda: second.assignment == all_four)
    with pytest.raises(PartitionRevoked):
        await first.fetch(min(all_four), records_max=1, wait_seconds=0)
    await log.writer.append([record(topic, f"{n}".encode(), n) for n in range(20)])
    ends = await log.probe.end_offsets(all_four)
    for partition in all_four:
        assert offsets(await drain(second, partition, ends[partition])) == [*range(ends[partition])]


async def test_what_a_listener_dies_of_comes_out_of_the_reader(log: Log) -> None:
    class Broken:
        async def on_assigned(self, _: frozenset[TopicPartition]) -> dict[TopicPartition, int]:
            raise ZeroDivisionError

        async def on_revoked(self, _: frozenset[TopicPartition]) -> None:
            return None

    reader = await log.reader(await log.topic(), Broken())
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(reader.watch(), 10)


async def test_a_restart_of_the_server_keeps_everything(log: Log) -> None:
    topic = await log.topic()
    await log.fill(topic, 30)
    partition = TopicPartition(topic, 0)
    reader = await log.reader(topic)
    await drain(reader, partition, 30)
    before = await everything(log.probe, partition)
    identity = await log.probe.log_identity()
    if log.name == "kafka" and "RECON_TEST_KAFKA" in os.environ:
        pytest.skip("somebody else's Kafka is not ours to restart")
    await log.restart()
    await log.writer.stop()
    await log.writer.start()
    async with asyncio.timeout(20):
        assert await everything(log.probe, partition) == before
        assert await log.probe.log_identity() == identity
        await log.fill(topic, 5)
        await until(lambda: partition in reader.assignment)
    # A rebalance in between asks its owner for positions, and this one names none.
    reader.seek(partition, 30)
    assert offsets(await drain(reader, partition, 5)) == [30, 31, 32, 33, 34]
