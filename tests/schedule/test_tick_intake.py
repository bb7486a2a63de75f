"""An instant that cannot have been due is refused, whoever wrote it on the topic of ticks."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.reading import read_record
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.log.record import Record
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.registry.definition import AccountDefinition, Opening
from recon_streams.schedule.handler import DueTick
from recon_streams.schedule.intake import LATE_MAX, TickIntake
from topics.ticks import TOPIC

pytestmark = pytest.mark.postgres
OPENED = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Noted:
    """Decides every tick by taking note of it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    async def take(self, unit: UnitOfWork, ticks: Sequence[DueTick]) -> list[Outcome]:
        assert not unit.connection.is_closed()
        return [Outcome(disposition=Disposition.OBSERVATION) for _ in ticks]


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    account = AccountDefinition(
        account_id="A", currency="AED", scale=2, bank_accounts=(), opening=Opening(as_of=OPENED)
    )
    await apply_registry(pool, [account], source="t", actor="t", now=OPENED)
    yield pool
    await pool.close()


async def took(pool: asyncpg.Pool, due_at: datetime, kind: str) -> Outcome:
    intake = TickIntake(DirectoryCache(), [Noted("sweep"), Noted("window"), Noted("day")])
    tick = {"kind": kind, "due_at": due_at.isoformat()}
    if kind != "window":
        tick |= {"account_id": "A", "currency": "AED"}
    record = Record(TOPIC, 0, 1, b"k", json.dumps(tick).encode(), (), NOW)
    async with UnitOfWork(pool) as unit:
        (outcome,) = await intake.decide(unit, [read_record(intake, record)])
    return outcome


@pytest.mark.parametrize("kind", ["window", "sweep", "day"])
@pytest.mark.parametrize(
    "due_at",
    [
        datetime(1900, 1, 1, tzinfo=UTC),
        NOW - LATE_MAX - timedelta(seconds=1),
        OPENED - timedelta(days=1, seconds=1),
        NOW + timedelta(hours=1),
        datetime(2999, 1, 1, tzinfo=UTC),
    ],
    ids=["another century", "too long ago", "before registration", "to come", "far away"],
)
async def test_an_instant_that_cannot_have_been_due_is_refused(
    pool: asyncpg.Pool, kind: str, due_at: datetime
) -> None:
    outcome = await took(pool, due_at, kind)
    assert outcome.disposition is Disposition.QUARANTINED
    (held,) = outcome.held
    code = RefusalCode.FUTURE_INSTANT if due_at > NOW else RefusalCode.OUT_OF_RANGE
    assert (held.code, held.field) == (code, "/due_at")
    assert held.rule


@pytest.mark.parametrize("kind", ["window", "sweep", "day"])
@pytest.mark.parametrize("due_at", [OPENED - timedelta(hours=1), NOW - timedelta(days=30), NOW])
async def test_what_was_due_while_nobody_worked_is_decided(
    pool: asyncpg.Pool, kind: str, due_at: datetime
) -> None:
    assert (await took(pool, due_at, kind)).disposition is Disposition.OBSERVATION
