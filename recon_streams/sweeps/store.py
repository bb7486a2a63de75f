"""The SQL of sweeps: what each look found, and what the bank said to it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import asyncpg
import msgspec

from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.positions.directory import Account
from recon_streams.positions.rolling import Seen
from recon_streams.sweeps.answer import Judged
from recon_streams.sweeps.sweep import BankState, Look
from topics.positions import Tier

SweepKey = tuple[int, datetime, str]

_SWEEP: Final = Bulk.insert(
    "sweeps.sweep",
    {
        "number": "int",
        "due_at": "timestamptz",
        "request_id": "text",
        "state": "text",
        "swept_at": "timestamptz",
        "late": "bool",
        "origin": "text",
        "version": "bigint",
        "rules_version": "int",
        "ledger": "numeric",
        "bank": "numeric",
        "difference": "numeric",
        "explained": "numeric",
        "unexplained": "numeric",
        "raw_tier": "text",
        "tier": "text",
        "rule": "text",
        "breaker": "text",
        "in_flight": "bytea",
        "verdict": "text",
        "table_state": "text",
        "points": "int",
        "velocity": "numeric",
        "deviation": "numeric",
        "score": "numeric",
        "reaches_limit_at": "timestamptz",
        "warned": "bool",
        "bank_state": "text",
        "decided_at": "timestamptz",
    },
)
_SETTLED: Final = Bulk(
    "settled",
    (
        ("number", "int"),
        ("due_at", "timestamptz"),
        ("request_id", "text"),
        ("verdict", "text"),
        ("bank_state", "text"),
        ("bank_balance", "numeric"),
        ("bank_as_of", "timestamptz"),
        ("bank_ours", "numeric"),
        ("bank_ledger", "numeric"),
        ("bank_detail", "text"),
        ("bank_origin", "text"),
        ("decided_at", "timestamptz"),
    ),
    "UPDATE sweeps.sweep AS s SET state = 'DECIDED', verdict = k.verdict, "
    "bank_state = k.bank_state, bank_balance = k.bank_balance, bank_as_of = k.bank_as_of, "
    "bank_ours = k.bank_ours, bank_ledger = k.bank_ledger, bank_detail = k.bank_detail, "
    "bank_origin = k.bank_origin, decided_at = k.decided_at FROM {rows} AS k "
    "WHERE s.number = k.number AND s.due_at = k.due_at AND s.request_id = k.request_id "
    "AND s.state = 'WAITING' RETURNING s.number",
)


_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class NewSweep(msgspec.Struct, frozen=True, kw_only=True):
    """A look to be kept. `asks` says whether the bank's answer is still to come."""

    account: Account
    due_at: datetime
    request_id: str
    swept_at: datetime
    late: bool
    origin: str
    asks: bool
    look: Look


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep that waits for its bank."""

    key: SweepKey
    tier: Tier
    connector: str


async def known(connection: Session, keys: Collection[SweepKey]) -> set[SweepKey]:
    """Return which of `keys` were swept before."""
    rows = await connection.fetch(
        "SELECT s.number, s.due_at, s.request_id "
        "FROM unnest($1::int[], $2::timestamptz[], $3::text[]) AS k(number, due_at, request_id) "
        "JOIN sweeps.sweep AS s USING (number, due_at, request_id)",
        *(list(column) for column in zip(*keys, strict=True)),
    )
    return {(row["number"], row["due_at"], row["request_id"]) for row in rows}


def write(unit: UnitOfWork, sweeps: Iterable[NewSweep]) -> None:
    """Keep `sweeps`."""
    unit.write(_SWEEP, (_row(sweep) for sweep in sweeps))


def settle(unit: UnitOfWork, key: SweepKey, judged: Judged, *, origin: str, at: datetime) -> None:
    """Decide the sweep of `key` by what the bank said; one that is decided stays as it is."""
    row = (
        *key,
        judged.verdict.value,
        judged.state.value,
        judged.balance,
        judged.as_of,
        judged.ours,
        judged.ledger,
        judged.detail,
        origin,
        at,
    )
    unit.write(_SETTLED, [row])


async def waiting_before(connection: Session, until: datetime) -> list[Waiting]:
    """Return the sweeps due until then that still wait for a bank, locked."""
    rows = await connection.fetch(
        "SELECT s.number, s.due_at, s.request_id, s.tier, q.connector FROM sweeps.sweep AS s "
        "JOIN sweeps.question AS q ON q.round = 1 AND (q.number, q.due_at, q.request_id) = "
        "(s.number, s.due_at, s.request_id) WHERE s.state = 'WAITING' AND s.due_at <= $1 "
        "ORDER BY s.number, s.due_at, s.request_id FOR UPDATE OF s",
        until,
    )
    return [
        Waiting(
            key=(row["number"], row["due_at"], row["request_id"]),
            tier=Tier(row["tier"]),
            connector=row["connector"],
        )
        for row in rows
    ]


async def close_window(
    connection: Session, *, window_from: datetime, window_until: datetime
) -> bool:
    """Note that a window is closed; return False if it was."""
    return bool(
        await connection.fetchval(
            "INSERT INTO sweeps.window_closed (window_from, window_until) VALUES ($1, $2) "
            "ON CONFLICT (window_until) DO NOTHING RETURNING true",
            window_from,
            window_until,
        )
    )


async def past_points(
    pool: asyncpg.Pool, numbers: Sequence[int], since: datetime
) -> dict[int, tuple[Seen, ...]]:
    """Return what sweeps saw of each account after `since`, oldest first."""
    rows = await pool.fetch(
        "SELECT number, swept_at, unexplained FROM sweeps.sweep "
        "WHERE number = ANY($1::int[]) AND due_at > $2 AND unexplained IS NOT NULL "
        "ORDER BY number, due_at",
        numbers,
        since,
    )
    found: dict[int, list[Seen]] = {}
    for row in rows:
        found.setdefault(row["number"], []).append(Seen(row["swept_at"], row["unexplained"]))
    return {number: tuple(seen) for number, seen in found.items()}


def _row(sweep: NewSweep) -> tuple[Any, ...]:
    look = sweep.look
    verdict, trend = look.verdict, look.trend
    amounts: tuple[Decimal | None, ...] = (
        verdict.ledger,
        verdict.bank,
        verdict.difference,
        verdict.explained,
        verdict.unexplained,
    )
    return (
        sweep.account.number,
        sweep.due_at,
        sweep.request_id,
        "WAITING" if sweep.asks else "DECIDED",
        sweep.swept_at,
        sweep.late,
        sweep.origin,
        look.state.version,
        sweep.account.rules.version,
        *amounts,
        verdict.raw_tier.value,
        verdict.tier.value,
        verdict.rule.value,
        look.state.breaker.state.value,
        _ENCODER.encode(look.in_flight),
        verdict.tier.value,
        look.table.value,
        0 if trend is None else trend.points,
        None if trend is None else trend.velocity,
        None if trend is None else trend.deviation,
        None if trend is None else trend.score,
        look.warning.reaches_at,
        look.warning.reaches_at is not None,
        (BankState.ASKED if sweep.asks else BankState.NOT_ASKED).value,
        None if sweep.asks else sweep.swept_at,
    )
