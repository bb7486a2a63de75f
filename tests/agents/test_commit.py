"""One batch, one transaction: effects, evidence and position together, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import pytest

from agents.commit import commit_batch
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.reading import read_batch
from recon_streams.book.streams import Fenced, open_positions
from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.log.record import Batch, Record, TopicPartition
from recon_streams.positions.desk import PositionDesk
from recon_streams.positions.inputs import BankNotifications, LedgerMovements
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening
from recon_streams.testing.traffic import OPENING_MINOR, Input, Plan, Traffic, bank_id_of, text_of

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
BANK = TopicPartition("bank.notifications", 0)
LEDGER = TopicPartition("ledger.movements", 0)


@dataclass
class Book:
    pool: asyncpg.Pool
    offsets: dict[TopicPartition, int]

    def batch(self, partition: TopicPartition, values: list[bytes | None]) -> Batch:
        first = self.offsets[partition]
        records = tuple(
            Record(*partition, offset, b"k", value, (), NOW)
            for offset, value in enumerate(values, start=first)
        )
        self.offsets[partition] = first + len(values)
        return Batch(*partition, first, first + len(values), records)

    async def take(self, partition: TopicPartition, values: list[bytes | None]) -> list[Outcome]:
        return await self.commit(self.batch(partition, values))

    async def commit(self, batch: Batch) -> list[Outcome]:
        kind = BankNotifications() if batch.topic == BANK.topic else LedgerMovements()
        desk: PositionDesk = PositionDesk(kind, DirectoryCache())
        return await commit_batch(self.pool, desk, batch, await read_batch(desk, batch))


def definitions(traffic: Traffic) -> list[AccountDefinition]:
    return [
        AccountDefinition(
            account_id=account,
            currency="AED",
            scale=2,
            bank_accounts=(BankAccount(identification=bank_id_of(account)),),
            opening=Opening(
                as_of=NOW,
                bank=Decimal(text_of(OPENING_MINOR)),
                ledger=Decimal(text_of(OPENING_MINOR)),
            ),
        )
        for account in traffic.accounts()
    ]


@pytest.fixture
async def book(database: str) -> AsyncIterator[Book]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    offsets = await open_positions(pool, {BANK: 0, LEDGER: 0})
    yield Book(pool, offsets)
    await pool.close()


async def test_a_storm_of_duplicates_gives_the_same_balances_as_the_truth(book: Book) -> None:
    traffic = Traffic(Plan(inputs=3_000, accounts=5))
    await apply_registry(book.pool, definitions(traffic), source="test", actor="t", now=NOW)
    inputs: list[Input] = list(traffic)
    outcomes: list[Outcome] = []
    for start in range(0, len(inputs), 200):
        for partition in (BANK, LEDGER):
            chosen = [i.value for i in inputs[start : start + 200] if i.topic == partition.topic]
            outcomes += await book.take(partition, list(chosen))
    rows = await book.pool.fetch(
        "SELECT account_id, bank, ledger FROM positions.account_state "
        "JOIN positions.account USING (number)"
    )
    assert {r["account_id"]: r["bank"] * 100 for r in rows} == dict(traffic.truth.bank_minor)
    assert {r["account_id"]: r["ledger"] * 100 for r in rows} == dict(traffic.truth.ledger_minor)
    dispositions = [outcome.disposition for outcome in outcomes]
    assert dispositions.count(Disposition.DUPLICATE) == traffic.truth.duplicates
    assert dispositions.count(Disposition.QUARANTINED) == traffic.truth.broken
    assert await book.pool.fetchval("SELECT count(*) FROM book.input") == len(inputs)


async def test_a_batch_from_where_the_book_is_not_is_fenced(book: Book) -> None:
    batch = book.batch(LEDGER, [b"{}"])
    await book.commit(batch)
    with pytest.raises(Fenced):
        await book.commit(batch)
    assert await book.pool.fetchval("SELECT count(*) FROM book.input") == 1


async def test_the_application_cannot_rewrite_what_happened(book: Book) -> None:
    await book.take(LEDGER, [b"{}"])
    for statement in (
        "UPDATE book.input SET payload = ''",
        "DELETE FROM book.input",
        "DELETE FROM positions.account_event",
        "UPDATE positions.account_event SET event = ''",
        "UPDATE breaker.transition SET reason = ''",
        "TRUNCATE book.quarantine",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await book.pool.execute(statement)


async def test_what_was_seen_before_is_looked_up_by_key_however_much_was_seen(book: Book) -> None:
    # A server keeps the plan it made while the tables were small. One that reads all of a table
    # is quick then, and slower with every batch afterwards.
    traffic = Traffic(Plan(inputs=1_500, accounts=5))
    await apply_registry(book.pool, definitions(traffic), source="test", actor="t", now=NOW)
    inputs: list[Input] = list(traffic)
    before = await whole_table_reads(book)
    for start in range(0, len(inputs), 20):
        for partition in (BANK, LEDGER):
            chosen = [i.value for i in inputs[start : start + 20] if i.topic == partition.topic]
            await book.take(partition, list(chosen))
    assert await whole_table_reads(book) == before


async def whole_table_reads(book: Book) -> dict[str, int]:
    async with book.pool.acquire() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
    rows = await book.pool.fetch(
        "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE schemaname = 'positions' "
        "AND relname IN ('report_seen', 'payment_mark', 'ledger_record', 'bank_leg', "
        "'account_state')"
    )
    return {row["relname"]: row["seq_scan"] for row in rows}
