"""What the Postgres log knows about its topics, kept in memory; and what its rows mean."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import asyncpg
import asyncpg.pool
import msgspec

from recon_streams.log.errors import UnknownTopic
from recon_streams.log.record import Headers, Record, TopicPartition

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

# What a lost or absent server looks like through asyncpg, or one that is going down, is not up
# yet, has no room, or has put us out for our silence.
UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # What asyncpg says of itself when used between the server's farewell and the end.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)

# The counters and the records in one snapshot, so that an empty answer means an empty range. The
# running sum bounds the bytes of one answer; its first record always comes, however big.
READ = """
SELECT p.start_off, p.next_off, r.off, r.key, r.headers, r.payload, r.at
FROM log.partition AS p LEFT JOIN LATERAL (
    SELECT * FROM (
        SELECT off, key, headers, payload, at,
            sum(octet_length(payload)) OVER (ORDER BY off ROWS UNBOUNDED PRECEDING)
                - octet_length(payload) AS bytes_before
        FROM log.record
        WHERE topic_id = $1 AND part = $2 AND off >= $3
        ORDER BY off LIMIT $4
    ) AS bounded
    WHERE coalesce(bytes_before, 0) < $5
) AS r ON true
WHERE p.topic_id = $1 AND p.part = $2
ORDER BY r.off
"""

_HEADERS = msgspec.json.Decoder(list[tuple[str, bytes | None]])
_ENCODER = msgspec.json.Encoder()


class KnownTopic(NamedTuple):
    """A topic as the log numbers it."""

    topic_id: int
    partitions: int


class KnownTopics:
    """The topics looked up so far; they are never renumbered, so nothing here goes stale."""

    def __init__(self) -> None:
        self._by_name: dict[str, KnownTopic] = {}

    async def of(
        self, source: asyncpg.Pool | Connection, names: Collection[str]
    ) -> Mapping[str, KnownTopic]:
        """Return what is known of `names`, looking up what is not. Raises `UnknownTopic`."""
        missing = [name for name in names if name not in self._by_name]
        if missing:
            rows = await source.fetch(
                "SELECT name, topic_id, partitions FROM log.topic WHERE name = ANY($1)", missing
            )
            for name, topic_id, partitions in rows:
                self._by_name[name] = KnownTopic(topic_id, partitions)
            for name in missing:
                if name not in self._by_name:
                    raise UnknownTopic(name)
        return self._by_name

    def forget(self) -> None:
        """Look everything up again: somebody has removed a topic."""
        self._by_name.clear()


def headers_text(headers: Headers) -> str | None:
    """Return `headers` as the log stores them."""
    return _ENCODER.encode(headers).decode() if headers else None


def records_from(partition: TopicPartition, rows: Collection[Any]) -> tuple[Record, ...]:
    """Return the records of `rows`, which `READ` brought."""
    topic, number = partition
    return tuple(
        Record(
            topic,
            number,
            row["off"],
            row["key"],
            row["payload"],
            _headers(row["headers"]) if row["headers"] else (),
            row["at"],
        )
        for row in rows
        if row["off"] is not None
    )


def _headers(text: str) -> Headers:
    """Return the headers that `text` spells; none where it spells something else.

    Anybody may append by SQL, and no partition waits for headers, as nothing is decided by them.
    """
    try:
        return tuple((name, value or b"") for name, value in _HEADERS.decode(text))
    except msgspec.DecodeError:
        return ()
