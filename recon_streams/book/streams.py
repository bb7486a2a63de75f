"""Where each stream stands. Position comes from here, never from the log's committed offsets."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.log.record import TopicPartition

# An advisory lock's name; any number will do that nobody else uses in this database.
BATCHES_LOCK: Final = 0x7265636F6E01

PROVEN_THROUGH: Final = (
    "SELECT CASE WHEN bool_and(proven_at IS NOT NULL) THEN min(proven_at) END FROM book.stream"
)


class Fenced(Exception):
    """Somebody else moved the position: this process is a zombie, or a batch was skipped."""

    def __init__(self, partition: TopicPartition, expected: int, found: int) -> None:
        super().__init__(
            f"{partition.topic}/{partition.partition}: the book is at {found}, "
            f"this worker expected {expected}"
        )
        self.found = found


class StreamPosition(msgspec.Struct, frozen=True, kw_only=True):
    """How far a partition has been taken into the book, by offset and by time."""

    stream: int
    next_offset: int
    through_at: datetime | None


async def advance(
    unit: UnitOfWork,
    partition: TopicPartition,
    *,
    expected: int,
    following: int,
    through_at: datetime | None,
) -> int:
    """Move the position of `partition` from `expected` to `following` and return its stream.

    The compare-and-set that makes every input count once: it is part of the batch's transaction.
    `through_at` is when the last record of the batch was appended; None leaves the time alone.

    Raises:
        Fenced: The book is not at `expected`.
    """
    stream: int | None = await unit.connection.fetchval(
        "UPDATE book.stream SET next_offset = $4, "
        # A sender may set the time of its records, on a topic that lets it: never past now.
        "through_at = greatest(through_at, least(coalesce($6, through_at), clock_timestamp())) "
        "WHERE topic = $1 AND part = $2 AND next_offset = $3 "
        "RETURNING stream, pg_advisory_xact_lock_shared($5)",
        partition.topic,
        partition.partition,
        expected,
        following,
        BATCHES_LOCK,
        through_at,
    )
    if stream is None:
        found = await unit.connection.fetchval(
            "SELECT next_offset FROM book.stream WHERE topic = $1 AND part = $2", *partition
        )
        raise Fenced(partition, expected, -1 if found is None else found)
    return stream


async def hold(unit: UnitOfWork, partition: TopicPartition) -> StreamPosition:
    """Return where `partition` stands, and let nobody else move it before `unit` ends.

    It must have been met. Batches take this lock first of all, before those of accounts; so must
    whoever wants both, or two of them could wait for each other.
    """
    row = await unit.connection.fetchrow(
        "SELECT stream, next_offset, through_at FROM book.stream "
        "WHERE topic = $1 AND part = $2 FOR UPDATE",
        *partition,
    )
    assert row is not None, f"{partition} was never met"
    return StreamPosition(
        stream=row["stream"], next_offset=row["next_offset"], through_at=row["through_at"]
    )


async def join_batches(unit: UnitOfWork) -> None:
    """Let `unit`, which decides something and is not a batch, be waited for as a batch is.

    To be called before the registry is read or an account is locked, as a batch does.
    """
    await unit.connection.execute("SELECT pg_advisory_xact_lock_shared($1)", BATCHES_LOCK)


async def wait_for_batches(unit: UnitOfWork) -> None:
    """Wait until every batch under way has committed, and hold new ones until `unit` ends.

    For the rare operation that must not meet what a batch decides on older rules: each batch
    holds the same lock in shared mode from its compare-and-set on.
    """
    await unit.connection.execute("SELECT pg_advisory_xact_lock($1)", BATCHES_LOCK)


async def open_positions(
    pool: asyncpg.Pool, starts: dict[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Return the next offset of each partition; one never read begins at its log start."""
    await pool.executemany(
        "INSERT INTO book.stream (topic, part, first_offset, next_offset) "
        "VALUES ($1, $2, $3, $3) ON CONFLICT (topic, part) DO NOTHING",
        [(*partition, start) for partition, start in starts.items()],
    )
    known = await positions(pool, starts)
    return {partition: known[partition].next_offset for partition in starts}


