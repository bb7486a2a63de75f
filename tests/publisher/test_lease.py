"""When a lease may be given, for how long and which one: by the database and a stop-watch only."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from recon_streams.book.streams import LogEnd, book_time, note_caught_up
from recon_streams.log.errors import LogUnreachable
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import Appended, OutgoingRecord, TopicPartition
from recon_streams.positions.due import take_due
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.publisher import lease
from recon_streams.publisher.announcing import Announcer, NoPermits
from recon_streams.publisher.lease import LeaseAnswer, LeaseRefusal, LeaseTerms, Progress
from recon_streams.publisher.lender import Lender
from recon_streams.registry.definition import AccountDefinition, BankAccount
from recon_streams.testing.keys import new_key_ring
from topics.breaker import LEASE_KEY, LEASE_MS_MAX, BreakerState, StateHead

pytestmark = pytest.mark.postgres

Book = Any  # of the conftest
INPUT = TopicPartition("ledger.movements", 0)
TERMS = LeaseTerms(renew_seconds=3)
HEAD = StateHead(offset=0, seq=1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def ask(book: Book, *, epoch: int, own: tuple[datetime, int] | None = None) -> LeaseAnswer:
    """Ask as a publisher that has just seen the watermark move, unless `own` says otherwise."""
    seen = own or (LONG_AGO, 0)
    return await lease.ask_for_lease(book.pool, TERMS, epoch=epoch, step=1, own=seen)


class Unsure(PostgresWriter):
    """Appends, and now and then does not hear that it did."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self.is_deaf = False

    @override
    async def append(self, records: Sequence[OutgoingRecord]) -> list[Appended]:
        places = await super().append(records)
        if self.is_deaf:
            raise LogUnreachable("the log", 1)
        return places


class Lending:
    """A publisher's lender, and the writer it writes with."""

    def __init__(self, book: Book, epoch: int) -> None:
        self.writer = Unsure(book.pool)
        announcer = Announcer(new_key_ring().signer, NoPermits())
        self.lender = Lender(
            book.pool,
            self.writer,
            TERMS,
            publisher=("p", epoch),
            announcing=(announcer, NoPermits()),
        )

    async def lend(self, book: Book) -> LeaseAnswer:
        await book.decide_through()
        return await self.lender.lend(HEAD)


@pytest.fixture
async def epoch(book: Book) -> int:
    """The epoch of a publisher that has taken over."""
    return await lease.take_over(book.pool, "p")


async def test_nothing_is_lent_before_every_stream_was_decided_to_some_instant(
    book: Book, epoch: int
) -> None:
    assert (await ask(book, epoch=epoch)).refused is LeaseRefusal.NOTHING_EVALUATED


async def test_a_lease_is_shorter_by_what_the_evaluation_is_old(book: Book, epoch: int) -> None:
    await book.decide_through(seconds_ago=4)
    answer = await ask(book, epoch=epoch)
    assert answer.refused is None
    assert LEASE_MS_MAX - 5_500 < answer.ttl_ms <= LEASE_MS_MAX - 4_000
    assert answer.until is not None
    assert answer.until <= await book_time(book.pool) + timedelta(milliseconds=answer.ttl_ms)


async def test_an_evaluation_that_is_too_old_lends_nothing(book: Book, epoch: int) -> None:
    await book.decide_through(seconds_ago=11)
    assert (await ask(book, epoch=epoch)).refused is LeaseRefusal.EVALUATION_BEHIND
    assert await book.pool.fetchval("SELECT lease_seq FROM book.publisher") == 0


async def test_a_worker_whose_clock_is_an_hour_ahead_lends_no_hour(book: Book, epoch: int) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    await note_caught_up(book.pool, [LogEnd(partition=INPUT, end=0, asked_at=ahead)])
    through = await book.pool.fetchval("SELECT through_at FROM book.stream")
    assert through <= await book_time(book.pool)
    await asyncio.sleep(0.3)
    answer = await ask(book, epoch=epoch)
    assert answer.ttl_ms <= LEASE_MS_MAX - 300


