"""The second reader on Postgres: the same tables, its own connections and its own queries."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Final

import asyncpg

from recon_streams.log.errors import LogUnreachable, OffsetOutOfRange, UnknownTopic
from recon_streams.log.gaps import SecondReading, classify
from recon_streams.log.postgres_topics import READ, UNREACHABLE, KnownTopics, records_from
from recon_streams.log.record import ProvenGap, Record, TopicPartition
from recon_streams.log.topic_plan import is_compacting

_PAGE_RECORDS: Final = 1_000
_PAGE_BYTES: Final = 8 * 1024 * 1024
_OFFSETS_NAMED_MAX: Final = 100

_COUNTERS: Final = """
SELECT t.name, p.part, p.start_off, p.next_off
FROM unnest($1::text[], $2::int[]) AS w (name, part)
JOIN log.topic AS t USING (name) JOIN log.partition AS p USING (topic_id, part)
"""
# Appends lock the counter before they take their append time, and until they end. So a row that is
# not locked has counted everything that was appended before this question.
_APPENDED: Final = """
SELECT t.name, p.part, p.next_off
FROM unnest($1::text[], $2::int[]) AS w (name, part)
JOIN log.topic AS t USING (name) JOIN log.partition AS p USING (topic_id, part)
FOR SHARE OF p SKIP LOCKED
"""
_HOLE: Final = """
SELECT p.start_off, p.next_off, coalesce(t.config ->> 'cleanup.policy', 'delete') AS policy,
    ARRAY(
        SELECT r.off FROM log.record AS r
        WHERE (r.topic_id, r.part) = (p.topic_id, p.part) AND r.off >= $3 AND r.off < $4
        ORDER BY r.off LIMIT $5
    ) AS found
FROM log.topic AS t JOIN log.partition AS p USING (topic_id)
WHERE t.name = $1 AND p.part = $2
"""
_LATEST: Final = """
SELECT r.part, r.off, r.key, r.headers, r.payload, r.at
FROM (
    SELECT part, max(off) AS off FROM log.record
    WHERE topic_id = $1 AND key IS NOT NULL GROUP BY part, key
) AS latest
JOIN log.record AS r USING (part, off)
WHERE r.topic_id = $1 AND r.payload IS NOT NULL
ORDER BY r.part, r.off
"""


class PostgresProbe:
    """`LogProbe` on Postgres. The pool is the caller's and stays open."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._topics = KnownTopics()

    async def start(self) -> None:
        """See `LogProbe.start`: nothing to do, the pool is open."""

    async def stop(self) -> None:
        """See `LogProbe.stop`: nothing to do, the pool is the caller's."""

    async def log_identity(self) -> str:
        """See `LogProbe.log_identity`: the id that the schema was born with."""
        ((log_id,),) = await self._rows("SELECT log_id FROM log.identity")
        return str(log_id)

    async def partitions(self, topics: Sequence[str]) -> frozenset[TopicPartition]:
        """See `LogProbe.partitions`."""
        known = await self._topics.of(self._pool, topics)
        return frozenset(
            TopicPartition(topic, part)
            for topic in topics
            for part in range(known[topic].partitions)
        )

    async def start_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """See `LogProbe.start_offsets`."""
        return {each: start for each, (start, _) in (await self._counters(partitions)).items()}

    async def end_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """See `LogProbe.end_offsets`. What is being appended is not in the log yet."""
        return {each: end for each, (_, end) in (await self._counters(partitions)).items()}

    async def appended_ends(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """See `LogProbe.appended_ends`."""
        wanted = list(partitions)
        rows = await self._rows(
            _APPENDED, [each.topic for each in wanted], [each.partition for each in wanted]
        )
        return {TopicPartition(name, part): end for name, part, end in rows}

    async def read(
        self, partition: TopicPartition, first: int, until: int
    ) -> AsyncIterator[Record]:
        """See `LogProbe.read`."""
        topic_id = (await self._topics.of(self._pool, [partition.topic]))[partition.topic].topic_id
        while first < until:
            rows = await self._rows(
                READ, topic_id, partition.partition, first, _PAGE_RECORDS, _PAGE_BYTES
            )
            if not rows:
                raise UnknownTopic(f"{partition.topic}[{partition.partition}]")
            start, end = rows[0]["start_off"], rows[0]["next_off"]
            if first < start or until > end:
                wanted = first if first < start else until
                raise OffsetOutOfRange(partition, wanted, start=start, end=end)
            records = records_from(partition, rows)
            for record in records:
                if record.offset >= until:
                    return
                yield record
            first = records[-1].offset + 1 if records else until

    async def read_latest(self, topic: str) -> dict[bytes, Record]:
        """See `LogProbe.read_latest`."""
        topic_id = (await self._topics.of(self._pool, [topic]))[topic].topic_id
        latest: dict[bytes, Record] = {}
        for row in await self._rows(_LATEST, topic_id):
            (record,) = records_from(TopicPartition(topic, row["part"]), [row])
            assert record.key is not None, "the query leaves out records without a key"
            latest[record.key] = record
        return latest

    async def prove_gap(
        self, partition: TopicPartition, first: int, until: int
    ) -> tuple[ProvenGap, ...]:
        """See `LogProbe.prove_gap`."""
        rows = await self._rows(_HOLE, *partition, first, until, _OFFSETS_NAMED_MAX)
        if not rows:
            raise UnknownTopic(f"{partition.topic}[{partition.partition}]")
        start, end, policy, found = rows[0]
        reading = SecondReading(
            start_offset=start, passed=end, delivered=found, is_compacted=is_compacting(policy)
        )
        return classify(partition, first, until, reading=reading)

    async def _counters(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, int]]:
        wanted = list(partitions)
        rows = await self._rows(
            _COUNTERS, [each.topic for each in wanted], [each.partition for each in wanted]
        )
        found = {TopicPartition(name, part): (start, end) for name, part, start, end in rows}
        for each in wanted:
            if each not in found:
                raise UnknownTopic(f"{each.topic}[{each.partition}]")
        return found

    async def _rows(self, query: str, *arguments: object) -> list[Any]:
        try:
            return list(await self._pool.fetch(query, *arguments))
        except UNREACHABLE as failure:
            raise LogUnreachable("the log in Postgres", 0, repr(failure)) from failure
