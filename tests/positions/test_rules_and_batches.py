"""A change of the rules and the decisions under way: each decision knows which came first."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest
from bank_messages import entry, notification
from msgspec.structs import replace

from agents.commit import commit_batch
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.reading import read_batch
from recon_streams.book.replay import replay_codes
from recon_streams.book.streams import LogEnd, note_caught_up, open_positions, wait_for_batches
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.log.record import Batch, Record, TopicPartition
from recon_streams.positions.desk import PositionDesk
from recon_streams.positions.due import take_due
from recon_streams.positions.inputs import BankNotifications
from recon_streams.positions.registry_store import DirectoryCache, RegistryChange, apply_registry
from recon_streams.registry.definition import (
    AccountDefinition,
    AccountLimits,
    AccountSilence,
    BankAccount,
    Opening,
)

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
BANK = TopicPartition("bank.notifications", 0)
ACCOUNT = AccountDefinition(
    account_id="AE-1",
    currency="AED",
    scale=2,
    bank_accounts=(BankAccount(identification="BANK-1"),),
    silence=AccountSilence(bank_seconds_max=60, ledger_seconds_max=60),
    opening=Opening(as_of=NOW, bank=Decimal(1000), ledger=Decimal(1000)),
)
STRICTER = replace(ACCOUNT, limits=AccountLimits(minor_amount=Decimal(1)))


@dataclass
class Book:
    pool: asyncpg.Pool
    offset: int = 0

    async def apply(self, definition: AccountDefinition) -> RegistryChange:
        return await apply_registry(self.pool, [definition], source="test", actor="t", now=NOW)

    async def take(self, message: str) -> list[Outcome]:
        record = Record(*BANK, self.offset, b"k", message.encode(), (), NOW)
        batch = Batch(*BANK, self.offset, self.offset + 1, (record,))
        self.offset += 1
        desk = PositionDesk(BankNotifications(), DirectoryCache())
        return await commit_batch(self.pool, desk, batch, await read_batch(desk, batch))

    async def waiting(self, count: int) -> None:
        """Return once `count` sessions wait for a lock."""
        async with asyncio.timeout(5):
            while await self.pool.fetchval(_WAITING) < count:
                await asyncio.sleep(0.01)

    async def versions(self) -> list[int]:
        """Return the version of the rules that judged each event."""
        rows = await self.pool.fetch(
            "SELECT rules_version FROM positions.account_event ORDER BY sequence"
        )
        return [row["rules_version"] for row in rows]


_WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"


@pytest.fixture
async def book(database: str) -> AsyncIterator[Book]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    await open_positions(pool, {BANK: 0})
    made = Book(pool)
    await made.apply(ACCOUNT)
    yield made
    await pool.close()


async def test_a_batch_that_waits_for_a_change_of_the_rules_is_judged_by_the_new_ones(
    book: Book,
) -> None:
    async with book.pool.acquire() as third, third.transaction():
        await third.execute("SELECT FROM positions.account_state FOR UPDATE")
        change = asyncio.create_task(book.apply(STRICTER))
        await book.waiting(1)
        batch = asyncio.create_task(book.take(notification(entry("30.00"))))
        await book.waiting(2)
    assert (await change).changed == ("AE-1:AED",)
    assert [outcome.disposition for outcome in await batch] == [Disposition.APPLIED]
    assert await book.versions() == [1, 2, 2]


async def test_a_change_of_the_rules_waits_for_the_batch_that_is_under_way(book: Book) -> None:
    async with book.pool.acquire() as third, third.transaction():
        await third.execute("SELECT FROM positions.account_state FOR UPDATE")
        batch = asyncio.create_task(book.take(notification(entry("30.00"))))
        await book.waiting(1)
        change = asyncio.create_task(book.apply(STRICTER))
        await book.waiting(2)
    await asyncio.gather(batch, change)
    assert await book.versions() == [1, 1, 2]


async def test_time_passes_before_or_after_a_change_of_the_rules(book: Book) -> None:
    later = NOW + timedelta(hours=1)
    await note_caught_up(book.pool, [LogEnd(partition=BANK, end=0, asked_at=later)])
    async with UnitOfWork(book.pool) as change:
        await wait_for_batches(change)
        due = asyncio.create_task(take_due(book.pool, DirectoryCache(), now=later))
        await book.waiting(1)
    assert await due == 1


async def test_a_replay_happens_before_or_after_a_change_of_the_rules(book: Book) -> None:
    await book.take(notification(entry("30.00"), account="BANK-2"))
    renamed = replace(ACCOUNT, bank_accounts=(BankAccount(identification="BANK-2"),))
    await book.apply(renamed)
    codes = [RefusalCode.UNKNOWN_ACCOUNT]
    desks = {BANK.topic: PositionDesk(BankNotifications(), DirectoryCache())}
    async with UnitOfWork(book.pool) as change:
        await wait_for_batches(change)
        replay = asyncio.create_task(replay_codes(book.pool, codes, desks, actor="t"))
        await book.waiting(1)
    outcomes = await replay
    assert [each.disposition for each in outcomes.values()] == [Disposition.APPLIED]


async def test_new_accounts_alone_hold_up_nobody(book: Book) -> None:
    another = replace(
        ACCOUNT, account_id="AE-2", bank_accounts=(BankAccount(identification="BANK-9"),)
    )
    async with UnitOfWork(book.pool) as unit:
        await wait_for_batches(unit)
        change = await asyncio.wait_for(book.apply(another), 5)
    assert change.registered == ("AE-2:AED",)
