"""Who stands by takes over from a publisher that is gone, and from one that stands still."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from typing_extensions import override

from recon_streams.breaker_desk.notary import BreakerNotary
from recon_streams.log.postgres_probe import PostgresProbe
from recon_streams.log.record import TopicPartition
from recon_streams.publisher.lease import LeaseTerms
from recon_streams.publisher.service import (
    PUBLISHER_LOCK,
    SILENCE_SECONDS_MAX,
    BreakerTopicSplit,
    PublisherParts,
    run_publisher,
)
from recon_streams.testing.keys import new_key_ring

pytestmark = pytest.mark.postgres

Book = Any  # of the conftest


async def test_a_publisher_that_stands_still_is_put_out_within_seconds(
    book: Book, database: str
) -> None:
    # To the server a stopped process looks like this: connected, and it says nothing.
    frozen = await asyncpg.connect(database)
    assert await frozen.fetchval("SELECT pg_try_advisory_lock($1)", PUBLISHER_LOCK)
    working = asyncio.create_task(book.keep_deciding())
    heir = asyncio.create_task(run_publisher(_parts(book), "heir"))
    began_at = asyncio.get_running_loop().time()
    async with asyncio.timeout(SILENCE_SECONDS_MAX + 8):
        while not await book.leases():
            await asyncio.sleep(0.1)
    assert asyncio.get_running_loop().time() - began_at >= SILENCE_SECONDS_MAX - 1
    assert frozen.is_closed()
    await _end(working, heir)


async def test_nothing_is_published_where_the_breaker_has_a_second_partition(book: Book) -> None:
    # Readers follow the first one: a denial in the other would never be heard.
    await book.owner.execute(
        "INSERT INTO log.partition (topic_id, part) "
        "SELECT topic_id, 1 FROM log.topic WHERE name = 'recon.breaker'"
    )
    await book.owner.execute("UPDATE log.topic SET partitions = 2 WHERE name = 'recon.breaker'")
    with pytest.raises(BreakerTopicSplit, match="one partition"):
        async with asyncio.timeout(10):
            await run_publisher(_parts(book), "p")
    assert await book.leases() == []


async def test_a_publisher_that_works_is_left_alone(book: Book) -> None:
    working = asyncio.create_task(book.keep_deciding())
    publishers = [
        asyncio.create_task(run_publisher(_parts(book), f"publisher-{number}"))
        for number in range(2)
    ]
    await asyncio.sleep(SILENCE_SECONDS_MAX + 3)
    assert not any(each.done() for each in publishers)
    assert {each.publisher_epoch for each in await book.leases()} == {1}
    await _end(working, *publishers)


class Tardy(PostgresProbe):
    """Takes longer to be read than a silence is suffered."""

    @override
    async def end_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        if not self.is_late:
            self.is_late = True
            await asyncio.sleep(SILENCE_SECONDS_MAX + 3)
        return await super().end_offsets(partitions)

    is_late = False


async def test_a_publisher_that_takes_long_to_catch_up_is_left_alone(book: Book) -> None:
    working = asyncio.create_task(book.keep_deciding())
    slow = replace(_parts(book), probe=Tardy(book.pool))
    publishers = [
        asyncio.create_task(run_publisher(slow, "slow")),
        asyncio.create_task(run_publisher(_parts(book), "heir")),
    ]
    async with asyncio.timeout(SILENCE_SECONDS_MAX + 12):
        while not await book.leases():
            await asyncio.sleep(0.2)
    assert await book.pool.fetchval("SELECT publisher_epoch FROM book.publisher") == 1
    await _end(working, *publishers)


def _parts(book: Book) -> PublisherParts:
    return PublisherParts(
        pool=book.pool,
        relay=book.logs.relay,
        writer=book.logs.writer,
        probe=book.logs.probe,
        terms=LeaseTerms(renew_seconds=0.5),
        keys=new_key_ring(),
        notary=BreakerNotary(book.pool, None),
    )


async def _end(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
