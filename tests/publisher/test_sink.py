"""The log table of the same database gets each message once, however many carry it there."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest
from typing_extensions import override

from agents.logs import Logs, postgres_logs, topic_plans
from recon_streams.book.connection import Session, open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import Appended, OutgoingRecord, TopicPartition
from recon_streams.publisher.sink import TableRelay

pytestmark = pytest.mark.postgres

ALERTS = "recon.alerts"


class _Slow(PostgresWriter):
    """Takes its time over an append, so that two relays overlap."""

    @override
    async def append_in(
        self, connection: Session, records: Sequence[OutgoingRecord]
    ) -> list[Appended]:
        await asyncio.sleep(0.2)
        return await super().append_in(connection, records)


async def test_two_publishers_at_once_send_every_message_once_and_in_order(database: str) -> None:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    logs = postgres_logs(pool, group="recon")
    await logs.admin.apply(topic_plans(partitions=1))
    await _empty(logs, pool)
    values = [f"{number}".encode() for number in range(30)]
    async with UnitOfWork(pool) as unit:
        unit.publish([OutgoingRecord(ALERTS, b"k", value) for value in values])

    async def relay_all() -> int:
        relay, count = TableRelay(_Slow(pool)), 0
        while await _waits(pool):
            count += len(await relay.relay(pool, rows_max=10))
        return count

    assert sum(await asyncio.gather(relay_all(), relay_all())) == len(values)
    partition = TopicPartition(ALERTS, 0)
    end = (await logs.probe.end_offsets([partition]))[partition]
    assert [r.value async for r in logs.probe.read(partition, 0, end)] == values
    await pool.close()


async def test_what_stops_payouts_does_not_queue_behind_what_informs(database: str) -> None:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    logs = postgres_logs(pool, group="recon")
    await logs.admin.apply(topic_plans(partitions=1))
    await _empty(logs, pool)
    async with UnitOfWork(pool) as unit:
        unit.publish([OutgoingRecord(ALERTS, b"k", b"1"), OutgoingRecord(ALERTS, b"k", b"2")])
    async with UnitOfWork(pool) as unit:
        unit.publish([OutgoingRecord("recon.breaker", b"s", b"3")])
    relay = logs.relay
    sent = [[item.record.value for item in await relay.relay(pool, rows_max=10)] for _ in range(3)]
    assert sent == [[b"3"], [b"1", b"2"], []]
    await pool.close()


async def _empty(logs: Logs, pool: asyncpg.Pool) -> None:
    """Publish what a new book has to say."""
    while await logs.relay.relay(pool, rows_max=10):
        pass


async def _waits(pool: asyncpg.Pool) -> bool:
    return bool(
        await pool.fetchval("SELECT EXISTS (SELECT FROM book.outbox WHERE published_at IS NULL)")
    )
