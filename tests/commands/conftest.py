"""A book with two accounts, and commands that reach it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.positions.registry_store import apply_registry
from recon_streams.registry.definition import AccountDefinition, BankAccount


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    owner = await open_pool(database, as_app=False)
    accounts = [
        AccountDefinition(
            account_id=name,
            currency="AED",
            scale=2,
            bank_accounts=(BankAccount(identification=f"B-{name}"),),
            corridors=("AE-IN",),
        )
        for name in ("A", "B")
    ]
    now = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)
    await apply_registry(owner, accounts, source="t", actor="t", now=now)
    await owner.close()
    opened = await open_pool(database)
    yield opened
    await opened.close()