async def test_a_database_whose_clock_is_set_back_lends_no_longer_than_our_stop_watch(
    book: Book, epoch: int
) -> None:
    # Its watermark then lies in what it takes for the future, and nothing looks old.
    await book.decide_through(seconds_ago=-3600)
    through = await book.pool.fetchval("SELECT through_at FROM book.stream")
    assert (await ask(book, epoch=epoch)).ttl_ms == LEASE_MS_MAX
    assert (await ask(book, epoch=epoch, own=(through, 7_000))).ttl_ms == 7_000
    refused = (await ask(book, epoch=epoch, own=(through, 4_999))).refused
    assert refused is LeaseRefusal.EVALUATION_STANDS


async def test_nothing_is_lent_while_a_change_of_a_breaker_waits_to_be_published(
    book: Book, epoch: int
) -> None:
    await book.decide_through()
    await book.change(BreakerState.OPEN)
    assert (await ask(book, epoch=epoch)).refused is LeaseRefusal.DENIALS_WAITING
    await book.relay()
    assert (await ask(book, epoch=epoch)).refused is None


async def test_a_forced_state_that_nobody_ends_ends_all_permission(book: Book, epoch: int) -> None:
    await book.decide_through()
    for seconds, refused in ((-60, None), (3, None), (6, LeaseRefusal.OVERRIDE_OVERDUE)):
        await book.owner.execute(
            "UPDATE breaker.scope SET override_until = "
            "clock_timestamp() - $1 * interval '1 second' WHERE scope = 'all'",
            seconds,
        )
        assert (await ask(book, epoch=epoch)).refused is refused


async def test_a_lease_counts_from_the_oldest_instant_that_is_due_and_undone(
    book: Book, epoch: int
) -> None:
    await book.decide_through()
    await wake(book, 4)
    answer = await ask(book, epoch=epoch)
    assert answer.refused is None, "who is busy with what falls due is not refused"
    assert LEASE_MS_MAX - 6_000 < answer.ttl_ms <= LEASE_MS_MAX - 4_000
    await wake(book, 11)
    assert (await ask(book, epoch=epoch)).refused is LeaseRefusal.DUE_BEHIND
    assert await book.pool.fetchval("SELECT lease_seq FROM book.publisher") == 1


async def test_what_falls_due_only_behind_the_watermark_is_not_undone(
    book: Book, epoch: int
) -> None:
    # Nothing is overdue while the record that settles it may still wait to be read.
    await book.decide_through(seconds_ago=6)
    await wake(book, 5)
    answer = await ask(book, epoch=epoch)
    assert answer.refused is None
    assert answer.ttl_ms > LEASE_MS_MAX - 8_000, "it is as old as the watermark, and no older"


async def test_leases_return_once_what_was_due_is_done(book: Book, epoch: int) -> None:
    await book.decide_through()
    await wake(book, 3600)
    assert (await ask(book, epoch=epoch)).refused is LeaseRefusal.DUE_BEHIND
    now = await book_time(book.pool)
    assert await take_due(book.pool, DirectoryCache(), now=now) == 1
    assert (await ask(book, epoch=epoch)).refused is None


async def test_two_thousand_accounts_that_fall_silent_at_once_take_no_permission_away(
    book: Book, epoch: int
) -> None:
    await wake(book, 1, accounts=2_000)
    await book.decide_through()
    worst_ms, taken = LEASE_MS_MAX, 1
    while taken:
        answer = await ask(book, epoch=epoch)
        assert answer.refused in {None, LeaseRefusal.DENIALS_WAITING}
        if answer.refused is None:
            worst_ms = min(worst_ms, answer.ttl_ms)
        taken = await take_due(book.pool, DirectoryCache(), now=await book_time(book.pool))
        await book.decide_through()
        await book.relay()
    assert worst_ms >= TERMS.ttl_ms_min


async def test_what_is_due_is_asked_for_by_one_look_into_an_index(book: Book) -> None:
    await wake(book, 3600, accounts=2_000)
    await book.owner.execute("ANALYZE positions.account_state")
    plan = await book.owner.fetchval(f"EXPLAIN (FORMAT JSON) {lease.OLDEST_DUE}")
    nodes = list(_nodes(json.loads(plan)[0]["Plan"]))
    assert {each.get("Index Name") for each in nodes} - {None} == {"account_state_wake"}
    assert not [each for each in nodes if each["Node Type"] == "Seq Scan"]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


