"""A book with one account, and acknowledgements that reach it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.positions.registry_store import apply_registry
from recon_streams.registry.definition import AccountDefinition, BankAccount

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    owner = await open_pool(database, as_app=False)
    bank = BankAccount(identification="B-1")
    account = AccountDefinition(account_id="A", currency="AED", scale=2, bank_accounts=(bank,))
    await apply_registry(owner, [account], source="t", actor="t", now=NOW - timedelta(days=1))
    await owner.close()
    opened = await open_pool(database)
    yield opened
    await opened.close()
