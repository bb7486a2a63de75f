"""A lease speaks for every stream: the one that is furthest behind says how long, or that none."""

from typing import Any

import pytest

from recon_streams.book.streams import open_positions
from recon_streams.log.record import TopicPartition
from recon_streams.publisher import lease
from recon_streams.publisher.lease import LeaseRefusal
from topics.breaker import LEASE_MS_MAX

pytestmark = pytest.mark.postgres

OTHER = TopicPartition("bank.notifications", 0)


@pytest.fixture
async def epoch(book: Any) -> int:
    """The epoch of a publisher that has taken over a book with a second stream."""
    await book.decide_through()
    await open_positions(book.pool, {OTHER: 0})
    return await lease.take_over(book.pool, "p")


async def test_nothing_is_lent_while_one_stream_of_several_was_never_decided(
    book: Any, epoch: int
) -> None:
    assert (await book.ask(epoch=epoch)).refused is LeaseRefusal.NOTHING_EVALUATED
    await book.decide_through()
    assert (await book.ask(epoch=epoch)).refused is None


async def test_a_lease_is_as_short_as_the_stream_that_is_furthest_behind_makes_it(
    book: Any, epoch: int
) -> None:
    await book.decide_through()
    await book.owner.execute(
        "UPDATE book.stream SET through_at = through_at - interval '6 seconds', "
        "proven_at = proven_at - interval '6 seconds' WHERE topic = $1",
        OTHER.topic,
    )
    answer = await book.ask(epoch=epoch)
    assert answer.refused is None
    assert answer.ttl_ms <= LEASE_MS_MAX - 6_000
