"""Registering many accounts at once is no incident, and missing money is one all the same."""

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
from recon_streams.positions.registry_store import apply_registry
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening
from topics.alerts import Alert

pytestmark = pytest.mark.postgres

MANY = 120


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


def _account(number: int, at: datetime, ledger: int) -> AccountDefinition:
    return AccountDefinition(
        account_id=f"A{number}",
        currency="AED",
        scale=2,
        bank_accounts=(BankAccount(identification=f"BANK-{number}", servicer_bic="BANKAEAD"),),
        opening=Opening(as_of=at, bank=Decimal(100), ledger=Decimal(ledger)),
    )


async def _told(pool: asyncpg.Pool) -> list[Alert]:
    rows = await pool.fetch(
        "SELECT payload FROM book.outbox WHERE topic = 'recon.alerts' ORDER BY outbox_id"
    )
    return [msgspec.json.decode(row["payload"], type=Alert) for row in rows]


async def test_a_hundred_new_accounts_call_nobody_until_they_stay_unproven_for_too_long(
    pool: asyncpg.Pool,
) -> None:
    now = datetime.now(UTC)
    accounts = [_account(number, now, 100) for number in range(MANY)]
    await apply_registry(pool, accounts, source="t", actor="t", now=now)
    await keep(pool, {}, KeeperTerms(), now=now + timedelta(hours=23))
    assert await _told(pool) == []
    await keep(pool, {}, KeeperTerms(), now=now + timedelta(hours=25))
    (storm,) = await _told(pool)
    assert (storm.alert_class, storm.amounts["alerts"]) == ("ALERT_STORM", str(MANY))
    assert storm.summary.startswith("BREAKER_SUSPENDED: ")


async def test_a_new_account_whose_money_is_missing_is_told_at_once(pool: asyncpg.Pool) -> None:
    now = datetime.now(UTC)
    await apply_registry(pool, [_account(1, now, 200)], source="t", actor="t", now=now)
    (only,) = await _told(pool)
    assert (only.alert_class, only.severity.value) == ("SHORTAGE", "critical")
