"""Reads what is in quarantine: the reason, the place, and the bytes as they came."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from recon_streams.book.connection import Session

_SELECT = (
    "SELECT q.quarantine_id, s.topic, s.part, q.off, q.code, q.field, q.rule, q.detail, "
    "q.noted_at, i.sha256, coalesce(i.payload, ''::bytea) AS payload, "
    "a.action IS NOT NULL AS is_answered, a.action, a.actor, a.reason, a.acted_at "
    "FROM book.quarantine q JOIN book.stream s USING (stream) "
    "JOIN book.input i USING (stream, off) "
    "LEFT JOIN book.quarantine_action a USING (quarantine_id) "
)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a person did about it: REPLAYED, or DISMISSED and why."""

    action: str
    actor: str
    reason: str
    at: datetime


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
    answer: Answer | None


class NotWaiting(Exception):
    """Some of the ids do not exist, or were answered before; the message says which."""

    def __init__(self, unknown: Sequence[int], answered: Sequence[int]) -> None:
        parts = [
            *(f"nothing has the id {each}" for each in unknown),
            *(f"{each} was answered already" for each in answered),
        ]
        super().__init__("; ".join(parts))


async def require_waiting(where: asyncpg.Pool | Session, quarantine_ids: Sequence[int]) -> None:
    """Raise `NotWaiting` unless every one of `quarantine_ids` waits for an answer."""
    rows = await where.fetch(
        "SELECT q.quarantine_id, a.action IS NOT NULL AS is_answered FROM book.quarantine q "
        "LEFT JOIN book.quarantine_action a USING (quarantine_id) "
        "WHERE q.quarantine_id = ANY($1::bigint[])",
        list(quarantine_ids),
    )
    known = {row["quarantine_id"]: row["is_answered"] for row in rows}
    wanted = sorted(set(quarantine_ids))
    unknown = [each for each in wanted if each not in known]
    answered = [each for each in wanted if known.get(each)]
    if unknown or answered:
        raise NotWaiting(unknown, answered)


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
        answer=_answer(row) if row["is_answered"] else None,
    )


def _answer(row: asyncpg.Record) -> Answer:
    return Answer(
        action=row["action"], actor=row["actor"], reason=row["reason"], at=row["acted_at"]
    )
