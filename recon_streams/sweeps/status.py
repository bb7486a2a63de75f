"""Sweeps as somebody asking now should see them; and asking for one out of turn."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.money import amount_text
from recon_streams.positions.directory import Account
from recon_streams.schedule.scheduler import tick_record
from topics.ticks import SweepTick


class SweepStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One sweep: what was seen, what the bank said to it, and what follows.

    Attributes:
        state: `WAITING` while the bank's answer is still to come.
        verdict: Of the whole sweep: of the book, and of the bank's answer if one was to come.
        tier: Of the book alone.
        velocity: Of the unexplained difference, an hour; null while it has no trend.
        score: How far the newest difference is off its trend, in deviations.
        table: What the worker's rolling table says of the book's figures.
        ours: Our bank figure as of the instant of the bank's balance.
    """

    account_id: str
    currency: str
    due_at: datetime
    state: str
    verdict: str
    tier: str
    rule: str
    ledger: str | None
    bank: str | None
    difference: str | None
    unexplained: str | None
    breaker: str
    velocity: str | None
    deviation: str | None
    score: str | None
    warned: bool
    reaches_limit_at: datetime | None
    table: str
    bank_state: str
    bank_balance: str | None
    bank_as_of: datetime | None
    ours: str | None
    detail: str


async def request_sweeps(
    pool: asyncpg.Pool, accounts: Collection[Account], request_id: str, *, now: datetime
) -> None:
    """Ask for a sweep of `accounts`; they are swept by a worker, as if it were their time."""
    async with UnitOfWork(pool) as unit:
        unit.publish(
            tick_record(
                account.scope,
                SweepTick(
                    account_id=account.account_id,
                    currency=account.currency,
                    due_at=now,
                    request_id=request_id,
                ),
            )
            for account in accounts
        )


async def sweeps_of(pool: asyncpg.Pool, request_id: str) -> list[SweepStatus]:
    """Return what became of a request so far, by account."""
    rows = await pool.fetch(
        "SELECT s.*, a.account_id, a.currency FROM sweeps.sweep AS s "
        "JOIN positions.account AS a USING (number) WHERE s.request_id = $1 "
        "ORDER BY a.account_id, a.currency",
        request_id,
    )
    return [_status(row) for row in rows]


async def decided_of(pool: asyncpg.Pool, request_id: str) -> int:
    """Return how many sweeps of a request are decided."""
    count: int = await pool.fetchval(
        "SELECT count(*) FROM sweeps.sweep WHERE request_id = $1 AND state = 'DECIDED'",
        request_id,
    )
    return count


def _status(row: asyncpg.Record) -> SweepStatus:
    amounts: dict[str, Any] = {
        name: None if row[column] is None else amount_text(row[column])
        for name, column in (
            ("ledger", "ledger"),
            ("bank", "bank"),
            ("difference", "difference"),
            ("unexplained", "unexplained"),
            ("velocity", "velocity"),
            ("deviation", "deviation"),
            ("score", "score"),
            ("bank_balance", "bank_balance"),
            ("ours", "bank_ours"),
        )
    }
    same = ("account_id", "currency", "due_at", "state", "verdict", "tier", "rule", "breaker",
            "warned", "reaches_limit_at", "bank_state", "bank_as_of")  # fmt: skip
    return SweepStatus(
        table=row["table_state"],
        detail=row["bank_detail"],
        **amounts,
        **{name: row[name] for name in same},
    )
