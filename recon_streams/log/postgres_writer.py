"""Appending to the Postgres log, alone or inside the transaction that caused the records."""

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from recon_streams.log.errors import LogUnreachable, UnknownTopic
from recon_streams.log.partitioner import partition_of
from recon_streams.log.postgres_topics import (
    UNREACHABLE,
    Connection,
    KnownTopic,
    KnownTopics,
    headers_text,
)
from recon_streams.log.record import Appended, OutgoingRecord

# From here on a COPY, which takes two round trips more, is the quicker way.
_RECORDS_TO_COPY: Final = 200
_ADVANCE: Final = "SELECT * FROM log.advance($1, $2, $3)"
_APPEND: Final = "SELECT * FROM log.append($1, $2, $3, $4, $5, $6, $7, $8)"
_COLUMNS: Final = ("topic_id", "part", "off", "key", "headers", "payload", "at")


class PostgresWriter:
    """`LogWriter` on Postgres. The pool is the caller's and stays open."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._topics = KnownTopics()

    async def start(self) -> None:
        """See `LogWriter.start`: nothing to do, the pool is open."""

    async def stop(self) -> None:
        """See `LogWriter.stop`: nothing to do, the pool is the caller's."""

    async def append(self, records: Sequence[OutgoingRecord]) -> list[Appended]:
        """See `LogWriter.append`: all of `records` or none, in one transaction."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                return await self.append_in(connection, records)
        except UNREACHABLE as failure:
            raise LogUnreachable("the log in Postgres", 0, repr(failure)) from failure

    async def append_in(
        self, connection: Connection, records: Sequence[OutgoingRecord]
    ) -> list[Appended]:
        """Append within the caller's transaction: the records exist when, and only if, it commits.

        Readers wait meanwhile, as the partitions stay locked until then. Call it once per
        transaction and late; two calls can deadlock with another transaction's two.

        Raises:
            UnknownTopic: A topic was not declared; the transaction is spoilt.
        """
        if not records:
            return []
        known = await self._topics.of(connection, {each.topic for each in records})
        plan = _Placement(known, records)
        try:
            if len(records) < _RECORDS_TO_COPY:
                first_offsets = await _append(connection, plan, records)
            else:
                first_offsets = await _copy(connection, plan, records)
        except asyncpg.UndefinedObjectError as gone:
            self._topics.forget()
            raise UnknownTopic(", ".join(sorted({each.topic for each in records}))) from gone
        return [
            Appended(plan.partitions[target][1], first_offsets[target] + nth)
            for target, nth in plan.places
        ]


class _Placement:
    """Which partition each record goes to, and as the how-many-eth of those that come with it.

    Attributes:
        partitions: The topic id and the number of each partition concerned.
        counts: How many records each of them gets.
        places: For each record the index of its partition above, and its place among the others.
    """

    def __init__(self, known: Mapping[str, KnownTopic], records: Sequence[OutgoingRecord]) -> None:
        targets: dict[tuple[int, int], int] = {}
        self.counts: list[int] = []
        self.places: list[tuple[int, int]] = []
        for each in records:
            topic_id, partitions = known[each.topic]
            partition = topic_id, partition_of(each.key, partitions)
            target = targets.setdefault(partition, len(self.counts))
            if target == len(self.counts):
                self.counts.append(0)
            self.places.append((target, self.counts[target]))
            self.counts[target] += 1
        self.partitions = list(targets)

    def advancing(self) -> tuple[list[int], list[int], list[int]]:
        """Return the arguments of log.advance."""
        return [t for t, _ in self.partitions], [p for _, p in self.partitions], self.counts


async def _append(
    connection: Connection, plan: _Placement, records: Sequence[OutgoingRecord]
) -> Sequence[int]:
    row = await connection.fetchrow(
        _APPEND,
        *plan.advancing(),
        [target + 1 for target, _ in plan.places],
        [nth for _, nth in plan.places],
        [each.key for each in records],
        [headers_text(each.headers) for each in records],
        [each.value for each in records],
    )
    assert row is not None, "the function returns one row or raises"
    first_offsets: Sequence[int] = row["first_offs"]
    return first_offsets


async def _copy(
    connection: Connection, plan: _Placement, records: Sequence[OutgoingRecord]
) -> Sequence[int]:
    row = await connection.fetchrow(_ADVANCE, *plan.advancing())
    assert row is not None, "the function returns one row or raises"
    first_offsets: Sequence[int] = row["first_offs"]
    rows = (
        (
            *plan.partitions[target],
            first_offsets[target] + nth,
            each.key,
            headers_text(each.headers),
            each.value,
            row["appended_at"],
        )
        for each, (target, nth) in zip(records, plan.places, strict=True)
    )
    await connection.copy_records_to_table(
        "record", schema_name="log", columns=_COLUMNS, records=rows
    )
    return first_offsets
