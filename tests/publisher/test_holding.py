"""One message that the log does not take holds nothing up but itself, and on-call knows of it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest
from typing_extensions import override

from agents.logs import kafka_logs, topic_plans
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.log.errors import RecordRefused
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import Appended, OutgoingRecord, TopicPartition
from recon_streams.publisher import lease
from recon_streams.publisher.holding import HoldingRelay, held
from recon_streams.publisher.lease import LeaseRefusal, LeaseTerms
from recon_streams.publisher.sink import LogRelay
from recon_streams.testing.kafka import ExternalKafka, TestKafka
from recon_streams.testing.logs import everything
from topics.breaker import BreakerState

pytestmark = pytest.mark.postgres

Book = Any  # of the conftest
ALERTS = TopicPartition("recon.alerts", 0)
TOO_LARGE = b"x" * 1_001


class Picky(PostgresWriter):
    """A log with a limit of size, and topics that we may not write to."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self.closed: set[str] = set()
        self.appends = 0

    @override
    async def append(self, records: Sequence[OutgoingRecord]) -> list[Appended]:
        self.appends += 1
        if any(len(each.value or b"") > 1_000 or each.topic in self.closed for each in records):
            raise RecordRefused({each.topic for each in records}, "too large, or not allowed")
        return await super().append(records)


@pytest.fixture
async def writer(book: Book) -> Picky:
    return Picky(book.pool)


async def say(book: Book, *values: bytes) -> None:
    async with UnitOfWork(book.pool) as unit:
        unit.publish([OutgoingRecord(ALERTS.topic, b"k", value) for value in values])


async def relay_all(relay: HoldingRelay, book: Book) -> None:
    async with asyncio.timeout(20):
        while await relay.relay(book.pool, rows_max=100):
            pass


async def on_log(book: Book) -> list[bytes | None]:
    return [each.value for each in await everything(book.logs.probe, ALERTS)]


async def test_one_message_that_is_refused_holds_nothing_up_but_itself(
    book: Book, writer: Picky
) -> None:
    values = [f"{number}".encode() for number in range(250)]
    await say(book, *values[:130], TOO_LARGE, *values[130:])
    relay = HoldingRelay(LogRelay(writer))
    await relay_all(relay, book)
    assert await on_log(book) == values, "every other one is there, once and in order"
    assert writer.appends < 40
    (found,) = await held(book.pool)
    assert (found.topic, found.count, found.reason) == (
        "recon.alerts", 1, "too large, or not allowed",
    )  # fmt: skip


async def test_what_is_held_is_tried_again_and_ends_when_it_is_taken(
    book: Book, writer: Picky
) -> None:
    writer.closed.add("recon.alerts")
    await say(book, b"1", b"2")
    relay = HoldingRelay(LogRelay(writer))
    await relay_all(relay, book)
    assert await on_log(book) == []
    assert [each.count for each in await held(book.pool)] == [2]
    writer.closed.clear()
    await relay_all(relay, book)
    assert await on_log(book) == [], "not before it is due"
    await book.owner.execute("UPDATE book.outbox SET held_until = clock_timestamp()")
    await relay_all(relay, book)
    assert await on_log(book) == [b"1", b"2"]
    assert await held(book.pool) == []


async def test_a_topic_that_takes_nothing_is_not_asked_about_each_message(
    book: Book, writer: Picky
) -> None:
    writer.closed.add("recon.discrepancies")
    async with UnitOfWork(book.pool) as unit:
        unit.publish([OutgoingRecord("recon.discrepancies", b"k", b"%d" % n) for n in range(300)])
    await say(book, b"1", b"2")
    await relay_all(HoldingRelay(LogRelay(writer)), book)
    assert await on_log(book) == [b"1", b"2"]
    assert [(each.topic, each.count) for each in await held(book.pool)] == [
        ("recon.discrepancies", 300)
    ]
    assert writer.appends < 20


async def test_what_merely_informs_takes_no_permission_away_while_it_is_held(
    book: Book, writer: Picky
) -> None:
    epoch = await lease.take_over(book.pool, "p")
    await say(book, TOO_LARGE)
    await relay_all(HoldingRelay(LogRelay(writer)), book)
    await book.owner.execute(
        "UPDATE book.outbox SET created_at = created_at - interval '1 hour' "
        "WHERE published_at IS NULL"
    )
    await book.decide_through()
    assert await _refused(book, epoch) is None


async def test_a_change_of_a_breaker_that_is_held_ends_all_permission(
    book: Book, writer: Picky
) -> None:
    epoch = await lease.take_over(book.pool, "p")
    writer.closed |= {"recon.breaker", "recon.breaker.events"}
    await book.change(BreakerState.OPEN)
    await relay_all(HoldingRelay(LogRelay(writer)), book)
    assert {each.topic for each in await held(book.pool)} >= {"recon.breaker"}
    await book.decide_through()
    assert await _refused(book, epoch) is LeaseRefusal.DENIALS_WAITING


async def _refused(book: Book, epoch: int) -> LeaseRefusal | None:
    own = (await book.owner.fetchval("SELECT to_timestamp(0)"), 0)
    terms = LeaseTerms()
    return (await lease.ask_for_lease(book.pool, terms, epoch=epoch, step=1, own=own)).refused


@pytest.mark.kafka
async def test_what_a_kafka_refuses_is_held_and_the_rest_arrives(
    book: Book, kafka: TestKafka | ExternalKafka
) -> None:
    logs = kafka_logs(KafkaConnection(bootstrap=kafka.bootstrap), group="g")
    await logs.start()
    await logs.admin.apply(topic_plans(partitions=1))
    limit = next(
        int(plan.config["max.message.bytes"])
        for plan in topic_plans(partitions=1)
        if plan.name == ALERTS.topic
    )
    end = (await logs.probe.end_offsets([ALERTS]))[ALERTS]
    await say(book, b"1", b"x" * (limit + 1_000), b"2")
    async with asyncio.timeout(60):
        while await logs.relay.relay(book.pool, rows_max=100):
            pass
    until = (await logs.probe.end_offsets([ALERTS]))[ALERTS]
    values = [each.value async for each in logs.probe.read(ALERTS, end, until)]
    assert list(dict.fromkeys(values)) == [b"1", b"2"]
    assert [each.count for each in await held(book.pool)] == [1]
    await logs.stop()
