"""Questions to banks: written with the sweep that asks, taken by one poller at a time.

A question is a row, not a call: whoever dies while asking leaves a lease that ends, and it is asked
again. Its answer counts once.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.registry.definition import AccountDefinition, definition_from_bytes
from recon_streams.sweeps.store import SweepKey

CHANNEL: Final = "recon_questions"
_PREFIX: Final = "question-"

_QUESTION: Final = Bulk.insert(
    "sweeps.question",
    {
        "number": "int",
        "account_id": "text",
        "currency": "text",
        "connector": "text",
        "due_at": "timestamptz",
        "request_id": "text",
        "round": "smallint",
        "not_before": "timestamptz",
        "give_up_at": "timestamptz",
    },
)


class NewQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question to be asked."""

    key: SweepKey
    account_id: str
    currency: str
    connector: str
    round: int
    not_before: datetime
    give_up_at: datetime


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question whose answer came."""

    question_id: int
    key: SweepKey
    connector: str
    round: int
    is_taken: bool


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A question that is ours to ask until the lease ends."""

    question_id: int
    connector: str
    definition: AccountDefinition
    give_up_at: datetime


def name_of(question_id: int) -> str:
    """Return what names a question on the log."""
    return f"{_PREFIX}{question_id}"


def id_of(name: str | None) -> int | None:
    """Return the question that `name_of` named, None if it is none of ours."""
    digits = (name or "").removeprefix(_PREFIX)
    is_ours = name is not None and name.startswith(_PREFIX) and digits.isdecimal()
    return int(digits) if is_ours and digits.isascii() and len(digits) < 19 else None  # noqa: PLR2004 - a bigint


async def write(unit: UnitOfWork, questions: Sequence[NewQuestion]) -> None:
    """Ask `questions` once `unit` commits."""
    if not questions:
        return
    unit.write(
        _QUESTION,
        (
            (
                q.key[0], q.account_id, q.currency, q.connector, q.key[1], q.key[2],
                q.round, q.not_before, q.give_up_at,
            )
            for q in questions
        ),
    )  # fmt: skip
    await unit.connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def answered(connection: Session, ids: Collection[int]) -> dict[int, Asked]:
    """Return these questions, locked until the transaction ends."""
    rows = await connection.fetch(
        "SELECT question_id, number, due_at, request_id, connector, round, "
        "taken_at IS NOT NULL AS is_taken FROM sweeps.question "
        "WHERE question_id = ANY($1::bigint[]) ORDER BY question_id FOR UPDATE",
        sorted(ids),
    )
    return {
        row["question_id"]: Asked(
            question_id=row["question_id"],
            key=(row["number"], row["due_at"], row["request_id"]),
            connector=row["connector"],
            round=row["round"],
            is_taken=row["is_taken"],
        )
        for row in rows
    }


async def mark_taken(connection: Session, ids: Iterable[int], at: datetime) -> None:
    """Note that the answers to these questions are in the book."""
    await connection.execute(
        "UPDATE sweeps.question SET taken_at = $2, answered_at = coalesce(answered_at, $2) "
        "WHERE question_id = ANY($1::bigint[])",
        list(ids),
        at,
    )


async def claim(
    pool: asyncpg.Pool, connectors: Collection[str], *, rows_max: int, now: datetime,
    lease: timedelta,
) -> list[Claimed]:  # fmt: skip
    """Return questions that are ours to ask now, with the newest definition of their accounts.

    Those that `connectors` can ask, and whatever is over because nobody could.
    """
    rows = await pool.fetch(
        "WITH open AS (SELECT question_id FROM sweeps.question WHERE answered_at IS NULL "
        "AND not_before <= $1 AND (lease_until IS NULL OR lease_until <= $1) "
        "AND (connector = ANY($2::text[]) OR give_up_at <= $1) "
        "ORDER BY not_before LIMIT $3 FOR UPDATE SKIP LOCKED), "
        "taken AS (UPDATE sweeps.question AS q SET lease_until = $4, attempts = attempts + 1 "
        "FROM open WHERE q.question_id = open.question_id "
        "RETURNING q.question_id, q.number, q.connector, q.give_up_at) "
        "SELECT t.*, v.definition FROM taken t CROSS JOIN LATERAL (SELECT definition "
        "FROM positions.account_version v WHERE v.number = t.number "
        "ORDER BY version DESC LIMIT 1) v",
        now,
        list(connectors),
        rows_max,
        now + lease,
    )
    return [
        Claimed(
            question_id=row["question_id"],
            connector=row["connector"],
            definition=definition_from_bytes(row["definition"]),
            give_up_at=row["give_up_at"],
        )
        for row in rows
    ]


async def mark_answered(pool: asyncpg.Pool, ids: Collection[int], at: datetime) -> None:
    """Note that the answers to these questions are on the log."""
    await pool.execute(
        "UPDATE sweeps.question SET answered_at = coalesce(answered_at, $2) "
        "WHERE question_id = ANY($1::bigint[])",
        list(ids),
        at,
    )
