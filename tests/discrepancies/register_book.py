"""What checks say and people do in the tests of the register, and what is in the book then."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies import store
from recon_streams.discrepancies.action import (
    action_from_text,
)
from recon_streams.discrepancies.change import Discrepancy
from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Kind, Source
from recon_streams.discrepancies.life import folded
from recon_streams.discrepancies.register import act, note
from recon_streams.kernel.calendars import Calendars
from topics.alerts import Alert

# A Friday; the bank in Dubai rests on Saturday and Sunday.
AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
WEEKDAYS = Calendars().named(None)


def missing(subject: str, account: int = 1, amount: str = "100") -> Finding:
    cause = Cause(kind=Kind.MISSING_TXN, account=account, subject=subject)
    return Finding(cause=cause, source=Source.STATEMENT, amount=Decimal(amount), facts={"a": "b"})


def looked(subject: str = "ledger:P-1", **words: Any) -> Finding:
    """Return what a run that looks at everything open says of it."""
    return msgspec.structs.replace(missing(subject), **({"source": Source.MATCHING} | words))


def proven(finding: Finding) -> Cleared:
    return Cleared(cause=finding.cause, source=Source.STATEMENT, proof={"match": "77"})


async def noted(pool: asyncpg.Pool, *said: Finding | Cleared, evidence: str, at: Any = AT) -> None:
    async with UnitOfWork(pool) as unit:
        findings = [each for each in said if isinstance(each, Finding)]
        cleared = [each for each in said if isinstance(each, Cleared)]
        await note(unit, findings, cleared, at=at, evidence=evidence)


async def acted(pool: asyncpg.Pool, action: Any, *ids: int) -> None:
    async with UnitOfWork(pool) as unit:
        await act(unit, ids, action)


async def every(pool: asyncpg.Pool) -> list[Discrepancy]:
    """Return all discrepancies, after a check that each is the fold of its actions."""
    rows = await pool.fetch(f"SELECT {store.COLUMNS} FROM discrepancies.discrepancy d ORDER BY id")
    for row in rows:
        bodies = await pool.fetch(
            "SELECT body FROM discrepancies.action WHERE discrepancy = $1 ORDER BY sequence",
            row["id"],
        )
        assert folded(action_from_text(b["body"]) for b in bodies) == store.discrepancy_of(row).life
    return [store.discrepancy_of(row) for row in rows]


async def sent(pool: asyncpg.Pool, topic: str, kind: Callable[..., Any]) -> list[Any]:
    rows = await pool.fetch(
        "SELECT payload FROM book.outbox WHERE topic = $1 ORDER BY outbox_id", topic
    )
    found = [msgspec.json.decode(row["payload"], type=kind) for row in rows]
    # Registering accounts has alerts of its own.
    return [a for a in found if not isinstance(a, Alert) or a.dedup_key.startswith("discrepancy:")]
