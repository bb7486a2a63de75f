"""Declaring topics of the Postgres log, and the housekeeping that brokers do by themselves."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import msgspec

from recon_streams.log.errors import UnknownTopic
from recon_streams.log.postgres_topics import Connection
from recon_streams.log.record import TopicPartition
from recon_streams.log.topic_plan import TopicDifference, TopicPlan, is_compacting

_DELETE_AT_ONCE: Final = 10_000
_COMPACT_SECONDS_MAX: Final = 600
# Older rows of a key within its partition. Tombstones stay, as a reader that is far behind needs
# them; so does the last record, whose offset shows where the partition ends. A record younger than
# the topic's `min.compaction.lag.ms` makes none obsolete yet, as with brokers.
_COMPACT: Final = """
DELETE FROM log.record AS r USING (
    SELECT part, key, max(off) AS latest FROM log.record
    WHERE topic_id = $1 AND key IS NOT NULL AND at <= (
        SELECT clock_timestamp() - coalesce((config->>'min.compaction.lag.ms')::bigint, 0)
            * interval '1 millisecond'
        FROM log.topic WHERE topic_id = $1
    )
    GROUP BY part, key HAVING count(*) > 1
) AS k
WHERE r.topic_id = $1 AND r.part = k.part AND r.key = k.key AND r.off < k.latest
"""
_EXPIRE: Final = """
UPDATE log.partition AS p SET start_off = least($3, p.next_off) FROM log.topic AS t
WHERE t.name = $1 AND p.topic_id = t.topic_id AND p.part = $2
    AND p.start_off < least($3, p.next_off)
"""
_SWEEP: Final = """
WITH doomed AS (
    SELECT r.topic_id, r.part, r.off FROM log.topic AS t
    JOIN log.partition AS p USING (topic_id) JOIN log.record AS r USING (topic_id, part)
    WHERE t.name = $1 AND p.part = $2 AND r.off < p.start_off LIMIT $3
)
DELETE FROM log.record AS r USING doomed AS d
WHERE (r.topic_id, r.part, r.off) = (d.topic_id, d.part, d.off)
"""
# Append times grow with the offsets, so the first young record ends the old ones.
_FIRST_YOUNG: Final = """
SELECT p.part, coalesce(
    (SELECT r.off FROM log.record AS r
     WHERE (r.topic_id, r.part) = (p.topic_id, p.part) AND r.at >= $2 ORDER BY r.off LIMIT 1),
    p.next_off)
FROM log.topic AS t JOIN log.partition AS p USING (topic_id) WHERE t.name = $1
"""


class PostgresAdmin:
    """`LogAdmin` on Postgres, and its upkeep. The pool is the caller's and stays open."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def differences(self, plans: Sequence[TopicPlan]) -> list[TopicDifference]:
        """See `LogAdmin.differences`. There is one copy of all: replication is not compared."""
        names = [plan.name for plan in plans]
        rows = await self._pool.fetch(
            "SELECT name, partitions, config::text FROM log.topic WHERE name = ANY($1)", names
        )
        real = {row["name"]: row for row in rows}
        found: list[TopicDifference] = []
        for plan in plans:
            found += _differences(plan, real.get(plan.name))
        return found

    async def apply(self, plans: Sequence[TopicPlan]) -> list[TopicDifference]:
        """See `LogAdmin.apply`."""
        todo = [each for each in await self.differences(plans) if each.can_be_applied]
        names = {each.topic for each in todo}
        async with self._pool.acquire() as connection, connection.transaction():
            for plan in plans:
                if plan.name in names:
                    await _write(connection, plan)
        return todo

    async def compact(self, topic: str) -> int:
        """Delete records of `topic` that a later one of their key made obsolete; return how many.

        Raises:
            UnknownTopic: It was not declared.
        """
        topic_id = await self._pool.fetchval(
            "SELECT topic_id FROM log.topic WHERE name = $1", topic
        )
        if topic_id is None:
            raise UnknownTopic(topic)
        # Far beyond what a batch may take: it reads the whole topic, and nobody waits for it.
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "SELECT set_config('statement_timeout', $1, true)", f"{_COMPACT_SECONDS_MAX}s"
            )
            return _count(
                await connection.execute(_COMPACT, topic_id, timeout=_COMPACT_SECONDS_MAX)
            )

    async def expire(self, partition: TopicPartition, before_offset: int) -> int:
        """Let `partition` start at `before_offset`, at most at its end; return the records deleted.

        The start moves first, in a transaction of its own: readers learn what is gone before it
        goes, and appends wait for neither.
        """
        await self._pool.execute(_EXPIRE, *partition, before_offset)
        total = 0
        while deleted := _count(await self._pool.execute(_SWEEP, *partition, _DELETE_AT_ONCE)):
            total += deleted
        return total

    async def upkeep(
        self, now: datetime, keep_from: Mapping[TopicPartition, int] | None = None
    ) -> int:
        """Compact and expire every topic as its config says; return the records deleted.

        Nothing from the offsets of `keep_from` on expires, however old it is: its reader has not
        read it.
        """
        total = 0
        for name, config_text in await self._pool.fetch("SELECT name, config::text FROM log.topic"):
            config = msgspec.json.decode(config_text, type=dict[str, str])
            policy = config.get("cleanup.policy", "delete")
            if is_compacting(policy):
                total += await self.compact(name)
            retention = int(config.get("retention.ms", "-1"))
            if "delete" in policy and retention >= 0:
                total += await self._expire_older(
                    name, now - timedelta(milliseconds=retention), keep_from or {}
                )
        return total

    async def _expire_older(
        self, topic: str, before: datetime, keep_from: Mapping[TopicPartition, int]
    ) -> int:
        total = 0
        for part, offset in await self._pool.fetch(_FIRST_YOUNG, topic, before):
            partition = TopicPartition(topic, part)
            total += await self.expire(partition, min(offset, keep_from.get(partition, offset)))
        return total


def _differences(plan: TopicPlan, real: Any) -> list[TopicDifference]:  # noqa: ANN401 - a row
    if real is None:
        wanted = f"{plan.partitions} partitions"
        return [TopicDifference(plan.name, "existence", None, wanted, can_be_applied=True)]
    found = []
    if real["partitions"] != plan.partitions:
        counts = str(real["partitions"]), str(plan.partitions)
        found.append(TopicDifference(plan.name, "partitions", *counts, can_be_applied=False))
    config = msgspec.json.decode(real["config"], type=dict[str, str])
    for name, planned in plan.config.items():
        if config.get(name) != planned:
            found.append(
                TopicDifference(plan.name, name, config.get(name), planned, can_be_applied=True)
            )
    return found


async def _write(connection: Connection, plan: TopicPlan) -> None:
    config = msgspec.json.encode(dict(plan.config)).decode()
    topic_id = await connection.fetchval(
        "INSERT INTO log.topic (name, partitions, config) VALUES ($1, $2, $3::jsonb) "
        "ON CONFLICT (name) DO UPDATE SET config = topic.config || EXCLUDED.config "
        "RETURNING topic_id",
        plan.name,
        plan.partitions,
        config,
    )
    # The count of the row, not of the plan: a topic that lives keeps the partitions it has.
    await connection.execute(
        "INSERT INTO log.partition (topic_id, part) "
        "SELECT topic_id, generate_series(0, partitions - 1) FROM log.topic WHERE topic_id = $1 "
        "ON CONFLICT DO NOTHING",
        topic_id,
    )


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
