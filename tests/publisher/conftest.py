"""A book that is kept decided, as workers keep it, and publishers over it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest
from typing_extensions import override

from agents.logs import Logs, postgres_logs, topic_plans
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.streams import open_positions
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker.record import Decision
from recon_streams.breaker.scope import Transition
from recon_streams.log.record import Record, TopicPartition
from recon_streams.publisher import lease
from recon_streams.publisher.lease import LeaseAnswer, LeaseTerms
from recon_streams.publisher.listener import PublisherListener
from recon_streams.publisher.tail import BREAKER
from recon_streams.scopes import store
from recon_streams.testing.logs import everything
from topics.breaker import LEASE_KEY, BreakerState, LeaseRecord

INPUT = TopicPartition("ledger.movements", 0)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Heard(PublisherListener):
    """What a publisher told."""

    answers: list[LeaseAnswer] = field(default_factory=list)
    unreadable: list[Record] = field(default_factory=list)
    below: list[Record] = field(default_factory=list)
    repairs: int = 0
    restatements: int = 0

    @override
    def lease_decided(self, answer: LeaseAnswer) -> None:
        self.answers.append(answer)

    @override
    def unusable(self, record: Record) -> None:
        self.unreadable.append(record)

    @override
    def stale(self, record: Record) -> None:
        self.below.append(record)

    @override
    def repaired(self, count: int) -> None:
        self.repairs += count

    @override
    def restated(self, count: int) -> None:
        self.restatements += count


@dataclass
class Book:
    """A migrated book with one input stream, and the log beside it."""

    pool: asyncpg.Pool
    owner: asyncpg.Pool
    logs: Logs

    async def decide_through(self, seconds_ago: float = 0) -> None:
        """Say that all that arrived before that was decided, by the database's clock."""
        await self.owner.execute(
            "UPDATE book.stream SET through_at = t.at, proven_at = t.at "
            "FROM (SELECT clock_timestamp() - make_interval(secs => $1) AS at) AS t",
            seconds_ago,
        )

    async def keep_deciding(self) -> None:
        """Do so for ever, as workers do."""
        while True:
            await self.decide_through()
            await asyncio.sleep(0.1)

    async def ask(self, *, epoch: int, own: tuple[datetime, int] | None = None) -> LeaseAnswer:
        """Ask as a publisher that has just seen the watermark move, unless `own` says otherwise."""
        terms, seen = LeaseTerms(renew_seconds=3), own or (LONG_AGO, 0)
        return await lease.ask_for_lease(self.pool, terms, epoch=epoch, step=1, own=seen)

    async def change(self, state: BreakerState, *, scope: str = "all", epoch: int = 2) -> None:
        """Decide a change of `scope`; it waits in the outbox."""
        async with UnitOfWork(self.pool) as unit:
            before = await self.pool.fetchval(
                "SELECT state FROM breaker.scope WHERE scope = $1", scope
            )
            transition = Transition(
                from_state=BreakerState(before),
                to_state=state,
                epoch=epoch,
                seq=epoch,
                reason="MANUAL",
                at=datetime.now(UTC),
            )
            decision = Decision(scope=scope, transition=transition, evidence=b"{}", parents=())
            store.record(unit, decision)

    async def relay(self) -> None:
        """Publish what waits."""
        while await self.logs.relay.relay(self.pool, rows_max=100):
            pass

    async def leases(self) -> list[LeaseRecord]:
        """Return the leases on the log."""
        return [
            msgspec.json.decode(record.value or b"", type=LeaseRecord)
            for record in await everything(self.logs.probe, BREAKER)
            if record.key == LEASE_KEY
        ]


@pytest.fixture
async def owner(database: str) -> AsyncIterator[asyncpg.Pool]:
    """The rights of the schema's owner, over a migrated book."""
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database, as_app=False)
    yield pool
    await pool.close()


@pytest.fixture
async def book(database: str, owner: asyncpg.Pool) -> AsyncIterator[Book]:
    """A book on the log in PostgreSQL; nothing waits in its outbox."""
    pool = await open_pool(database)
    logs = postgres_logs(pool, group="recon")
    await logs.admin.apply(topic_plans(partitions=1))
    await open_positions(pool, {INPUT: 0})
    made = Book(pool, owner, logs)
    await made.relay()
    yield made
    await pool.close()


@pytest.fixture
async def epoch(book: Book) -> int:
    """The epoch of a publisher that has taken over."""
    return await lease.take_over(book.pool, "p")


@pytest.fixture
def make_book() -> Callable[..., Book]:
    """Makes a book of its pool, its owner's pool and a log."""
    return Book


@pytest.fixture
def heard() -> Heard:
    """What publishers tell."""
    return Heard()