async def wake(book: Book, seconds_ago: float, *, accounts: int = 1) -> None:
    """Have the instant of `accounts` come so long ago, by the database's clock."""
    definitions = [
        AccountDefinition(
            account_id=f"A{number}",
            currency="AED",
            scale=2,
            bank_accounts=(BankAccount(identification=f"B-{number}"),),
        )
        for number in range(accounts)
    ]
    began_at = await book_time(book.pool) - timedelta(days=1)
    await apply_registry(book.owner, definitions, source="t", actor="t", now=began_at)
    await book.owner.execute(
        "UPDATE positions.account_state "
        "SET wake_at = clock_timestamp() - make_interval(secs => $1)",
        seconds_ago,
    )
    await book.relay()


async def test_what_merely_informs_may_wait_a_little(book: Book, epoch: int) -> None:
    await book.decide_through()
    insert = (
        "INSERT INTO book.outbox (topic, payload, created_at) "
        "VALUES ('recon.alerts', '', clock_timestamp() - make_interval(secs => $1))"
    )
    await book.owner.execute(insert, 2)
    assert (await ask(book, epoch=epoch)).refused is None
    await book.owner.execute(insert, 6)
    answer = await ask(book, epoch=epoch)
    assert answer.refused is LeaseRefusal.OUTBOX_BEHIND
    assert answer.depth == 2
    assert answer.oldest_seconds >= 6


async def test_a_publisher_that_was_replaced_is_told(book: Book, epoch: int) -> None:
    await book.decide_through()
    heir = await lease.take_over(book.pool, "heir")
    assert heir == epoch + 1
    with pytest.raises(lease.Superseded):
        await ask(book, epoch=epoch)
    assert (await ask(book, epoch=heir)).refused is None


async def test_a_publisher_that_is_replaced_while_it_waits_for_the_row_is_told(
    book: Book, epoch: int
) -> None:
    await book.decide_through()
    async with book.owner.acquire() as connection:
        change = connection.transaction()
        await change.start()
        await connection.execute("UPDATE book.publisher SET publisher_epoch = publisher_epoch + 1")
        asking = asyncio.create_task(ask(book, epoch=epoch))
        await asyncio.sleep(0.3)
        assert not asking.done()
        await change.commit()
        with pytest.raises(lease.Superseded):
            await asking


async def test_a_new_publisher_lends_only_after_it_has_seen_the_evaluation_move(
    book: Book, epoch: int
) -> None:
    lending = Lending(book, epoch)
    assert (await lending.lend(book)).refused is LeaseRefusal.EVALUATION_STANDS
    assert (await lending.lend(book)).refused is None


async def test_a_new_publisher_writes_two_leases_so_that_the_second_follows_on_one(
    book: Book, epoch: int
) -> None:
    lending = Lending(book, epoch)
    await lending.lend(book)
    await lending.lend(book)
    assert [each.lease_seq for each in await book.leases()] == [1, 2]
    await lending.lend(book)
    assert [each.lease_seq for each in await book.leases()] == [1, 2, 3]
    assert {each.publisher_epoch for each in await book.leases()} == {epoch}


async def test_no_lease_follows_on_one_of_which_nobody_knows_whether_it_was_written(
    book: Book, epoch: int
) -> None:
    lending = Lending(book, epoch)
    await lending.lend(book)
    await lending.lend(book)
    lending.writer.is_deaf = True
    assert (await lending.lend(book)).refused is LeaseRefusal.LOG_SILENT
    lending.writer.is_deaf = False
    await lending.lend(book)
    # 3 is on the log as it happens, and 4 is not, so that nothing follows on 3.
    assert [each.lease_seq for each in await book.leases()] == [1, 2, 3, 5, 6]


async def test_a_log_that_stays_silent_ends_the_publisher(book: Book, epoch: int) -> None:
    lending = Lending(book, epoch)
    await lending.lend(book)
    lending.writer.is_deaf = True
    assert (await lending.lend(book)).refused is LeaseRefusal.LOG_SILENT
    assert (await lending.lend(book)).refused is LeaseRefusal.LOG_SILENT
    with pytest.raises(LogUnreachable):
        await lending.lend(book)


async def test_every_lease_is_signed(book: Book, epoch: int) -> None:
    lending = Lending(book, epoch)
    await lending.lend(book)
    await lending.lend(book)
    record = (await book.logs.probe.read_latest("recon.breaker"))[LEASE_KEY]
    assert {name for name, _ in record.headers} == {"alg", "kid", "sig"}


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
