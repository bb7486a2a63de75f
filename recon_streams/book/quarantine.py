"""Reads what is in quarantine: the reason, the place, and the bytes as they came."""

from datetime import datetime

import asyncpg
import msgspec

_SELECT = (
    "SELECT q.quarantine_id, s.topic, s.part, q.off, q.code, q.field, q.rule, q.detail, "
    "q.noted_at, i.sha256, coalesce(i.payload, ''::bytea) AS payload, "
    "EXISTS (SELECT FROM book.quarantine_action a WHERE a.quarantine_id = q.quarantine_id) "
    "AS is_answered FROM book.quarantine q JOIN book.stream s USING (stream) "
    "JOIN book.input i USING (stream, off) "
)


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why one input could not be used."""

    quarantine_id: int
    place: str
    code: str
    field: str
    rule: str
    detail: str
    noted_at: datetime
    payload_sha256: str
    payload_bytes: int
    is_answered: bool


async def read(pool: asyncpg.Pool, *, everything: bool, rows_max: int = 1_000) -> list[Quarantined]:
    """Return what waits, oldest first; with `everything` also what was answered."""
    rows = await pool.fetch(
        f"SELECT * FROM ({_SELECT}) AS q WHERE $1 OR NOT is_answered "  # noqa: S608 - our own text
        "ORDER BY quarantine_id LIMIT $2",
        everything,
        rows_max,
    )
    return [_quarantined(row) for row in rows]


async def read_one(pool: asyncpg.Pool, quarantine_id: int) -> tuple[Quarantined, bytes] | None:
    """Return one reason and the bytes of its input; None if nothing has that id."""
    row = await pool.fetchrow(_SELECT + "WHERE q.quarantine_id = $1", quarantine_id)
    return None if row is None else (_quarantined(row), row["payload"])


def _quarantined(row: asyncpg.Record) -> Quarantined:
    return Quarantined(
        quarantine_id=row["quarantine_id"],
        place=f"{row['topic']}/{row['part']}/{row['off']}",
        code=row["code"],
        field=row["field"],
        rule=row["rule"],
        detail=row["detail"],
        noted_at=row["noted_at"],
        payload_sha256=row["sha256"].hex(),
        payload_bytes=len(row["payload"]),
        is_answered=row["is_answered"],
    )
