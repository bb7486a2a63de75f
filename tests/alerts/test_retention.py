"""What happened to alerts long ago is let go of, and never what is still open."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from agents.upkeep import keep_alerts
from recon_streams.alerts.alarm import Facts, Gone, Raised
from recon_streams.alerts.retention import forget
from recon_streams.book.connection import open_pool

pytestmark = pytest.mark.postgres
FactsOf = Callable[..., Facts]
DAY = timedelta(days=1)


@pytest.fixture
async def owner(pool: asyncpg.Pool, database: str) -> AsyncIterator[asyncpg.Pool]:
    assert not pool.is_closing(), "who makes it has migrated the book"
    owner = await open_pool(database, as_app=False)
    yield owner
    await owner.close()


async def _grows_old(owner: asyncpg.Pool, *, days: int) -> None:
    await owner.execute(
        "UPDATE alerts.event SET recorded_at = recorded_at - $1 * interval '1 day'", days
    )
    await owner.execute(
        "INSERT INTO alerts.delivery (sink, delivery_id, dedup_key, version, action, off, outcome, "
        "delivered_at) SELECT 'mail', 'msg_' || event_id, dedup_key, version, 'trigger', event_id, "
        "'SENT', recorded_at FROM alerts.event"
    )


async def _kept(pool: asyncpg.Pool, table: str) -> list[str]:
    rows = await pool.fetch(f"SELECT dedup_key FROM alerts.{table} ORDER BY 1")
    return [row["dedup_key"] for row in rows]


async def test_what_is_over_and_old_is_let_go_of_and_what_is_open_keeps_its_story(
    on_call: Any, owner: asyncpg.Pool, start: datetime, make_facts: FactsOf
) -> None:
    old = start - 100 * DAY
    for key in ("over", "open"):
        await on_call.says(Raised(key=key, at=old, facts=make_facts()))
    await on_call.says(Gone(key="over", at=old))
    await _grows_old(owner, days=100)
    await on_call.says(
        Raised(key="young", at=start, facts=make_facts()), Gone(key="young", at=start)
    )
    assert await forget(on_call.pool, start - 90 * DAY) == 4
    assert await _kept(on_call.pool, "event") == ["open", "young", "young"]
    assert await _kept(on_call.pool, "delivery") == ["open"]
    assert await forget(on_call.pool, start - 90 * DAY) == 0


async def test_what_is_open_again_lets_go_of_its_lives_of_long_ago(
    on_call: Any, owner: asyncpg.Pool, start: datetime, make_facts: FactsOf
) -> None:
    old = start - 100 * DAY
    await on_call.says(Raised(key="a", at=old, facts=make_facts()), Gone(key="a", at=old))
    await _grows_old(owner, days=100)
    await on_call.says(Raised(key="a", at=start, facts=make_facts()))
    assert await forget(on_call.pool, start - 90 * DAY) == 2
    assert await _kept(on_call.pool, "event") == ["a"]


async def test_a_great_deal_goes_a_little_at_a_time(
    on_call: Any, owner: asyncpg.Pool, start: datetime, make_facts: FactsOf
) -> None:
    old = start - 100 * DAY
    for number in range(12):
        key = f"a{number}"
        await on_call.says(Raised(key=key, at=old, facts=make_facts()), Gone(key=key, at=old))
    await _grows_old(owner, days=100)
    assert await forget(on_call.pool, start, rows_max=5) == 48
    assert await _kept(on_call.pool, "event") == []


async def test_the_upkeep_lets_go_of_what_is_older_than_the_setting_says(
    on_call: Any, owner: asyncpg.Pool, start: datetime, make_facts: FactsOf
) -> None:
    await on_call.says(Raised(key="a", at=start, facts=make_facts()), Gone(key="a", at=start))
    await _grows_old(owner, days=50)
    assert await keep_alerts(on_call.pool, kept_days=60) == 0
    assert await keep_alerts(on_call.pool, kept_days=40) == 4
