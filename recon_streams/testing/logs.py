"""The two logs behind one face, with what tests need beyond the port, on real servers."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import asyncpg
from typing_extensions import override

from recon_streams.log import aiokafka_untyped as untyped
from recon_streams.log.kafka_admin import KafkaAdmin
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.kafka_group import GroupPlan
from recon_streams.log.kafka_probe import KafkaProbe
from recon_streams.log.kafka_reader import KafkaReader
from recon_streams.log.kafka_writer import KafkaWriter
from recon_streams.log.partitioner import partition_of
from recon_streams.log.port import (
    AssignmentListener,
    LogAdmin,
    LogProbe,
    LogReader,
    LogWriter,
)
from recon_streams.log.postgres_admin import PostgresAdmin
from recon_streams.log.postgres_probe import PostgresProbe
from recon_streams.log.postgres_reader import PostgresGroupPlan, PostgresReader
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import Batch, OutgoingRecord, Record, TopicPartition
from recon_streams.log.topic_plan import TopicPlan
from recon_streams.testing.kafka import TestKafka
from recon_streams.testing.postgres import TestPostgres

SESSION_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.01


class Owner:
    """An assignment listener that keeps positions as the book would, and what it was told."""

    def __init__(self, positions: Mapping[TopicPartition, int] | None = None) -> None:
        self.positions = dict(positions or {})
        self.assigned: list[frozenset[TopicPartition]] = []
        self.revoked: list[frozenset[TopicPartition]] = []

    async def on_assigned(
        self, partitions: frozenset[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """Return the positions known."""
        self.assigned.append(partitions)
        return {each: self.positions[each] for each in partitions if each in self.positions}

    async def on_revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """Keep what was revoked."""
        self.revoked.append(partitions)


class OpenAppend(Protocol):
    """Records appended by a transaction that has not ended yet."""

    async def commit(self) -> None: ...  # noqa: D102 - its name says it
    async def abort(self) -> None: ...  # noqa: D102 - its name says it


class Log:
    """What the conformance tests need of a log beyond its port.

    Attributes:
        name: Which adapter it is.
    """

    name: str
    writer: LogWriter
    probe: LogProbe
    admin: LogAdmin

    def __init__(self) -> None:
        self._readers: list[LogReader] = []

    async def open(self) -> None:
        """Connect."""
        await self.writer.start()
        await self.probe.start()

    async def close(self) -> None:
        """Stop every reader that was made, and disconnect."""
        for reader in self._readers:
            await reader.stop()
        await self.writer.stop()
        await self.probe.stop()

    async def topic(self, partitions: int = 1, **config: str) -> str:
        """Declare a topic with a name of its own; `cleanup_policy` stands for `cleanup.policy`."""
        name = f"t-{secrets.token_hex(6)}"
        settings = {key.replace("_", "."): value for key, value in config.items()}
        settings.setdefault("message.timestamp.type", "LogAppendTime")
        await self.admin.apply([TopicPlan(name=name, partitions=partitions, config=settings)])
        return name

    async def reader(
        self, topic: str, owner: AssignmentListener | None = None, *, group: str = ""
    ) -> LogReader:
        """Return a started member of `group`, or of a group of its own."""
        reader = self.member(group or f"g-{secrets.token_hex(6)}")
        self._readers.append(reader)
        await reader.start([topic], owner or Owner())
        return reader

    async def fill(self, topic: str, count: int) -> None:
        """Append `count` records of one key with the values 0, 1, 2 and so on."""
        await self.writer.append([record(topic, b"k", number) for number in range(count)])

    def member(self, group: str) -> LogReader:
        """Return a reader whose session lasts `SESSION_SECONDS`."""
        raise NotImplementedError

    async def begin(self, records: list[OutgoingRecord]) -> OpenAppend:
        """Append `records` in a transaction that stays open."""
        raise NotImplementedError

    async def expire(self, partition: TopicPartition, before_offset: int) -> None:
        """Let `partition` start at `before_offset`."""
        raise NotImplementedError

    async def compact(self, topic: str) -> None:
        """Compact `topic` now, where that can be asked for."""

    async def restart(self) -> None:
        """Stop the server in order and start it again."""
        raise NotImplementedError


class KafkaLog(Log):
    """The log on a Kafka; `server` is None where somebody else runs it."""

    name = "kafka"

    def __init__(self, bootstrap: str, server: TestKafka | None = None) -> None:
        super().__init__()
        self.server = server
        self.connection = KafkaConnection(bootstrap=bootstrap)
        self.writer = KafkaWriter(self.connection)
        self.probe = KafkaProbe(self.connection)
        self.admin = KafkaAdmin(self.connection)

    @override
    def member(self, group: str) -> KafkaReader:
        """See `Log.member`."""
        plan = GroupPlan(group=group, session_seconds=SESSION_SECONDS, heartbeat_seconds=0.5)
        return KafkaReader(self.connection, plan, self.probe)

    @override
    async def begin(self, records: list[OutgoingRecord]) -> OpenAppend:
        """See `Log.begin`."""
        producer = untyped.producer(
            bootstrap_servers=self.connection.bootstrap, transactional_id=secrets.token_hex(6)
        )
        await producer.start()
        await producer.begin_transaction()
        for each in records:
            count = len(await producer.partitions_for(each.topic))
            await producer.send_and_wait(
                each.topic, each.value, each.key, partition_of(each.key, count)
            )
        return _OpenTransaction(producer)

    @override
    async def expire(self, partition: TopicPartition, before_offset: int) -> None:
        """See `Log.expire`."""
        client = untyped.admin_client(bootstrap_servers=self.connection.bootstrap)
        await client.start()
        before = untyped.records_to_delete(before_offset)
        await client.delete_records({untyped.kafka_partition(*partition): before})
        await client.close()

    @override
    async def restart(self) -> None:
        """See `Log.restart`."""
        assert self.server is not None, "somebody else's Kafka is not ours to restart"
        await asyncio.to_thread(self.server.restart)


class _OpenTransaction:
    def __init__(self, producer: Any) -> None:  # noqa: ANN401 - aiokafka's producer has no types
        self._producer = producer

    async def commit(self) -> None:
        await self._producer.commit_transaction()
        await self._producer.stop()

    async def abort(self) -> None:
        await self._producer.abort_transaction()
        await self._producer.stop()


class PostgresLog(Log):
    """The log in a Postgres database that has its schema already."""

    name = "postgres"

    def __init__(
        self, pool: asyncpg.Pool, address: str = "", server: TestPostgres | None = None
    ) -> None:
        super().__init__()
        self.address = address
        self.server = server
        self.pool = pool
        self.writer: PostgresWriter = PostgresWriter(pool)
        self.probe = PostgresProbe(pool)
        self.admin: PostgresAdmin = PostgresAdmin(pool)

    @override
    def member(self, group: str) -> PostgresReader:
        """See `Log.member`."""
        plan = PostgresGroupPlan(group=group, poll_seconds=0.2, session_seconds=SESSION_SECONDS)
        return PostgresReader(self.pool, plan, self.probe)

    @override
    async def begin(self, records: list[OutgoingRecord]) -> OpenAppend:
        """See `Log.begin`."""
        connection = await self.pool.acquire()
        transaction = connection.transaction()
        await transaction.start()
        await self.writer.append_in(connection, records)
        return _OpenPostgres(self.pool, connection, transaction)

    @override
    async def expire(self, partition: TopicPartition, before_offset: int) -> None:
        """See `Log.expire`."""
        await self.admin.expire(partition, before_offset)

    @override
    async def compact(self, topic: str) -> None:
        """See `Log.compact`."""
        await self.admin.compact(topic)

    @override
    async def restart(self) -> None:
        """See `Log.restart`."""
        assert self.server is not None, "somebody else's PostgreSQL is not ours to restart"
        await self.server.restart()


class _OpenPostgres:
    def __init__(self, pool: asyncpg.Pool, connection: Any, transaction: Any) -> None:  # noqa: ANN401 - asyncpg's proxies
        self._pool, self._connection, self._transaction = pool, connection, transaction

    async def commit(self) -> None:
        await self._transaction.commit()
        await self._pool.release(self._connection)

    async def abort(self) -> None:
        await self._transaction.rollback()
        await self._pool.release(self._connection)


def record(topic: str, key: bytes | None, number: int) -> OutgoingRecord:
    """Return a record whose value is `number` in digits."""
    return OutgoingRecord(topic, key, f"{number}".encode(), (("n", b"\x00\xff"),))


async def until(holds: Callable[[], bool], seconds_max: float = 20) -> None:
    """Return once `holds()`; raise TimeoutError if it does not for `seconds_max`."""
    async with asyncio.timeout(seconds_max):
        while not holds():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(_POLL_SECONDS)


async def drain(reader: LogReader, partition: TopicPartition, count: int) -> list[Batch]:
    """Return what `reader` delivers of `partition` once that is at least `count` records."""
    async with asyncio.timeout(15):
        await until(lambda: partition in reader.assignment)
        batches: list[Batch] = []
        found = 0
        while found < count:
            batch = await reader.fetch(partition, records_max=100, wait_seconds=0.2)
            if batch is not None:
                batches.append(batch)
                found += len(batch.records)
        return batches


async def everything(probe: LogProbe, partition: TopicPartition) -> list[Record]:
    """Return all records of `partition` as `probe` reads them."""
    (first,) = (await probe.start_offsets([partition])).values()
    (until,) = (await probe.end_offsets([partition])).values()
    return [each async for each in probe.read(partition, first, until)]
