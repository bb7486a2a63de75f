"""What a publisher that slept writes when it wakes, and what others write; on a real Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from agents.logs import Logs, kafka_logs, topic_plans
from recon_streams.book.connection import open_pool
from recon_streams.book.streams import open_positions
from recon_streams.breaker_desk.notary import BreakerNotary
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.record import OutgoingRecord, Record, TopicPartition
from recon_streams.publisher import lease
from recon_streams.publisher.announcing import Announcer, NoPermits
from recon_streams.publisher.lease import LeaseTerms, Superseded
from recon_streams.publisher.lender import Lender
from recon_streams.publisher.service import PublisherParts, run_publisher
from recon_streams.publisher.tail import BREAKER
from recon_streams.signing.key_ring import KeyRing
from recon_streams.signing.private_key import make_private_key
from recon_streams.signing.public_keys import write_key_set
from recon_streams.signing.signer import Signer, signature_flaw
from recon_streams.testing.kafka import TestKafka
from recon_streams.testing.keys import new_key_ring
from recon_streams.testing.logs import everything
from topics.breaker import LEASE_KEY, BreakerRecord, BreakerState, LeaseRecord, StateHead

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

Book = Any  # of the conftest
Heard = Any
TERMS = LeaseTerms(renew_seconds=0.5)
ALL = b"all"


@dataclass
class Site:
    """A book, a Kafka, and one publisher at work; a worker keeps the book decided."""

    book: Book
    logs: Logs
    heard: Heard
    keys: KeyRing

    async def last(self) -> Record:
        """Return what stands last for everything."""
        return [r for r in await everything(self.logs.probe, BREAKER) if r.key == ALL][-1]

    async def until_last(self, holds: Callable[[Record], bool]) -> Record:
        """Return what stands last for everything once it is so."""
        async with asyncio.timeout(20):
            while True:
                found = [r for r in await everything(self.logs.probe, BREAKER) if r.key == ALL]
                if found and holds(found[-1]):
                    return found[-1]
                await asyncio.sleep(0.1)

    async def until_leases(self, count: int) -> list[LeaseRecord]:
        """Return the leases on the log once there are `count`."""
        async with asyncio.timeout(20):
            while len(found := await self.leases()) < count:
                await asyncio.sleep(0.1)
        return found

    async def leases(self) -> list[LeaseRecord]:
        return [
            msgspec.json.decode(record.value or b"", type=LeaseRecord)
            for record in await everything(self.logs.probe, BREAKER)
            if record.key == LEASE_KEY
        ]

    def parts(self, keys: KeyRing, *, full_state_seconds: float = 60) -> PublisherParts:
        return PublisherParts(
            pool=self.book.pool,
            relay=self.logs.relay,
            writer=self.logs.writer,
            probe=self.logs.probe,
            terms=TERMS,
            keys=keys,
            notary=BreakerNotary(self.book.pool, None),
            listener=self.heard,
            full_state_seconds=full_state_seconds,
        )


@pytest.fixture
def kafka_of_our_own(tmp_path: Path) -> Iterator[TestKafka]:
    """Its topics have fixed names, and what stands last on them is what is tested."""
    server = TestKafka(tmp_path / "kafka")
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def site(
    database: str,
    owner: asyncpg.Pool,
    kafka_of_our_own: TestKafka,
    make_book: Callable[..., Book],
    heard: Heard,
) -> AsyncIterator[Site]:
    pool = await open_pool(database)
    logs = kafka_logs(KafkaConnection(bootstrap=kafka_of_our_own.bootstrap), group="recon")
    await logs.admin.apply(topic_plans(partitions=1))
    await logs.start()
    await open_positions(pool, {TopicPartition("ledger.movements", 0): 0})
    book = make_book(pool, owner, logs)
    working = asyncio.create_task(book.keep_deciding())
    yield Site(book, logs, heard, new_key_ring())
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await logs.stop()
    await pool.close()


@pytest.fixture
async def publisher(site: Site) -> AsyncIterator[Site]:
    """The site with a publisher at work."""
    running = asyncio.create_task(run_publisher(site.parts(site.keys), "heir"))
    await site.until_leases(2)
    yield site
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_an_old_publisher_writes_when_it_wakes_changes_nothing_for_long(
    site: Site,
) -> None:
    # It lends, reads what it will write late, and sleeps.
    announcer = Announcer(site.keys.signer, NoPermits())
    old_epoch = await lease.take_over(site.book.pool, "old")
    old = Lender(
        site.book.pool,
        site.logs.writer,
        TERMS,
        publisher=("old", old_epoch),
        announcing=(announcer, NoPermits()),
    )
    head = StateHead(offset=0, seq=1)
    await old.lend(head)
    heir = asyncio.create_task(run_publisher(site.parts(site.keys), "heir"))
    await site.until_leases(2)
    stale = await site.last()
    assert msgspec.json.decode(stale.value or b"", type=BreakerRecord).state == "CLOSED"
    await site.book.change(BreakerState.OPEN)
    newest = await site.until_last(lambda record: record.value != stale.value)

    old_lease = LeaseRecord(
        publisher_id="old",
        publisher_epoch=old_epoch,
        lease_seq=(await site.leases())[-1].lease_seq + 1,
        ttl_ms=15_000,
        state_head=head,
    )
    late = [
        OutgoingRecord(BREAKER.topic, ALL, stale.value, stale.headers),
        site.keys.signer.seal(
            OutgoingRecord(BREAKER.topic, LEASE_KEY, msgspec.json.encode(old_lease))
        ),
    ]
    (at, _) = await site.logs.writer.append(late)
    # The broker takes it all: nothing there tells an old publisher from its heir.
    repaired = await site.until_last(lambda record: record.offset > at.offset)
    assert repaired.value == newest.value
    assert [record.offset for record in site.heard.below] == [at.offset]
    # Whoever reads ignores the lease: it is of an older epoch than those on both sides of it.
    after = await site.until_leases(len(await site.leases()) + 2)
    assert {each.publisher_epoch for each in after[-2:]} == {old_epoch + 1}
    with pytest.raises(Superseded):
        await old.lend(head)
    heir.cancel()
    await asyncio.gather(heir, return_exceptions=True)


async def test_what_nobody_can_read_is_written_over_within_a_round(publisher: Site) -> None:
    newest = await publisher.last()
    for value in (None, b"no json"):
        publisher.heard.unreadable.clear()
        (at,) = await publisher.logs.writer.append([OutgoingRecord(BREAKER.topic, ALL, value)])
        repaired = await publisher.until_last(lambda record, at=at: record.offset > at.offset)  # type: ignore[misc] # a lambda with a default
        assert repaired.value == newest.value
        # A record whose turn had come may have been written between the two.
        async with asyncio.timeout(5):
            while not publisher.heard.unreadable:
                await asyncio.sleep(0.05)
        assert [record.offset for record in publisher.heard.unreadable] == [at.offset]


async def test_after_a_change_of_keys_every_record_is_signed_by_the_new_one(
    site: Site, tmp_path: Path
) -> None:
    old, young = (Signer(make_private_key(tmp_path / f"{n}.pem")) for n in range(2))
    file = tmp_path / "breaker-keys.json"
    write_key_set(file, {key.public.kid: key.public for key in (old, young)})
    async with at_work(site, KeyRing(signer=old, public_keys_file=file)):
        await site.until_last(signed_by(old))
    site.heard.restatements = 0
    async with at_work(site, KeyRing(signer=young, public_keys_file=file)):
        await site.until_last(signed_by(young))
        # Its first pass over all scopes; the next one is an hour away.
        async with asyncio.timeout(10):
            while not site.heard.restatements:
                await asyncio.sleep(0.1)
        await _retire(site, old, young, file)


async def _retire(site: Site, old: Signer, young: Signer, file: Path) -> None:
    # What the old key has signed counts until it is retired, and then it is signed again at once.
    count = site.heard.restatements
    newest = await site.last()
    (at,) = await site.logs.writer.append(
        [old.seal(OutgoingRecord(BREAKER.topic, ALL, newest.value))]
    )
    await asyncio.sleep(1.5)
    assert (await site.last()).offset == at.offset
    write_key_set(file, {young.public.kid: young.public})
    await site.until_last(signed_by(young))
    assert site.heard.restatements == count
    assert site.heard.unreadable == []


@asynccontextmanager
async def at_work(site: Site, keys: KeyRing) -> AsyncIterator[None]:
    """Let a publisher with these keys work."""
    parts = site.parts(keys, full_state_seconds=3600)
    running = asyncio.create_task(run_publisher(parts, "publisher"))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def signed_by(signer: Signer) -> Callable[[Record], bool]:
    """Return whether a record is signed by `signer`, and verifies."""
    pinned = {signer.public.kid: signer.public}
    return lambda record: signature_flaw(record.value or b"", record.headers, pinned) is None
