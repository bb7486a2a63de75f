"""The registry in the book: what was attested once is kept as it was attested."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import pytest
from msgspec.structs import replace

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.positions.registry_store import (
    DirectoryCache,
    OpeningChanged,
    RegistryChange,
    apply_registry,
)
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening

pytestmark = pytest.mark.postgres
AS_OF = datetime.fromisoformat("2026-11-20T00:00:00+04:00")
ACCOUNT = AccountDefinition(
    account_id="AE-1",
    currency="AED",
    scale=2,
    bank_accounts=(BankAccount(identification="BANK-1"),),
    opening=Opening(as_of=AS_OF, bank=Decimal(1000), ledger=Decimal(1000)),
)
WITHOUT_BANK = replace(
    ACCOUNT,
    account_id="AE-2",
    bank_accounts=(BankAccount(identification="BANK-2"),),
    opening=Opening(as_of=AS_OF, ledger=Decimal(1000)),
)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


async def apply(pool: asyncpg.Pool, *definitions: AccountDefinition) -> RegistryChange:
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    return await apply_registry(pool, definitions, source="test", actor="t", now=now)


async def test_the_directory_knows_for_which_day_a_bank_figure_was_attested(
    pool: asyncpg.Pool,
) -> None:
    await apply(pool, ACCOUNT, WITHOUT_BANK)
    directory = await DirectoryCache().current(pool)
    opened, unopened = directory.by_ledger("AE-1", "AED"), directory.by_ledger("AE-2", "AED")
    assert opened is not None
    assert opened.bank_opened_at is not None
    assert opened.bank_opened_at.isoformat() == "2026-11-20T00:00:00+04:00"
    assert unopened is not None
    assert unopened.bank_opened_at is None


async def test_an_opening_cannot_be_moved_to_another_day_by_another_offset(
    pool: asyncpg.Pool,
) -> None:
    await apply(pool, ACCOUNT)
    opening = Opening(as_of=AS_OF.astimezone(UTC), bank=Decimal(1000), ledger=Decimal(1000))
    with pytest.raises(OpeningChanged):
        await apply(pool, replace(ACCOUNT, opening=opening))
    again = Opening(as_of=AS_OF, bank=Decimal("1000.00"), ledger=Decimal(1000))
    assert (await apply(pool, replace(ACCOUNT, opening=again))).unchanged == ("AE-1:AED",)
