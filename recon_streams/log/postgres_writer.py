"""Appending to the Postgres log, alone or inside the transaction that caused the records."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from recon_streams.log.errors import LogUnreachable, UnknownTopic
from recon_streams.log.partitioner import partition_of
from recon_streams.log.postgres_topics import UNREACHABLE, Connection, KnownTopics, headers_text
from recon_streams.log.record import Appended, OutgoingRecord

_RECORDS_PER_CALL: Final = 2_000
_BYTES_PER_CALL: Final = 16 * 1024 * 1024
# Counter rows in the order of their keys, before calls that would each take only some of them.
_LOCK: Final = """
SELECT FROM log.partition WHERE (topic_id, part) IN (SELECT * FROM unnest($1::int[], $2::int[]))
ORDER BY topic_id, part FOR NO KEY UPDATE
"""
_APPEND: Final = "SELECT log.append($1::int[], $2::int[], $3::bytea[], $4::jsonb[], $5::bytea[])"


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
        topics = [known[each.topic].topic_id for each in records]
        parts = [partition_of(each.key, known[each.topic].partitions) for each in records]
        calls = list(_portions(records))
        if len(calls) > 1:
            await connection.execute(_LOCK, topics, parts)
        offsets: list[int] = []
        try:
            for first, until in calls:
                portion = records[first:until]
                offsets += await connection.fetchval(
                    _APPEND,
                    topics[first:until],
                    parts[first:until],
                    [each.key for each in portion],
                    [headers_text(each.headers) for each in portion],
                    [each.value for each in portion],
                )
        except asyncpg.UndefinedObjectError as gone:
            self._topics.forget()
            raise UnknownTopic(", ".join(sorted({each.topic for each in records}))) from gone
        return [Appended(*place) for place in zip(parts, offsets, strict=True)]


def _portions(records: Sequence[OutgoingRecord]) -> list[tuple[int, int]]:
    """Return ranges of `records` that are small enough for one call each."""
    portions = []
    first = size = 0
    for place, each in enumerate(records):
        size += len(each.value or b"")
        if place > first and (place - first >= _RECORDS_PER_CALL or size > _BYTES_PER_CALL):
            portions.append((first, place))
            first, size = place, len(each.value or b"")
    portions.append((first, len(records)))
    return portions
