"""A record that the book cannot write stops nobody: it is held alone, and its neighbours count."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import pytest

from agents.commit import commit_batch
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.reading import read_batch
from recon_streams.book.streams import open_positions, positions
from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.log.record import Batch, Record, TopicPartition
from recon_streams.positions.desk import PositionDesk
from recon_streams.positions.inputs import BankNotifications
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
BANK = TopicPartition("bank.notifications", 0)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    # What the book refuses to write is not known beforehand; here it is a reference.
    owner = await asyncpg.connect(database)
    await owner.execute(
        "ALTER TABLE positions.bank_entry ADD CHECK (servicer_reference NOT LIKE 'POISON%')"
    )
    await owner.close()
    pool = await open_pool(database)
    await open_positions(pool, {BANK: 0})
    account = AccountDefinition(
        account_id="SAFE",
        currency="AED",
        scale=2,
        bank_accounts=(BankAccount(identification="BANK"),),
        opening=Opening(as_of=NOW, bank=Decimal(1000), ledger=Decimal(1000)),
    )
    await apply_registry(pool, [account], source="test", actor="t", now=NOW)
    yield pool
    await pool.close()


def message(reference: str) -> bytes:
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn>'
        f"<GrpHdr><MsgId>{reference}</MsgId><CreDtTm>2026-11-20T08:00:00Z</CreDtTm></GrpHdr>"
        f"<Ntfctn><Id>{reference}</Id><Acct><Id><Othr><Id>BANK</Id></Othr></Id></Acct>"
        '<Ntry><Amt Ccy="AED">1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef>"
        "<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd></Ntry></Ntfctn>"
        "</BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


async def commit(pool: asyncpg.Pool, *references: str) -> list[Outcome]:
    records = tuple(
        Record(*BANK, offset, b"k", message(reference), (), NOW)
        for offset, reference in enumerate(references)
    )
    batch = Batch(*BANK, 0, len(records), records)
    desk = PositionDesk(BankNotifications(), DirectoryCache())
    return await commit_batch(pool, desk, batch, await read_batch(desk, batch))


@pytest.mark.parametrize(
    "references",
    [
        ["POISON"],
        ["A", "POISON", "B"],
        ["POISON-1", "A", "POISON-2", "B", "C", "POISON-3"],
        [*(f"R-{number}" for number in range(150)), "POISON", "LAST"],
    ],
    ids=["alone", "between two", "three of six", "in a batch that is copied"],
)
async def test_what_the_book_cannot_write_is_held_alone(
    pool: asyncpg.Pool, references: list[str]
) -> None:
    outcomes = await commit(pool, *references)
    for reference, outcome in zip(references, outcomes, strict=True):
        is_poison = reference.startswith("POISON")
        held = [each.code for each in outcome.held]
        assert held == ([RefusalCode.DECISION_FAILED] if is_poison else []), reference
        expected = Disposition.QUARANTINED if is_poison else Disposition.APPLIED
        assert outcome.disposition is expected, reference
    good = sum(not reference.startswith("POISON") for reference in references)
    assert await pool.fetchval("SELECT bank FROM positions.account_state") == 1000 + good
    assert (await positions(pool, [BANK]))[BANK].next_offset == len(references)
    assert await pool.fetchval("SELECT count(*) FROM book.quarantine") == len(references) - good


async def test_a_book_that_is_not_what_it_should_be_stops_us_and_holds_nothing(
    pool: asyncpg.Pool, database: str
) -> None:
    owner = await asyncpg.connect(database)
    await owner.execute("ALTER TABLE positions.bank_entry RENAME TO bank_entries")
    await owner.close()
    with pytest.raises(asyncpg.UndefinedTableError):
        await commit(pool, "A", "B")
    assert await pool.fetchval("SELECT count(*) FROM book.input") == 0
