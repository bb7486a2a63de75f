"""A bank that falls silent, with real accounts: from the registry to the one alert, and back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import msgspec
import pytest

from recon_streams.alerts.keeper import KeeperTerms, keep
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.positions import store
from recon_streams.positions.directory import Directory
from recon_streams.positions.event import AccountEvent, BankObserved, Elapsed
from recon_streams.positions.known import Known
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.positions.telling import tell_of
from recon_streams.positions.working_set import WorkingSet
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening
from topics.alerts import Alert

pytestmark = pytest.mark.postgres

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
BANKS = {"A": "BANKAEAD", "B": "BANKAEADXXX", "C": "OTHRAEAD"}


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    definitions = [
        AccountDefinition(
            account_id=name,
            currency="AED",
            scale=2,
            bank_accounts=(BankAccount(identification=f"BANK-{name}", servicer_bic=bic),),
            opening=Opening(as_of=AT, bank=Decimal(100), ledger=Decimal(100)),
        )
        for name, bic in BANKS.items()
    ]
    await apply_registry(pool, definitions, source="t", actor="t", now=AT)
    yield pool
    await pool.close()


async def happens(
    pool: asyncpg.Pool, directory: Directory, names: str, event: AccountEvent
) -> None:
    async with UnitOfWork(pool) as unit:
        accounts = [directory.by_ledger(name, "AED") for name in names]
        numbers = [each.number for each in accounts if each is not None]
        states = await store.lock_states(unit.connection, numbers)
        before = dict(states)
        working = WorkingSet(directory, states, Known())
        for number in numbers:
            working.record(directory.by_number(number), event)
        store.write(unit, working.steps)
        tell_of(unit, working.steps, before)


async def told(pool: asyncpg.Pool) -> list[tuple[str, str, str]]:
    rows = await pool.fetch(
        "DELETE FROM book.outbox WHERE topic = 'recon.alerts' RETURNING outbox_id, payload"
    )
    alerts = [
        msgspec.json.decode(row["payload"], type=Alert)
        for row in sorted(rows, key=lambda row: row["outbox_id"])
    ]
    return [(each.dedup_key, each.action, each.alert_class) for each in alerts]


async def test_two_accounts_of_a_silent_bank_are_one_alert_and_one_of_another_is_its_own(
    pool: asyncpg.Pool, database: str
) -> None:
    owner = await open_pool(database, as_app=False)
    directory = await DirectoryCache().current(pool)
    assert directory.feeds == {"BANKAEAD": 2}
    assert await told(owner) == [], "nobody is called for accounts that are new"
    silent = AT + timedelta(days=2)
    for name in "ABC":
        await happens(pool, directory, name, Elapsed(at=silent))
    assert await told(owner) == [
        # Of the others it is open whose silence it is.
        ("position:account:C:AED", "trigger", "BANK_SILENT"),
    ]
    now = datetime.now(UTC)
    await keep(pool, directory.feeds, KeeperTerms(), now=now)
    assert await told(owner) == [("feed:BANKAEAD", "trigger", "BANK_FEED_STALE")]
    await happens(pool, directory, "A", BankObserved(at=silent + timedelta(seconds=1)))
    heard = await told(owner)
    assert [each for each in heard if each[0].startswith("position:account:A")] != [], (
        "its ledger is silent too, or its breaker waits for proof"
    )
    await keep(pool, directory.feeds, KeeperTerms(), now=now)
    assert await told(owner) == [("feed:BANKAEAD", "resolve", "BANK_FEED_STALE")]
    later = now + timedelta(minutes=5)
    await keep(pool, directory.feeds, KeeperTerms(), now=later)
    assert await told(owner) == [("position:account:B:AED", "trigger", "BANK_SILENT")]
    await owner.close()
