"""One session that is a member of a group: its locks say which partitions are ours.

A session-level advisory lock per group and partition. The server frees the locks when the session
ends, however it ends; and it ends the session of a process that has fallen silent, stopped or cut
off, so that such a process loses its partitions as it would in a Kafka group.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Collection
from typing import Final

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from recon_streams.log.postgres_topics import UNREACHABLE, KnownTopics
from recon_streams.log.record import TopicPartition

_CHANNEL: Final = "recon_log"
_CLOSE_SECONDS_MAX: Final = 2.0
_TAKE: Final = (
    "SELECT lock_key, pg_try_advisory_lock(lock_key) FROM unnest($1::bigint[]) AS lock_key"
)
_ENDS: Final = "SELECT topic_id, part, next_off FROM log.partition WHERE topic_id = ANY($1)"


def lock_key(group: str, partition: TopicPartition) -> int:
    """Return the advisory lock that stands for `partition` in `group`."""
    name = f"recon-streams log\0{group}\0{partition.topic}\0{partition.partition}"
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class MemberSession:
    """A connection that holds locks, listens, and asks where the partitions end.

    Attributes:
        ended: Set when the connection is gone, and the locks with it.
    """

    def __init__(
        self,
        connection: PoolConnectionProxy,
        partitions: dict[tuple[int, int], TopicPartition],
        heard: Callable[[TopicPartition, int], None],
    ) -> None:
        self._connection = connection
        self._partitions = partitions
        self._heard = heard
        self.ended = asyncio.Event()

    @classmethod
    async def open(
        cls,
        pool: asyncpg.Pool,
        topics: Collection[str],
        heard: Callable[[TopicPartition, int], None],
        *,
        session_seconds: float,
    ) -> "MemberSession":
        """Return a session that calls `heard` with each new end of a partition of `topics`."""
        connection = await pool.acquire(timeout=session_seconds)
        try:
            known = await KnownTopics().of(connection, topics)
            partitions = {
                (known[topic].topic_id, part): TopicPartition(topic, part)
                for topic in topics
                for part in range(known[topic].partitions)
            }
            session = cls(connection, partitions, heard)
            milliseconds = str(round(session_seconds * 1000))
            await connection.execute(
                "SELECT set_config('idle_session_timeout', $1, false)", milliseconds
            )
            connection.add_termination_listener(session._terminated)
            await connection.add_listener(_CHANNEL, session._notified)
        except BaseException:
            await _discard(pool, connection)
            raise
        return session

    async def close(self, pool: asyncpg.Pool) -> None:
        """End the session and thereby free its locks; the connection is never used again."""
        self.ended.set()
        await _discard(pool, self._connection)

    async def take(self, group: str, held: Collection[TopicPartition]) -> list[TopicPartition]:
        """Return the partitions that became ours now, besides those in `held`."""
        wanted = {
            lock_key(group, each): each for each in self._partitions.values() if each not in held
        }
        if not wanted:
            return []
        rows = await self._connection.fetch(_TAKE, list(wanted))
        return [wanted[key] for key, is_taken in rows if is_taken]

    async def hear(self) -> None:
        """Ask where the partitions end: to miss no end, and to be heard ourselves."""
        topic_ids = list({topic_id for topic_id, _ in self._partitions})
        for topic_id, part, end in await self._connection.fetch(_ENDS, topic_ids):
            partition = self._partitions.get((topic_id, part))
            if partition is not None:
                self._heard(partition, end)

    def _notified(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        try:
            topic_id, part, end = map(int, str(payload).split(":"))
        except ValueError:  # by somebody else: the server lets every session notify
            return
        partition = self._partitions.get((topic_id, part))
        if partition is not None:
            self._heard(partition, end)

    def _terminated(self, _connection: object) -> None:
        self.ended.set()


async def _discard(pool: asyncpg.Pool, connection: PoolConnectionProxy) -> None:
    # Closed rather than handed back: no later user of the pool may inherit locks or a time limit.
    with contextlib.suppress(*UNREACHABLE, asyncpg.PostgresError):
        await connection.close(timeout=_CLOSE_SECONDS_MAX)
    await pool.release(connection)
