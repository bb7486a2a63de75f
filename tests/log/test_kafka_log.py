"""What only the Kafka adapter has to prove: control records, silence of brokers, a lying client."""

import asyncio
import secrets
from pathlib import Path

import pytest

from recon_streams.log.errors import LogUnreachable, LostRecords
from recon_streams.log.kafka_admin import KafkaAdmin
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.kafka_group import GroupPlan
from recon_streams.log.kafka_probe import KafkaProbe
from recon_streams.log.kafka_reader import KafkaReader
from recon_streams.log.kafka_writer import KafkaWriter
from recon_streams.log.record import GapCause, ProvenGap, TopicPartition
from recon_streams.log.topic_plan import TopicPlan
from recon_streams.testing.kafka import TestKafka
from recon_streams.testing.logs import KafkaLog, Owner, drain, record, until

pytestmark = pytest.mark.kafka


async def test_the_marker_of_a_transaction_is_proven_to_be_one(kafka_log: KafkaLog) -> None:
    log = kafka_log
    topic = await log.topic()
    partition = TopicPartition(topic, 0)
    await (await log.begin([record(topic, b"k", n) for n in range(3)])).commit()
    for _ in range(500):  # markers are written after the commit is answered
        if await log.probe.end_offsets([partition]) == {partition: 4}:
            break
        await asyncio.sleep(0.02)
    reader = await log.reader(topic)
    batches = await drain(reader, partition, 3)
    if batches[-1].next_offset == 3:  # the marker came in a fetch of its own
        batches.append(await reader.fetch(partition, records_max=10, wait_seconds=2))
    assert batches[-1].gaps == (ProvenGap(3, 4, GapCause.CONTROL),)
    # So a reader that is through with everything is seen to be through.
    assert batches[-1].next_offset == 4


async def test_who_leads_a_partition_is_asked_anew_within_seconds(kafka_log: KafkaLog) -> None:
    # A leader that was deposed and does not know would say for minutes that nothing is new.
    cluster = kafka_log.probe._broker._client.cluster
    before = cluster._last_successful_refresh_ms
    async with asyncio.timeout(8):
        while cluster._last_successful_refresh_ms == before:
            await asyncio.sleep(0.2)


async def test_a_record_that_the_client_library_passes_over_is_a_loss(kafka_log: KafkaLog) -> None:
    log = kafka_log
    topic = await log.topic()
    await log.fill(topic, 10)
    partition = TopicPartition(topic, 0)
    reader = await log.reader(topic)
    await drain(reader, partition, 10)
    reader.seek(partition, 0)
    held = reader._held[partition]
    reader._consumer.seek(held.theirs, 4)  # behind the reader's back
    with pytest.raises(LostRecords) as lost:
        await reader.fetch(partition, records_max=10, wait_seconds=2)
    assert lost.value.offsets == (0, 1, 2, 3)


async def test_compacted_offsets_are_proven_to_a_reader(kafka_log: KafkaLog) -> None:
    log = kafka_log
    topic = await log.topic(
        cleanup_policy="compact",
        segment_ms="50",
        min_cleanable_dirty_ratio="0.01",
        max_compaction_lag_ms="100",
    )
    partition = TopicPartition(topic, 0)
    for number in range(10):
        await log.writer.append([record(topic, b"same", number)])
        await asyncio.sleep(0.06)
    for _ in range(150):  # for the cleaner's thread
        if await _kept(log, partition) <= 5:
            break
        await asyncio.sleep(0.2)
    # The cleaner goes on meanwhile, so only the end tells when the reader is through.
    reader = await log.reader(topic)
    batches = await drain(reader, partition, 1)
    while batches[-1].next_offset < 10:
        batches += await drain(reader, partition, 1)
    gaps = [gap for batch in batches for gap in batch.gaps]
    assert {gap.cause for gap in gaps} == {GapCause.COMPACTED}
    kept = sum(len(batch.records) for batch in batches)
    assert sum(gap.until - gap.first for gap in gaps) + kept == 10


async def _kept(log: KafkaLog, partition: TopicPartition) -> int:
    (start,) = (await log.probe.start_offsets([partition])).values()
    return len([each async for each in log.probe.read(partition, start, 10)])


async def test_an_address_without_a_broker_is_named_with_the_time_it_was_tried(
    unused_tcp_port: int,
) -> None:
    connection = KafkaConnection(bootstrap=f"127.0.0.1:{unused_tcp_port}", connect_seconds=0.7)
    for client in [KafkaProbe(connection), KafkaWriter(connection)]:
        with pytest.raises(LogUnreachable, match=f"127.0.0.1:{unused_tcp_port} for 1 s"):
            await client.start()


async def test_a_broker_that_dies_is_reported_by_reader_and_writer(tmp_path: Path) -> None:
    server = TestKafka(tmp_path)
    await asyncio.to_thread(server.start)
    connection = KafkaConnection(bootstrap=server.bootstrap, request_seconds=3, connect_seconds=3)
    probe, writer = KafkaProbe(connection), KafkaWriter(connection)
    plan = GroupPlan(group=secrets.token_hex(4), silence_seconds_max=1.5)
    reader = KafkaReader(connection, plan, probe)
    try:
        await probe.start()
        await KafkaAdmin(connection).apply([TopicPlan(name="t", partitions=1)])
        await writer.append([record("t", b"k", 1)])
        await reader.start(["t"], Owner())
        partition = TopicPartition("t", 0)
        await drain(reader, partition, 1)
        server.kill()
        with pytest.raises(LogUnreachable, match="reading"):
            await asyncio.wait_for(_fetch_for_ever(reader, partition), 15)
        with pytest.raises(LogUnreachable):
            await writer.append([record("t", b"k", 2)])
        await asyncio.to_thread(server.start)
        # A new producer begins after the doubt; the record of the failed append is not there.
        await writer.append([record("t", b"k", 3)])
        assert [r.value async for r in probe.read(partition, 0, 2)] == [b"1", b"3"]
    finally:
        await reader.stop()
        await writer.stop()
        await probe.stop()
        server.kill()


async def _fetch_for_ever(reader: KafkaReader, partition: TopicPartition) -> None:
    while True:
        await reader.fetch(partition, records_max=1, wait_seconds=0.2)


async def test_a_named_worker_that_restarts_in_time_disturbs_nobody(kafka_log: KafkaLog) -> None:
    log = kafka_log
    topic = await log.topic(partitions=2)
    both = await log.probe.partitions([topic])
    owners = {name: Owner() for name in ["one", "two", "one again"]}
    members = {
        name: KafkaReader(
            log.connection,
            GroupPlan(
                group="static-" + topic,
                instance_id=name[:3],
                session_seconds=6,
                heartbeat_seconds=0.5,
            ),
            log.probe,
        )
        for name in owners
    }
    one, two, again = members.values()
    try:
        await one.start([topic], owners["one"])
        await two.start([topic], owners["two"])
        await until(lambda: len(one.assignment) == len(two.assignment) == 1)
        before, heard = one.assignment, len(owners["two"].revoked)
        await one.stop()
        await again.start([topic], owners["one again"])
        await until(lambda: again.assignment == before)
        assert again.assignment | two.assignment == both
        assert len(owners["two"].revoked) == heard
    finally:
        for member in members.values():
            await member.stop()
