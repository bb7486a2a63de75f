"""A book with its log, an outbox that leads there, and servers that behave as they are told."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from aiohttp import web

from recon_streams.alerts.alarm import Acknowledged, Facts, Gone, Raised, Signal
from recon_streams.alerts.telling import tell
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.bridges.bridge import Bridge, BridgeParts
from recon_streams.bridges.sink import Sink
from recon_streams.log.postgres_admin import PostgresAdmin
from recon_streams.log.postgres_probe import PostgresProbe
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import OutgoingRecord
from recon_streams.log.topic_plan import TopicPlan
from topics.alerts import Severity

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@dataclass
class Request:
    """What somebody sent."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass
class Receiver:
    """A server on loopback that answers what it is told to, and 202 after that."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    answers: deque[int | web.Response] = field(default_factory=deque)
    always: int | None = None
    slow_seconds: float = 0.0

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append(Request(request.path, dict(request.headers), body))
        await asyncio.sleep(self.slow_seconds)
        found = self.answers.popleft() if self.answers else (self.always or 202)
        return found if isinstance(found, web.Response) else web.Response(status=found)

    @property
    def said(self) -> list[Any]:
        return [each.said for each in self.requests]


class AlertLog:
    """The book, and the topic that alerts reach."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.probe = PostgresProbe(pool)
        self.writer = PostgresWriter(pool)

    async def says(self, *signals: Signal) -> None:
        """Tell on-call, and let the outbox reach the topic."""
        async with UnitOfWork(self.pool) as unit:
            tell(unit, signals)
        await self.relays()

    async def relays(self, *, twice: bool = False) -> None:
        rows = await self.pool.fetch(
            "UPDATE book.outbox SET published_at = clock_timestamp() "
            "WHERE published_at IS NULL AND topic = 'recon.alerts' "
            "RETURNING outbox_id, topic, key, payload"
        )
        records = [
            OutgoingRecord(row["topic"], row["key"], row["payload"])
            for row in sorted(rows, key=lambda row: row["outbox_id"])
        ]
        if records:
            await self.writer.append(records * (2 if twice else 1))

    def bridge(self, sink: Sink, *, owner: str = "me", down_seconds: float = 60.0) -> Bridge:
        return Bridge(
            BridgeParts(
                pool=self.pool,
                probe=self.probe,
                owner=owner,
                down_after=timedelta(seconds=down_seconds),
            ),
            sink,
        )

    async def lives(self, bridge: Bridge, facts: Facts, start: datetime) -> None:
        """Begin, take in hand and end one cause, and let `bridge` tell it."""
        await bridge.turn()
        await self.says(
            Raised(key="a", at=start, facts=facts),
            Acknowledged(key="a", at=start, actor="ana"),
            Gone(key="a", at=start),
        )
        await _told(bridge)

    async def ends_after_two_hours(
        self, bridge: Bridge, facts: Facts, start: datetime, source: str
    ) -> None:
        """Begin a cause, find it again, and end it two hours later by `source`."""
        await bridge.turn()
        await self.says(
            Raised(key="a", at=start, facts=facts),
            Raised(key="a", at=start + timedelta(minutes=7), facts=facts),
            Gone(key="a", at=start + timedelta(hours=2, minutes=5), source=source),
        )
        await _told(bridge)

    def over(self, by: str) -> str:
        """Return what is said of a cause that `ends_after_two_hours`, ended `by` something."""
        return (
            f"SHORTAGE is over since 2026-11-21 10:05:00Z, after 2 h 5 min (seen 2x), {by}. "
            "It was: SAFE AED: CRITICAL by SHORTAGE"
        )

    async def forgets_to_wait(self) -> None:
        await self.pool.execute("UPDATE alerts.bridge SET again_at = NULL")

    async def deliveries(self, sink: str) -> Sequence[asyncpg.Record]:
        return await self.pool.fetch(
            "SELECT dedup_key, version, action, outcome, detail FROM alerts.delivery "
            "WHERE sink = $1 ORDER BY off",
            sink,
        )


async def _told(bridge: Bridge) -> None:
    while await bridge.turn():
        pass
    await bridge.close()


@pytest.fixture
async def alerts(database: str) -> AsyncIterator[AlertLog]:
    await asyncio.to_thread(migrate, database)
    owner = await open_pool(database, as_app=False)
    await PostgresAdmin(owner).apply([TopicPlan(name="recon.alerts", partitions=1, config={})])
    await owner.close()
    pool = await open_pool(database)
    found = AlertLog(pool)
    await found.writer.start()
    yield found
    await found.writer.stop()
    await pool.close()


@pytest.fixture
async def make_receiver() -> AsyncIterator[Callable[[], Any]]:
    runners: list[web.AppRunner] = []

    async def make() -> Receiver:
        receiver = Receiver()
        application = web.Application()
        application.router.add_post("/{path:.*}", receiver.answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        runners.append(runner)
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return receiver

    yield make
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def receiver(make_receiver: Callable[[], Any]) -> Receiver:
    found: Receiver = await make_receiver()
    return found


@pytest.fixture(scope="session")
def start() -> datetime:
    return START


@pytest.fixture(scope="session")
def make_facts() -> Callable[..., Facts]:
    def make(severity: Severity = Severity.ERROR, **changes: Any) -> Facts:
        facts = Facts(
            alert_class="SHORTAGE",
            severity=severity,
            summary="SAFE AED: CRITICAL by SHORTAGE",
            component="positions",
            scope="account:SAFE:AED",
            tier="CRITICAL",
            amounts={"unexplained": "-12.5"},
            evidence="recon-streams explain SAFE",
        )
        return msgspec.structs.replace(facts, **changes)

    return make
