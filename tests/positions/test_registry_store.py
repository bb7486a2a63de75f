"""The registry in the book: what was attested once is kept as it was attested."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import msgspec
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
from recon_streams.registry.definition import (
    AccountDefinition,
    AccountSilence,
    BankAccount,
    Opening,
    definition_from_bytes,
)

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


async def stands(pool: asyncpg.Pool, scope: str = "account:AE-1:AED") -> tuple[str, int, list[str]]:
    row = await pool.fetchrow("SELECT * FROM breaker.scope WHERE scope = $1", scope)
    assert row is not None
    return row["state"], row["epoch"], row["parents"]


async def test_a_corridor_is_born_closed_when_it_is_named_first(pool: asyncpg.Pool) -> None:
    await apply(pool, replace(ACCOUNT, corridors=("AE-IN",)), WITHOUT_BANK)
    assert await stands(pool, "corridor:AE-IN") == ("CLOSED", 1, ["all"])
    assert await stands(pool) == ("SUSPENDED", 1, ["all", "corridor:AE-IN"])
    assert await stands(pool, "account:AE-2:AED") == ("SUSPENDED", 1, ["all"])


async def test_other_corridors_are_a_new_record_of_the_same_state(pool: asyncpg.Pool) -> None:
    await apply(pool, ACCOUNT)
    assert await stands(pool) == ("SUSPENDED", 1, ["all"])
    await apply(pool, replace(ACCOUNT, corridors=("AE-IN", "AE-PK")))
    assert await stands(pool) == ("SUSPENDED", 2, ["all", "corridor:AE-IN", "corridor:AE-PK"])
    published = await pool.fetch(
        "SELECT convert_from(payload, 'UTF8')::json AS record FROM book.outbox "
        "WHERE topic = 'recon.breaker' AND key = 'account:AE-1:AED' ORDER BY outbox_id"
    )
    newest = msgspec.json.decode(published[-1]["record"])
    assert newest["parent_scopes"] == ["all", "corridor:AE-IN", "corridor:AE-PK"]
    assert (newest["epoch"], newest["seq"], newest["reason_code"]) == (2, 2, "NO_EVIDENCE")
    await apply(pool, ACCOUNT)
    assert await stands(pool) == ("SUSPENDED", 3, ["all"])
    # Nothing is unregistered: who was above it may be above another.
    assert await stands(pool, "corridor:AE-PK") == ("CLOSED", 1, ["all"])


async def test_rules_that_leave_the_corridors_leave_the_epoch(pool: asyncpg.Pool) -> None:
    there = replace(ACCOUNT, corridors=("AE-IN",))
    await apply(pool, there)
    await apply(pool, replace(there, silence=AccountSilence(bank_seconds_max=60)))
    state, epoch, _ = await stands(pool)
    assert (state, epoch) == ("SUSPENDED", 1)


async def test_a_registry_of_before_there_were_corridors_is_read(pool: asyncpg.Pool) -> None:
    await apply(pool, ACCOUNT)
    content = await pool.fetchval("SELECT definition FROM positions.account_version")
    told = msgspec.json.decode(content)
    del told["corridors"]
    assert definition_from_bytes(msgspec.json.encode(told)) == ACCOUNT
