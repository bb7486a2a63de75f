"""The SQL of the outbox: what waits, and where it went."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.connection import Session
from recon_streams.log.record import Appended, OutgoingRecord

_SELECT: Final = (
    "SELECT outbox_id, created_at, topic, key, payload FROM book.outbox WHERE published_at IS NULL "
    # What the log refused waits by itself, see `holding`.
    "AND (held_until IS NULL OR held_until <= clock_timestamp()) "
)
_IN_ORDER: Final = "ORDER BY outbox_id LIMIT $1"
# What stops payouts does not queue behind what merely informs. Spelled as the index is.
_BREAKERS_FIRST: Final = (
    f"{_SELECT}AND topic LIKE 'recon.breaker%' {_IN_ORDER}",
    _SELECT + _IN_ORDER,
)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One message that was decided and has not left yet."""

    outbox_id: int
    created_at: datetime
    record: OutgoingRecord


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """How much waits, and how long the oldest of it has waited."""

    depth: int
    oldest_age_seconds: float


async def waiting(
    connection: Session | asyncpg.Pool, *, rows_max: int, is_locking: bool = False
) -> list[Waiting]:
    """Return the oldest messages that wait: those of the breaker while there are any, then all.

    With `is_locking` nobody else gets them so before this transaction ends, and whoever waits for
    them then sees what became of them.

    In the order of their ids. Messages of one key are written under the lock of their account, so
    for them the order of ids is the order of commits; across keys there is none to keep.
    """
    rows: list[asyncpg.Record] = []
    for query in _BREAKERS_FIRST:
        rows = rows or await connection.fetch(
            query + (" FOR UPDATE" if is_locking else ""), rows_max
        )
    return [
        Waiting(
            outbox_id=row["outbox_id"],
            created_at=row["created_at"],
            record=OutgoingRecord(row["topic"], row["key"], row["payload"]),
        )
        for row in rows
    ]


async def mark_published(
    connection: Session | asyncpg.Pool,
    sent: Sequence[Waiting],
    places: Sequence[Appended],
) -> None:
    """Note where each message of `sent` went."""
    await connection.execute(
        "UPDATE book.outbox AS o SET published_at = clock_timestamp(), "
        "published_part = k.part, published_off = k.off "
        "FROM unnest($1::bigint[], $2::int[], $3::bigint[]) AS k(outbox_id, part, off) "
        "WHERE o.outbox_id = k.outbox_id AND o.published_at IS NULL",
        [item.outbox_id for item in sent],
        [place.partition for place in places],
        [place.offset for place in places],
    )


async def mark_withheld(connection: Session | asyncpg.Pool, withheld: Mapping[int, str]) -> None:
    """Note that messages, by id, do not leave, and why."""
    await connection.execute(
        "UPDATE book.outbox AS o SET published_at = clock_timestamp(), withheld = k.words "
        "FROM unnest($1::bigint[], $2::text[]) AS k(outbox_id, words) "
        "WHERE o.outbox_id = k.outbox_id AND o.published_at IS NULL",
        list(withheld),
        list(withheld.values()),
    )


async def backlog(pool: asyncpg.Pool) -> Backlog:
    """Return how much waits."""
    row = await pool.fetchrow(
        "SELECT count(*) AS depth, coalesce(extract(epoch FROM clock_timestamp() - "
        "min(created_at)), 0)::float8 AS age FROM book.outbox WHERE published_at IS NULL"
    )
    assert row is not None, "an aggregate always has a row"
    return Backlog(depth=row["depth"], oldest_age_seconds=max(0.0, row["age"]))
