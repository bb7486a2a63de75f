"""What stands last on `recon.breaker` is what the book knows, whoever wrote there."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import msgspec
import pytest

from agents.commit import commit_batch
from agents.intakes import make_intakes
from agents.logs import Logs, postgres_logs, topic_plans
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.reading import read_batch
from recon_streams.book.streams import open_positions
from recon_streams.log.record import Batch, OutgoingRecord, Record, TopicPartition
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.publisher.tail import BREAKER, BreakerTail, repairs
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening

pytestmark = pytest.mark.postgres

BALANCES = TopicPartition("ledger.balances", 0)
SCOPE = b"account:AE-1:AED"


@dataclass
class Post:
    """A book with one account whose breaker record was published, and the tail of the log."""

    pool: asyncpg.Pool
    logs: Logs
    tail: BreakerTail
    unusable: list[Record]

    async def append(self, value: bytes | None, key: bytes = SCOPE) -> None:
        await self.logs.writer.append([OutgoingRecord(BREAKER.topic, key, value)])

    async def fall_short(self) -> None:
        """Let the ledger say that it has far more than the bank, and publish what follows."""
        now = datetime.now(UTC)
        text = (
            '{"balance_id": "b-1", "account_id": "AE-1", "currency": "AED", "amount": "900000.00", '
            f'"as_of": "{now.isoformat()}", "ledger_sequence": 1}}'
        )
        await open_positions(self.pool, {BALANCES: 0})
        record = Record(*BALANCES, 0, b"AE-1", text.encode(), (), now)
        intake = make_intakes(DirectoryCache())[BALANCES.topic]
        batch = Batch(*BALANCES, 0, 1, (record,))
        await commit_batch(self.pool, intake, batch, await read_batch(intake, batch))
        while await self.logs.relay.relay(self.pool, rows_max=100):
            pass

    async def last(self) -> bytes | None:
        found = (await self.logs.probe.read_latest(BREAKER.topic)).get(SCOPE)
        return None if found is None else found.value

    async def repair(self) -> int:
        await self.tail.catch_up()
        stale = await repairs(self.pool, self.tail)
        await self.logs.writer.append(stale)
        await self.tail.catch_up()
        return len(stale)


@pytest.fixture
async def post(database: str) -> AsyncIterator[Post]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    logs = postgres_logs(pool, group="recon")
    await logs.admin.apply(topic_plans(partitions=1))
    now = datetime.now(UTC)
    account = AccountDefinition(
        account_id="AE-1",
        currency="AED",
        scale=2,
        bank_accounts=(BankAccount(identification="AE070331234567890123456"),),
        opening=Opening(as_of=now, bank=Decimal("1.00"), ledger=Decimal("1.00")),
    )
    await apply_registry(pool, [account], source="test", actor="t", now=now)
    while await logs.relay.relay(pool, rows_max=100):
        pass
    unusable: list[Record] = []
    yield Post(pool, logs, BreakerTail(logs.probe, unusable.append), unusable)
    await pool.close()


async def test_a_log_that_says_what_the_book_knows_needs_no_repair(post: Post) -> None:
    assert await post.last() is not None
    assert await post.repair() == 0
    assert post.unusable == []


@pytest.mark.parametrize(
    "value",
    [
        b"no json",
        b"{}",
        b'{"scope": "account:AE-1:AED", "state": "AJAR"}',
        b"\xff",
        None,
    ],
)
async def test_what_no_reader_can_use_is_told_and_written_over(
    post: Post, value: bytes | None
) -> None:
    published = await post.last()
    await post.append(value)
    assert await post.repair() == 1
    assert await post.last() == published
    assert [each.value for each in post.unusable] == [value]
    assert await post.repair() == 0


async def test_a_record_under_the_key_of_another_scope_is_written_over(post: Post) -> None:
    published = await post.last()
    assert published is not None
    other = msgspec.json.decode(published)
    other["scope"] = "account:AE-2:AED"
    await post.append(msgspec.json.encode(other))
    assert await post.repair() == 1
    assert await post.last() == published


async def test_a_key_that_is_no_text_harms_nobody(post: Post) -> None:
    await post.append(b"no json", key=b"\xff\xfe")
    assert await post.repair() == 0
    assert len(post.unusable) == 1


async def test_an_old_record_written_last_is_written_over_byte_for_byte(post: Post) -> None:
    await post.fall_short()
    published = await post.last()
    assert published is not None
    newest = msgspec.json.decode(published)
    assert newest["state"] != "CLOSED"
    assert newest["inputs_through"] == {"ledger.balances/0": 0}
    await post.append(msgspec.json.encode({**newest, "epoch": 0, "seq": 0}))
    assert await post.repair() == 1
    assert await post.last() == published
