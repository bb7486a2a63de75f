"""The two logs behind one face, so that every promise is put to both."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from importlib.resources import files
from typing import Any, Protocol

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition as TheirPartition

from recon_streams.log.kafka_admin import KafkaAdmin
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.kafka_group import GroupPlan
from recon_streams.log.kafka_probe import KafkaProbe
from recon_streams.log.kafka_reader import KafkaReader
from recon_streams.log.kafka_writer import KafkaWriter
from recon_streams.log.partitioner import partition_of
from recon_streams.log.port import LogAdmin, LogProbe, LogReader, LogWriter
from recon_streams.log.postgres_admin import PostgresAdmin
from recon_streams.log.postgres_probe import PostgresProbe
from recon_streams.log.postgres_reader import PostgresGroupPlan, PostgresReader
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import OutgoingRecord, Record, TopicPartition
from recon_streams.log.topic_plan import TopicPlan


class Owner:
    """An assignment listener that keeps positions as the book would, and remembers what it heard."""

    def __init__(self, positions: Mapping[TopicPartition, int] | None = None) -> None:
        self.positions = dict(positions or {})
        self.assigned: list[frozenset[TopicPartition]] = []
        self.revoked: list[frozenset[TopicPartition]] = []

    async def on_assigned(
        self, partitions: frozenset[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        self.assigned.append(partitions)
        return {each: self.positions[each] for each in partitions if each in self.positions}

    async def on_revoked(self, partitions: frozenset[TopicPartition]) -> None:
        self.revoked.append(partitions)


class OpenAppend(Protocol):
    async def commit(self) -> None: ...
    async def abort(self) -> None: ...


class Log:
    """What the conformance tests need of a log beyond its port."""

    name: str
    writer: LogWriter
    probe: LogProbe
    admin: LogAdmin

    def __init__(self) -> None:
        self._readers: list[LogReader] = []

    async def topic(self, partitions: int = 1, **config: str) -> str:
        name = f"t-{secrets.token_hex(6)}"
        settings = {key.replace("_", "."): value for key, value in config.items()}
        settings.setdefault("message.timestamp.type", "LogAppendTime")
        await self.admin.apply([TopicPlan(name=name, partitions=partitions, config=settings)])
        return name

    async def reader(self, topic: str, owner: Owner | None = None, group: str = "") -> LogReader:
        reader = self._reader(group or f"g-{secrets.token_hex(6)}")
        self._readers.append(reader)
        await reader.start([topic], owner or Owner())
        return reader

    async def fill(self, topic: str, count: int, key: bytes = b"k") -> None:
        await self.writer.append([record(topic, key, number) for number in range(count)])

    async def close(self) -> None:
        for reader in self._readers:
            await reader.stop()
        await self.writer.stop()
        await self.probe.stop()

    def _reader(self, group: str) -> LogReader:
        raise NotImplementedError

    async def begin(self, records: list[OutgoingRecord]) -> OpenAppend:
        """Append `records` in a transaction that stays open."""
        raise NotImplementedError

    async def expire(self, partition: TopicPartition, before_offset: int) -> None:
        raise NotImplementedError

    async def compact(self, topic: str) -> None:
        """Compact `topic` now where that can be asked for."""

    async def restart(self) -> None:
        raise NotImplementedError


class KafkaLog(Log):
    name = "kafka"

    def __init__(self, server: Any) -> None:
        super().__init__()
        self.server = server
        self.connection = KafkaConnection(bootstrap=server.bootstrap)
        self.writer = KafkaWriter(self.connection)
        self.probe = KafkaProbe(self.connection)
        self.admin = KafkaAdmin(self.connection)

    def _reader(self, group: str) -> LogReader:
        plan = GroupPlan(group=group, session_seconds=2, heartbeat_seconds=0.5)
        return KafkaReader(self.connection, plan, self.probe)

    async def begin(self, records: list[OutgoingRecord]) -> OpenAppend:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.connection.bootstrap, transactional_id=secrets.token_hex(6)
        )
        await producer.start()
        await producer.begin_transaction()
        counts = {t.topic: 0 for t in records}
        for topic in counts:
            counts[topic] = len(await producer.partitions_for(topic))
        for each in records:
            place = partition_of(each.key, counts[each.topic])
            await producer.send_and_wait(each.topic, each.value, each.key, place)
        return OpenTransaction(producer)

    async def expire(self, partition: TopicPartition, before_offset: int) -> None:
        client = AIOKafkaAdminClient(bootstrap_servers=self.connection.bootstrap)
        await client.start()
        await client.delete_records({TheirPartition(*partition): RecordsToDelete(before_offset)})
        await client.close()

    async def restart(self) -> None:
        if not hasattr(self.server, "restart"):
            pytest.skip("the Kafka of RECON_TEST_KAFKA is not ours to restart")
        await asyncio.to_thread(self.server.restart)


class OpenTransaction:
    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def commit(self) -> None:
        await self._producer.commit_transaction()
        await self._producer.stop()

    async def abort(self) -> None:
        await self._producer.abort_transaction()
        await self._producer.stop()


class PostgresLog(Log):
    name = "postgres"

    def __init__(self, server: Any, pool: asyncpg.Pool) -> None:
        super().__init__()
        self._server = server
        self.pool = pool
        self.writer: PostgresWriter = PostgresWriter(pool)
        self.probe = PostgresProbe(pool)
        self.admin: PostgresAdmin = PostgresAdmin(pool)

    def _reader(self, group: str) -> LogReader:
        plan = PostgresGroupPlan(group=group, poll_seconds=0.2, session_seconds=2)
        return PostgresReader(self.pool, plan, self.probe)

    async def begin(self, records: list[OutgoingRecord]) -> OpenAppend:
        connection = await self.pool.acquire()
        transaction = connection.transaction()
        await transaction.start()
        await self.writer.append_in(connection, records)
        return OpenPostgres(self.pool, connection, transaction)

    async def expire(self, partition: TopicPartition, before_offset: int) -> None:
        await self.admin.expire(partition, before_offset)

    async def compact(self, topic: str) -> None:
        await self.admin.compact(topic)

    async def restart(self) -> None:
        await asyncio.to_thread(self._server.restart)


class OpenPostgres:
    def __init__(self, pool: asyncpg.Pool, connection: Any, transaction: Any) -> None:
        self._pool, self._connection, self._transaction = pool, connection, transaction

    async def commit(self) -> None:
        await self._transaction.commit()
        await self._pool.release(self._connection)

    async def abort(self) -> None:
        await self._transaction.rollback()
        await self._pool.release(self._connection)


def record(topic: str, key: bytes | None, number: int) -> OutgoingRecord:
    return OutgoingRecord(topic, key, f"{number}".encode(), (("n", b"\x00\xff"),))


@contextlib.asynccontextmanager
async def opened(log: Log) -> AsyncIterator[Any]:
    await log.writer.start()
    await log.probe.start()
    try:
        yield log
    finally:
        await log.close()


@pytest.fixture
async def kafka_log(kafka: Any) -> AsyncIterator[KafkaLog]:
    async with opened(KafkaLog(kafka)) as log:
        yield log


@pytest.fixture
async def postgres_log(postgres: Any, database: str) -> AsyncIterator[PostgresLog]:
    async with asyncpg.create_pool(database, min_size=1, max_size=8) as pool:
        schema = files("recon_streams.log").joinpath("postgres_schema.sql").read_text("utf-8")
        await pool.execute(schema)
        async with opened(PostgresLog(postgres, pool)) as log:
            yield log


@pytest.fixture(
    params=[
        pytest.param("kafka", marks=pytest.mark.kafka),
        pytest.param("postgres", marks=pytest.mark.postgres),
    ]
)
def log(request: pytest.FixtureRequest) -> Log:
    found: Log = request.getfixturevalue(f"{request.param}_log")
    return found


@pytest.fixture
def make_record() -> Callable[..., OutgoingRecord]:
    return record


@pytest.fixture
def make_owner() -> type[Owner]:
    return Owner


@pytest.fixture
def drain() -> Callable[..., Any]:
    """Return what a reader delivers of a partition until it has `count` records or falls silent."""

    async def drained(reader: LogReader, partition: TopicPartition, count: int) -> list[Any]:
        async with asyncio.timeout(15):
            while partition not in reader.assignment:
                await asyncio.sleep(0.01)
            batches: list[Any] = []
            found = 0
            while found < count:
                batch = await reader.fetch(partition, records_max=100, wait_seconds=0.2)
                if batch is not None:
                    batches.append(batch)
                    found += len(batch.records)
            return batches

    return drained


@pytest.fixture
def everything() -> Callable[..., Any]:
    """Return all records of a partition as a probe reads them."""

    async def read(probe: LogProbe, partition: TopicPartition) -> list[Record]:
        (first,) = (await probe.start_offsets([partition])).values()
        (until,) = (await probe.end_offsets([partition])).values()
        return [each async for each in probe.read(partition, first, until)]

    return read
