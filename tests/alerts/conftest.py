"""A book with accounts of two banks, for tests of what on-call hears."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest
from hypothesis import settings

from recon_streams.alerts.alarm import Facts, Signal
from recon_streams.alerts.keeper import KeeperTerms, keep
from recon_streams.alerts.telling import tell
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.unit_of_work import UnitOfWork
from topics.alerts import Alert, Severity

settings.register_profile("lawful", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("lawful")


def facts_of(severity: Severity = Severity.ERROR, **changes: object) -> Facts:
    facts = Facts(alert_class="BANK_SILENT", severity=severity, summary="s", component="positions")
    return msgspec.structs.replace(facts, **changes)


class OnCall:
    """Says things to a book, and reads what on-call is told of them."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.read = 0

    async def says(self, *signals: Signal) -> list[Alert]:
        async with UnitOfWork(self.pool) as unit:
            tell(unit, signals)
        return await self.hears()

    async def keeps(
        self, feeds: dict[str, int], now: datetime, terms: KeeperTerms | None = None
    ) -> list[Alert]:
        await keep(self.pool, feeds, terms or KeeperTerms(), now=now)
        return await self.hears()

    async def hears(self) -> list[Alert]:
        rows: Sequence[asyncpg.Record] = await self.pool.fetch(
            "SELECT outbox_id, payload FROM book.outbox WHERE topic = 'recon.alerts' "
            "AND outbox_id > $1 ORDER BY outbox_id",
            self.read,
        )
        self.read = rows[-1]["outbox_id"] if rows else self.read
        return [msgspec.json.decode(row["payload"], type=Alert) for row in rows]


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


@pytest.fixture
def on_call(pool: asyncpg.Pool) -> OnCall:
    return OnCall(pool)


@pytest.fixture
def start() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def make_facts() -> object:
    return facts_of
