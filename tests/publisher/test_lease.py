"""When a lease may be given, for how long and which one: by the database and a stop-watch only."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.book.streams import LogEnd, book_time, note_caught_up
from recon_streams.log.record import TopicPartition
from recon_streams.publisher import lease
from recon_streams.publisher.lease import LeaseRefusal, LeaseTerms, Progress
from topics.breaker import LEASE_MS_MAX, BreakerState, StateHead

pytestmark = pytest.mark.postgres

Book = Any  # of the conftest
INPUT = TopicPartition("ledger.movements", 0)
TERMS = LeaseTerms(renew_seconds=3)
HEAD = StateHead(offset=0, seq=1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def test_nothing_is_lent_before_every_stream_was_decided_to_some_instant(
    book: Book, epoch: int
) -> None:
    assert (await book.ask(epoch=epoch)).refused is LeaseRefusal.NOTHING_EVALUATED


async def test_a_lease_is_shorter_by_what_the_evaluation_is_old(book: Book, epoch: int) -> None:
    await book.decide_through(seconds_ago=4)
    answer = await book.ask(epoch=epoch)
    assert answer.refused is None
    assert LEASE_MS_MAX - 5_500 < answer.ttl_ms <= LEASE_MS_MAX - 4_000
    assert answer.until is not None
    assert answer.until <= await book_time(book.pool) + timedelta(milliseconds=answer.ttl_ms)


async def test_an_evaluation_that_is_too_old_lends_nothing(book: Book, epoch: int) -> None:
    await book.decide_through(seconds_ago=11)
    assert (await book.ask(epoch=epoch)).refused is LeaseRefusal.EVALUATION_BEHIND
    assert await book.pool.fetchval("SELECT lease_seq FROM book.publisher") == 0


async def test_a_worker_whose_clock_is_an_hour_ahead_lends_no_hour(book: Book, epoch: int) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    await note_caught_up(book.pool, [LogEnd(partition=INPUT, end=0, asked_at=ahead)])
    through = await book.pool.fetchval("SELECT through_at FROM book.stream")
    assert through <= await book_time(book.pool)
    await asyncio.sleep(0.3)
    answer = await book.ask(epoch=epoch)
    assert answer.ttl_ms <= LEASE_MS_MAX - 300


async def test_a_database_whose_clock_is_set_back_lends_no_longer_than_our_stop_watch(
    book: Book, epoch: int
) -> None:
    # Its watermark then lies in what it takes for the future, and nothing looks old.
    await book.decide_through(seconds_ago=-3600)
    through = await book.pool.fetchval("SELECT through_at FROM book.stream")
    assert (await book.ask(epoch=epoch)).ttl_ms == LEASE_MS_MAX
    assert (await book.ask(epoch=epoch, own=(through, 7_000))).ttl_ms == 7_000
    refused = (await book.ask(epoch=epoch, own=(through, 4_999))).refused
    assert refused is LeaseRefusal.EVALUATION_STANDS


async def test_nothing_is_lent_while_a_change_of_a_breaker_waits_to_be_published(
    book: Book, epoch: int
) -> None:
    await book.decide_through()
    await book.change(BreakerState.OPEN)
    assert (await book.ask(epoch=epoch)).refused is LeaseRefusal.DENIALS_WAITING
    await book.relay()
    assert (await book.ask(epoch=epoch)).refused is None


async def test_a_forced_state_that_nobody_ends_ends_all_permission(book: Book, epoch: int) -> None:
    await book.decide_through()
    for seconds, refused in ((-60, None), (3, None), (6, LeaseRefusal.OVERRIDE_OVERDUE)):
        await book.owner.execute(
            "UPDATE breaker.scope SET override_until = "
            "clock_timestamp() - $1 * interval '1 second' WHERE scope = 'all'",
            seconds,
        )
        assert (await book.ask(epoch=epoch)).refused is refused


async def test_what_merely_informs_may_wait_a_little(book: Book, epoch: int) -> None:
    await book.decide_through()
    insert = (
        "INSERT INTO book.outbox (topic, payload, created_at) "
        "VALUES ('recon.alerts', '', clock_timestamp() - make_interval(secs => $1))"
    )
    await book.owner.execute(insert, 2)
    assert (await book.ask(epoch=epoch)).refused is None
    await book.owner.execute(insert, 6)
    answer = await book.ask(epoch=epoch)
    assert answer.refused is LeaseRefusal.OUTBOX_BEHIND
    assert answer.depth == 2
    assert answer.oldest_seconds >= 6


async def test_a_publisher_that_was_replaced_is_told(book: Book, epoch: int) -> None:
    await book.decide_through()
    heir = await lease.take_over(book.pool, "heir")
    assert heir == epoch + 1
    with pytest.raises(lease.Superseded):
        await book.ask(epoch=epoch)
    assert (await book.ask(epoch=heir)).refused is None


async def test_a_publisher_that_is_replaced_while_it_waits_for_the_row_is_told(
    book: Book, epoch: int
) -> None:
    await book.decide_through()
    async with book.owner.acquire() as connection:
        change = connection.transaction()
        await change.start()
        await connection.execute("UPDATE book.publisher SET publisher_epoch = publisher_epoch + 1")
        asking = asyncio.create_task(book.ask(epoch=epoch))
        await asyncio.sleep(0.3)
        assert not asking.done()
        await change.commit()
        with pytest.raises(lease.Superseded):
            await asking


@given(moves=st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=20))
def test_without_a_move_a_lease_ends_within_the_bound_of_the_last_one_seen(
    moves: list[tuple[bool, int]],
) -> None:
    progress, now, through = Progress(), 0.0, LONG_AGO
    last_move: float | None = None
    progress.see(through, now)
    for has_moved, seconds in moves:
        now += seconds
        if has_moved:
            through += timedelta(seconds=1)
            last_move = now
        progress.see(through, now)
        left = progress.left_ms(TERMS, now)
        if last_move is None:
            assert left <= 0
        else:
            assert now + left / 1000 <= last_move + LEASE_MS_MAX / 1000


def test_a_watermark_that_goes_back_is_no_progress() -> None:
    progress = Progress()
    progress.see(LONG_AGO, 0)
    progress.see(LONG_AGO - timedelta(hours=2), 1)
    assert progress.left_ms(TERMS, 1) <= 0


def test_no_setting_makes_a_lease_longer_than_the_hard_bound() -> None:
    assert LeaseTerms(ttl_seconds=3600).ttl_ms == LEASE_MS_MAX


def test_what_a_publisher_decides_hangs_on_no_clock_of_its_own() -> None:
    for file in Path(lease.__file__).parent.glob("*.py"):
        text = file.read_text()
        for clock in ("utc_now", "datetime.now", "time.time", "import time"):
            assert clock not in text, f"{file.name} reads {clock}"
