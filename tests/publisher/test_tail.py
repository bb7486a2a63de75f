"""What stands last on `recon.breaker` is what the book knows, whoever wrote there."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import msgspec
import pytest
from typing_extensions import override

from agents.commit import commit_batch
from agents.intakes import make_intakes
from agents.logs import Logs, postgres_logs, topic_plans
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.reading import read_batch
from recon_streams.book.streams import open_positions
from recon_streams.breaker_desk.notary import BreakerNotary
from recon_streams.log.record import Batch, OutgoingRecord, Record, TopicPartition
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.publisher.announcing import Announcer, NoPermits
from recon_streams.publisher.lease import LeaseRefusal
from recon_streams.publisher.listener import PublisherListener
from recon_streams.publisher.repairing import Repairer
from recon_streams.publisher.screening import Screen
from recon_streams.publisher.tail import BREAKER, BreakerTail
from recon_streams.publisher.writing import BreakerWriter
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening
from recon_streams.signing.signer import Signer, signature_flaw
from recon_streams.testing.keys import new_key_ring

pytestmark = pytest.mark.postgres

BALANCES = TopicPartition("ledger.balances", 0)
SCOPE = b"account:AE-1:AED"


@dataclass
class Heard(PublisherListener):
    """What the publisher told."""

    unreadable: list[Record] = field(default_factory=list)
    below: list[Record] = field(default_factory=list)
    repairs: int = 0

    @override
    def unusable(self, record: Record) -> None:
        self.unreadable.append(record)

    @override
    def stale(self, record: Record) -> None:
        self.below.append(record)

    @override
    def repaired(self, count: int) -> None:
        self.repairs += count


@dataclass
class Post:
    """A book with one account whose breaker record was published, and the tail of the log."""

    pool: asyncpg.Pool
    logs: Logs
    repairer: Repairer
    heard: Heard
    signer: Signer
    writer: BreakerWriter

    async def append(
        self, value: bytes | None, key: bytes = SCOPE, *, by: Signer | None = None
    ) -> None:
        """Append as somebody who has the key of `by`, or none."""
        record = OutgoingRecord(BREAKER.topic, key, value)
        await self.logs.writer.append([record if by is None else by.seal(record)])

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
        await self.relay()

    async def relay(self) -> None:
        await self.writer.relay_all(self.pool, rows_max=100)

    async def last(self) -> bytes | None:
        found = (await self.logs.probe.read_latest(BREAKER.topic)).get(SCOPE)
        return None if found is None else found.value

    async def repair(self) -> int:
        """Look as the publisher does in each round; return how many records were repaired."""
        before = self.heard.repairs
        assert await self.repairer.look() is None
        return self.heard.repairs - before


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
    heard, keys = Heard(), new_key_ring()
    writer = BreakerWriter(
        relay=logs.relay,
        writer=logs.writer,
        readying=(
            Screen(pool, BreakerNotary(pool, None)),
            Announcer(keys.signer, NoPermits()),
        ),
        listener=heard,
    )
    tail = BreakerTail(logs.probe, keys.trusted, heard)
    post = Post(pool, logs, Repairer(pool, tail, writer), heard, keys.signer, writer)
    await post.relay()
    await post.repairer.compare_all()
    yield post
    await pool.close()


async def test_a_log_that_says_what_the_book_knows_needs_no_repair(post: Post) -> None:
    assert await post.last() is not None
    assert await post.repair() == 0
    assert post.heard.unreadable == []


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
    assert [each.value for each in post.heard.unreadable] == [value]
    assert await post.repair() == 0


async def test_a_record_under_the_key_of_another_scope_is_written_over(post: Post) -> None:
    published = await post.last()
    assert published is not None
    other = msgspec.json.decode(published)
    other["scope"] = "account:AE-2:AED"
    await post.append(msgspec.json.encode(other), by=post.signer)
    assert await post.repair() == 1
    assert await post.last() == published


async def test_a_key_that_is_no_text_harms_nobody(post: Post) -> None:
    await post.append(b"no json", key=b"\xff\xfe")
    assert await post.repair() == 0
    assert len(post.heard.unreadable) == 1


async def test_an_old_record_written_last_is_written_over_byte_for_byte(post: Post) -> None:
    await post.fall_short()
    published = await post.last()
    assert published is not None
    newest = msgspec.json.decode(published)
    assert newest["state"] != "CLOSED"
    assert newest["inputs_through"] == {"ledger.balances/0": 0}
    await post.append(msgspec.json.encode({**newest, "epoch": 0, "seq": 0}), by=post.signer)
    assert await post.repair() == 1
    assert await post.last() == published
    assert len(post.heard.below) == 1


async def test_a_record_that_nobody_we_know_has_signed_is_written_over(post: Post) -> None:
    published = await post.last()
    assert published is not None
    forged = msgspec.json.encode({**msgspec.json.decode(published), "epoch": 99, "seq": 99})
    for by in (None, new_key_ring().signer):
        await post.append(forged, by=by)
        assert await post.repair() == 1
        assert await post.last() == published
    assert len(post.heard.unreadable) == 2
    assert await post.repair() == 0


async def test_a_scope_that_is_gone_from_the_log_is_found_at_the_start(post: Post) -> None:
    await post.append(None)
    await post.repairer.compare_all()
    assert await post.repair() == 1


async def test_a_scope_that_the_book_does_not_know_harms_nobody(post: Post) -> None:
    published = await post.last()
    assert published is not None
    other = {**msgspec.json.decode(published), "scope": "account:XX:AED"}
    await post.append(msgspec.json.encode(other), key=b"account:XX:AED")
    assert await post.repair() == 0
    assert await post.repair() == 0


async def test_a_log_that_knows_more_than_the_book_ends_all_permission(post: Post) -> None:
    published = await post.last()
    assert published is not None
    newer = {**msgspec.json.decode(published), "epoch": 7, "seq": 7}
    await post.append(msgspec.json.encode(newer), by=post.signer)
    assert await post.repairer.look() is LeaseRefusal.LOG_AHEAD
    assert await post.repairer.look() is LeaseRefusal.LOG_AHEAD
    assert post.heard.repairs == 0


async def test_whatever_its_own_hand_or_another_wrote_the_publisher_signs_what_it_repairs(
    post: Post,
) -> None:
    await post.append(b"no json")
    assert await post.repair() == 1
    record = (await post.logs.probe.read_latest(BREAKER.topic))[SCOPE]
    assert record.value is not None
    pinned = {post.signer.public.kid: post.signer.public}
    assert signature_flaw(record.value, record.headers, pinned) is None


async def test_a_log_that_lost_its_end_is_told_again_what_stood_there(
    post: Post, owner: asyncpg.Pool
) -> None:
    before = (await post.logs.probe.end_offsets([BREAKER]))[BREAKER]
    await post.fall_short()
    assert await post.repair() == 0
    denial = await post.last()
    place = "AS t WHERE t.topic_id = r.topic_id AND t.name = 'recon.breaker'"
    await owner.execute(
        f"DELETE FROM log.record AS r USING log.topic {place} AND off >= $1", before
    )
    await owner.execute(
        f"UPDATE log.partition AS r SET next_off = $1 FROM log.topic {place}", before
    )
    assert await post.last() != denial
    assert await post.repair() == 1
    assert await post.last() == denial


async def test_a_record_that_says_another_thing_under_the_same_number_is_written_over(
    post: Post,
) -> None:
    await post.fall_short()
    assert await post.repair() == 0
    denial = await post.last()
    assert denial is not None
    assert b'"OPEN"' in denial
    await post.append(denial.replace(b'"OPEN"', b'"CLOSED"'), by=post.signer)
    assert await post.repair() == 1
    assert await post.last() == denial


async def test_a_log_that_is_ahead_stays_so_whatever_is_written_over_it(post: Post) -> None:
    current = await post.last()
    assert current is not None
    said = msgspec.json.decode(current)
    said |= {"epoch": 9, "seq": 9, "state": "CLOSED"}
    await post.append(msgspec.json.encode(said), by=post.signer)
    assert await post.repairer.look() is LeaseRefusal.LOG_AHEAD
    # As a restatement does it: the book's own record stands last again.
    await post.append(current, by=post.signer)
    assert await post.repairer.look() is LeaseRefusal.LOG_AHEAD
    anew = Repairer(
        post.pool,
        BreakerTail(post.logs.probe, lambda: {post.signer.public.kid: post.signer.public}),
        post.repairer._writer,
    )
    await anew.compare_all()
    assert await anew.look() is LeaseRefusal.LOG_AHEAD, "a restart forgets nothing of the log"


async def test_an_unsigned_record_with_a_high_number_ends_no_permission(post: Post) -> None:
    current = await post.last()
    assert current is not None
    said = msgspec.json.decode(current) | {"epoch": 9, "seq": 9}
    await post.append(msgspec.json.encode(said))
    assert await post.repair() == 1
    assert await post.last() == current
