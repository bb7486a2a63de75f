"""A book with accounts in it, for tests of what is wrong with them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings

# This folder is not a package; its helpers are modules beside the tests.
sys.path.append(str(Path(__file__).parent))

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.positions.registry_store import apply_registry
from recon_streams.registry.definition import AccountDefinition, BankAccount

settings.register_profile("lawful", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("lawful")


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """A book with the accounts 1 (AED, Dubai), 2 (ZMW, Lusaka) and 3 (EUR, UTC)."""
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    places = (("AED", "AE", "Asia/Dubai"), ("ZMW", "ZM", "Africa/Lusaka"), ("EUR", None, "UTC"))
    definitions = [
        AccountDefinition(
            account_id=f"SAFE-{currency}",
            currency=currency,
            scale=2,
            bank_accounts=(BankAccount(identification=f"BANK-{currency}"),),
            calendar=calendar,
            time_zone=zone,
        )
        for currency, calendar, zone in places
    ]
    now = datetime(2026, 11, 1, tzinfo=UTC)
    await apply_registry(pool, definitions, source="t", actor="t", now=now)
    yield pool
    await pool.close()
