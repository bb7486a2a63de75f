"""Before a denial can be read on the log, the copies of its permits are gone; on a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from typing_extensions import override

from recon_streams.book.connection import Session
from recon_streams.breaker_desk.notary import BreakerNotary
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import Appended, OutgoingRecord
from recon_streams.permits.copy import RedisPermits
from recon_streams.permits.line import RedisLine
from recon_streams.publisher import newest
from recon_streams.publisher.lease import LeaseTerms
from recon_streams.publisher.service import PublisherParts, run_publisher
from recon_streams.publisher.sink import TableRelay
from recon_streams.testing.keys import new_key_ring
from recon_streams.testing.redis import TestRedis
from topics.breaker import LEASE_KEY, BreakerState

pytestmark = pytest.mark.postgres

Book = Any  # of the conftest


class Watched(PostgresWriter):
    """Notes whether a permit stands in Redis when a change is about to be written."""

    redis: TestRedis
    is_watching = False

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self.seen: list[tuple[bytes | None, str]] = []

    @override
    async def append_in(
        self, connection: Session, records: Sequence[OutgoingRecord]
    ) -> list[Appended]:
        self.seen += [
            (record.key, self.redis.ask("GET", "permit:all"))
            for record in records
            if self.is_watching and record.topic == "recon.breaker" and record.key != LEASE_KEY
        ]
        return await super().append_in(connection, records)


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRedis]:
    made = TestRedis(tmp_path_factory.mktemp("redis"))
    made.start()
    yield made
    made.kill()


@pytest.fixture
async def writer(book: Book, redis: TestRedis) -> AsyncIterator[Watched]:
    """The writer of a publisher that runs beside a worker."""
    watched = Watched(book.pool)
    watched.redis = redis
    line = RedisLine(redis.url)
    parts = PublisherParts(
        pool=book.pool,
        relay=TableRelay(watched),
        writer=watched,
        probe=book.logs.probe,
        terms=LeaseTerms(renew_seconds=0.5),
        keys=new_key_ring(),
        notary=BreakerNotary(book.pool, None),
        permits=RedisPermits(line, partial(newest.states, book.pool)),
    )
    running = [
        asyncio.create_task(run_publisher(parts, "publisher")),
        asyncio.create_task(book.keep_deciding()),
    ]
    yield watched
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await line.close()


async def test_the_permit_is_gone_before_its_denial_is_on_the_log(
    book: Book, redis: TestRedis, writer: Watched
) -> None:
    await _until_permitted(redis, is_permitted=True)
    writer.is_watching = True
    await book.change(BreakerState.OPEN)
    await _until_permitted(redis, is_permitted=False)
    async with asyncio.timeout(5):
        while not writer.seen:
            await asyncio.sleep(0.01)
    assert writer.seen == [(b"all", "")]
    # Leases go on, and none of them brings it back.
    known = len(await book.leases())
    async with asyncio.timeout(10):
        while len(await book.leases()) < known + 3:
            assert redis.ask("GET", "permit:all") == ""
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("writer")
async def test_a_redis_that_is_dead_delays_no_denial_and_no_lease(
    book: Book, redis: TestRedis
) -> None:
    await _until_permitted(redis, is_permitted=True)
    redis.freeze()
    known = len(await book.leases())
    began_at = asyncio.get_running_loop().time()
    await book.change(BreakerState.OPEN)
    async with asyncio.timeout(5):
        while await book.pool.fetchval(
            "SELECT count(*) FROM book.outbox WHERE published_at IS NULL"
        ):
            await asyncio.sleep(0.01)
    assert asyncio.get_running_loop().time() - began_at < 1.5
    async with asyncio.timeout(10):
        while len(await book.leases()) < known + 3:
            await asyncio.sleep(0.05)
    redis.thaw()
    await _until_permitted(redis, is_permitted=False)


async def _until_permitted(redis: TestRedis, *, is_permitted: bool) -> None:
    async with asyncio.timeout(15):
        while bool(redis.ask("GET", "permit:all")) != is_permitted:
            await asyncio.sleep(0.02)
