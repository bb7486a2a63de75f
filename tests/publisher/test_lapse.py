"""That no lease is in force, and why, is known from the book: who is dead says nothing itself."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from recon_streams.breaker_desk.notary import BreakerNotary
from recon_streams.log.errors import LogUnreachable, RecordRefused
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import Appended, OutgoingRecord
from recon_streams.publisher import lapse, lease
from recon_streams.publisher.lapse import WORDS, LeaseWatch
from recon_streams.publisher.lease import LeaseRefusal, LeaseTerms
from recon_streams.publisher.service import PublisherParts, run_publisher
from recon_streams.testing.keys import new_key_ring
from topics.breaker import LEASE_KEY

Book = Any  # of the conftest
RUNBOOK = Path(__file__).parents[2] / "docs" / "runbooks" / "breaker.md"


class NoLeases(PostgresWriter):
    """A log that takes no leases, or nothing of breakers that does not come from the outbox."""

    failure: Exception | None = None
    takes_repairs = True

    @override
    async def append(self, records: Sequence[OutgoingRecord]) -> list[Appended]:
        if self.failure is not None and any(
            each.key == LEASE_KEY or not self.takes_repairs for each in records
        ):
            raise self.failure
        return await super().append(records)


@pytest.fixture
async def writer(book: Book) -> NoLeases:
    return NoLeases(book.pool)


def parts(book: Book, writer: NoLeases) -> PublisherParts:
    return PublisherParts(
        pool=book.pool,
        relay=book.logs.relay,
        writer=writer,
        probe=book.logs.probe,
        terms=LeaseTerms(renew_seconds=0.3),
        keys=new_key_ring(),
        notary=BreakerNotary(book.pool, None),
        full_state_seconds=1,
    )


async def until(condition: Callable[[], Any], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


async def read(book: Book) -> Any:
    return await book.pool.fetchrow("SELECT * FROM book.publisher")


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("failure", "refused"),
    [
        (LogUnreachable("the log", 1), "LOG_SILENT"),
        (RecordRefused(["recon.breaker"], "no right to write"), "LOG_REFUSES"),
    ],
)
async def test_a_lease_counts_once_it_is_on_the_log_and_not_before(
    book: Book, writer: NoLeases, failure: Exception, refused: str
) -> None:
    writer.failure = failure
    working = asyncio.create_task(book.keep_deciding())
    publisher = asyncio.create_task(run_publisher(parts(book, writer), "p"))

    async def is_told() -> bool:
        return (await read(book))["refused"] == refused

    await until(is_told)
    row = await read(book)
    assert row["lease_seq"] > 0, "one was taken"
    assert row["lease_until"] is None, "and none is in force"
    if isinstance(failure, RecordRefused):  # of that nothing is in doubt, so it stays
        writer.failure = None

        async def is_lent() -> bool:
            return (await read(book))["lease_until"] is not None

        await until(is_lent)
        assert (await read(book))["refused"] is None
    working.cancel()
    publisher.cancel()
    await asyncio.gather(working, publisher, return_exceptions=True)


@pytest.mark.postgres
async def test_a_publisher_lives_on_where_it_may_neither_repair_nor_say_again(
    book: Book, writer: NoLeases
) -> None:
    writer.failure, writer.takes_repairs = RecordRefused(["recon.breaker"], "no right"), False
    await book.logs.writer.append([OutgoingRecord("recon.breaker", b"all", None)])
    working = asyncio.create_task(book.keep_deciding())
    publisher = asyncio.create_task(run_publisher(parts(book, writer), "p"))

    async def is_told() -> bool:
        return (await read(book))["refused"] == "LOG_REFUSES"

    await until(is_told)
    await asyncio.sleep(3)  # several rounds of repairing and of saying again
    assert not publisher.done()
    assert (await read(book))["lease_until"] is None
    writer.failure = None

    async def is_lent() -> bool:
        return (await read(book))["lease_until"] is not None

    await until(is_lent)
    last = (await book.logs.probe.read_latest("recon.breaker"))[b"all"]
    assert last.value is not None, "the tombstone was written over"
    working.cancel()
    publisher.cancel()
    await asyncio.gather(working, publisher, return_exceptions=True)


@pytest.mark.postgres
async def test_a_log_that_takes_nothing_is_told_by_the_publisher_that_leaves_over_it(
    book: Book, writer: NoLeases
) -> None:
    class Silent(NoLeases):
        @override
        async def append_in(self, *_: Any) -> list[Appended]:
            raise LogUnreachable("the log", 1)

    relay = type(book.logs.relay)(Silent(book.pool))
    async with book.owner.acquire() as connection:
        await connection.execute("INSERT INTO book.outbox (topic, payload) VALUES ('x', '')")
    with pytest.raises(LogUnreachable):
        async with asyncio.timeout(10):
            await run_publisher(replace(parts(book, writer), relay=relay), "p")
    assert (await read(book))["refused"] == "LOG_SILENT"


@pytest.mark.postgres
async def test_who_watches_is_told_why_there_is_no_lease(book: Book) -> None:
    watch = LeaseWatch(book.pool, patience_seconds=5)
    epoch = await lease.take_over(book.pool, "p")
    assert await watch.why_none() is None, "before there ever was a lease none has lapsed"
    await lease.note(book.pool, epoch, LeaseRefusal.OUTBOX_BEHIND)
    assert await watch.why_none() is None
    await lease_ended(book, seconds_ago=3)
    assert await watch.why_none() is None, "it may be about to come back"
    await lease_ended(book, seconds_ago=7)
    assert await watch.why_none() == f"{WORDS[LeaseRefusal.OUTBOX_BEHIND]} (OUTBOX_BEHIND)"
    await book.owner.execute("UPDATE book.publisher SET asked_at = asked_at - interval '1 minute'")
    why = await watch.why_none()
    assert why is not None
    assert why.startswith("no publisher answers; the last one said that messages wait")
    await book.owner.execute("UPDATE book.publisher SET refused = NULL")
    assert await watch.why_none() == "no publisher answers"


@pytest.mark.postgres
async def test_a_database_whose_clock_is_set_back_hides_no_lapse(book: Book) -> None:
    watch = LeaseWatch(book.pool, patience_seconds=5)
    await lease_ended(book, seconds_ago=-7200)
    assert await watch.why_none() is None
    watch._moved_at -= 21
    assert await watch.why_none() == "no publisher answers"


@pytest.mark.postgres
async def test_who_was_replaced_writes_nothing_down(book: Book) -> None:
    epoch = await lease.take_over(book.pool, "p")
    await lease.take_over(book.pool, "heir")
    await lease.note(book.pool, epoch, LeaseRefusal.LOG_AHEAD)
    assert (await read(book))["refused"] is None


async def lease_ended(book: Book, *, seconds_ago: float) -> None:
    await book.owner.execute(
        "UPDATE book.publisher SET lease_until = clock_timestamp() - make_interval(secs => $1)",
        float(seconds_ago),
    )


def test_every_reason_has_its_words_and_its_line_in_the_runbook() -> None:
    section = RUNBOOK.read_text().split("## LEASE_LAPSED")[1].split("\n## ")[0]
    for refused in LeaseRefusal:
        assert refused in WORDS
        assert f"| `{refused}` |" in section
    assert 2 * LeaseTerms().renew_seconds < lapse.SILENT_SECONDS