async def positions(
    pool: asyncpg.Pool, partitions: Collection[TopicPartition] | None = None
) -> dict[TopicPartition, StreamPosition]:
    """Return where the given partitions, or all, stand."""
    rows = await pool.fetch("SELECT topic, part, stream, next_offset, through_at FROM book.stream")
    found = {
        TopicPartition(row["topic"], row["part"]): StreamPosition(
            stream=row["stream"], next_offset=row["next_offset"], through_at=row["through_at"]
        )
        for row in rows
    }
    if partitions is None:
        return found
    return {partition: found[partition] for partition in partitions if partition in found}


class ForeignLog(Exception):
    """The book's positions belong to another log than the one it was started with."""

    def __init__(self, noted: str, found: str) -> None:
        super().__init__(
            f"the book's positions belong to log {noted}, but this is log {found}; "
            "start with the log the book was written from, or with a book of its own"
        )


async def claim_log(pool: asyncpg.Pool, identity: str) -> None:
    """Note which log the positions belong to, or make sure it is still the same.

    Raises:
        ForeignLog: It is another one.
    """
    noted = await pool.fetchval(
        "INSERT INTO book.log_identity (log_identity) VALUES ($1) "
        "ON CONFLICT (only_one) DO UPDATE SET log_identity = log_identity.log_identity "
        "RETURNING log_identity",
        identity,
    )
    if noted != identity:
        raise ForeignLog(noted, identity)


class LogEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What the log answered: before `asked_at`, nothing of `partition` was at `end` or behind it.

    Attributes:
        asked_at: An instant before the question was sent, by the database's clock.
    """

    partition: TopicPartition
    end: int
    asked_at: datetime


async def note_caught_up(pool: asyncpg.Pool, ends: Collection[LogEnd]) -> None:
    """Note through which instant each partition is decided whose end, once, the book has reached.

    `ends` may be of different instants; a partition that has reached none of its own is left alone.
    Whatever is said of time, nothing is decided through an instant that has not come by the
    database's clock: the lease hangs on it.
    """
    await pool.execute(
        "UPDATE book.stream AS s SET through_at = greatest(s.through_at, k.at), "
        "proven_at = greatest(s.proven_at, k.at) FROM ("
        "SELECT stream, least(max(at), clock_timestamp()) AS at "
        "FROM unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[]) "
        "AS asked (topic, part, ends, at) JOIN book.stream USING (topic, part) "
        "WHERE next_offset >= ends GROUP BY stream) AS k "
        "WHERE s.stream = k.stream AND (s.proven_at < k.at OR s.proven_at IS NULL)",
        [each.partition.topic for each in ends],
        [each.partition.partition for each in ends],
        [each.end for each in ends],
        [each.asked_at for each in ends],
    )


async def book_time(connection: Session | asyncpg.Pool) -> datetime:
    """Return what the clock of the database says: the only one the watermark is told by."""
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return now


async def decided_through(connection: Session | asyncpg.Pool) -> datetime | None:
    """Return the instant before which every input of every stream has been decided.

    None while any stream was never decided to any instant. The watermark of the whole book: what
    fell due before it is judged on complete evidence. It believes the times that the log gave its
    records; the lease does not, see `proven_through`.
    """
    through: datetime | None = await connection.fetchval(
        "SELECT CASE WHEN bool_and(through_at IS NOT NULL) THEN min(through_at) END "
        "FROM book.stream"
    )
    return through


async def proven_through(connection: Session | asyncpg.Pool) -> datetime | None:
    """Return the same, as it is proven by the log's ends and the database's clock alone.

    A server of the log whose clock is ahead makes a worker that lags look up to date.
    """
    through: datetime | None = await connection.fetchval(PROVEN_THROUGH)
    return through
