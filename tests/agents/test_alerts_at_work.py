"""An alert on its whole way: from the unit that finds it, over the topic, to where people look."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import msgspec
import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from agents.house import Duties, open_house
from agents.logs import postgres_logs, topic_plans
from recon_streams.alerts.alarm import Facts, Gone, Raised
from recon_streams.alerts.telling import tell
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.runtime.settings import load_settings
from recon_streams.testing.keys import new_key_ring
from topics.alerts import Severity

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

SECRET = "whsec_" + "c2VjcmV0" * 4
AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


class Receiver:
    """Keeps what was posted, by its path."""

    def __init__(self) -> None:
        self.posted: dict[str, list[Any]] = {}
        self.ids: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.path == "/hook":
            Webhook(SECRET).verify(body, dict(request.headers))
            self.ids.append(request.headers["webhook-id"])
        self.posted.setdefault(request.path, []).append(msgspec.json.decode(body))
        return web.Response()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    application = web.Application()
    application.router.add_post("/{path:.*}", found.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


async def until(done: Any, what: Receiver) -> None:
    deadline = monotonic() + 30
    while not done():
        assert monotonic() < deadline, what.posted
        await asyncio.sleep(0.05)


async def test_an_alert_reaches_every_sink_within_a_moment_and_so_does_its_end(
    pool: asyncpg.Pool, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "key").write_text("r0ut1ng")
    settings = load_settings(
        None,
        {
            "RECON__BRIDGES__WEBHOOK_URL": f"{receiver.url}/hook",
            "RECON__BRIDGES__WEBHOOK_SECRET_FILE": str(tmp_path / "secret"),
            "RECON__BRIDGES__ALERTMANAGER_URL": receiver.url,
            "RECON__BRIDGES__PAGERDUTY_URL": f"{receiver.url}/enqueue",
            "RECON__BRIDGES__PAGERDUTY_ROUTING_KEY_FILE": str(tmp_path / "key"),
        },
        {"telemetry.port": 0},
    )
    logs = postgres_logs(pool, group="recon")
    await logs.admin.apply(topic_plans(partitions=1))
    facts = Facts(
        alert_class="SHORTAGE", severity=Severity.CRITICAL, summary="s", component="positions"
    )
    stop = asyncio.Event()
    duties = Duties(worker=False, keys=new_key_ring())

    def heard(action: str) -> bool:
        posted = receiver.posted
        ours = [each for each in posted.get("/hook", []) if each["data"]["dedup_key"] == "mine"]
        paged = [each for each in posted.get("/enqueue", []) if each["dedup_key"] == "mine"]
        said = [
            alert
            for each in posted.get("/api/v2/alerts", [])
            for alert in each
            if alert["labels"]["dedup_key"] == "mine"
        ]
        return bool(
            ours and ours[-1]["data"]["action"] == action
            and paged and paged[-1]["event_action"] == action
            and said
        )  # fmt: skip

    async with open_house(settings, pool, logs, name="test", duties=duties) as house:
        serving = asyncio.create_task(house.serve(stop))
        async with UnitOfWork(pool) as unit:
            tell(unit, [Raised(key="mine", at=AT, facts=facts)])
        await until(lambda: heard("trigger"), receiver)
        async with UnitOfWork(pool) as unit:
            tell(unit, [Gone(key="mine", at=AT)])
        await until(lambda: heard("resolve"), receiver)
        stop.set()
        await serving
    keys = [each["data"]["dedup_key"] for each in receiver.posted["/hook"]]
    assert keys.count("mine") == 2, "each once"
