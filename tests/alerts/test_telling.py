"""What on-call hears of a book: together with what led to it, once, and in one order."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from recon_streams.alerts.alarm import Acknowledged, Facts, Gone, Raised
from recon_streams.alerts.causes import keep_true
from recon_streams.alerts.telling import tell
from recon_streams.book.unit_of_work import UnitOfWork
from topics.alerts import Severity

pytestmark = pytest.mark.postgres
FactsOf = Callable[..., Facts]


async def test_nothing_is_told_of_a_unit_that_is_rolled_back(
    on_call: Any, start: datetime, make_facts: FactsOf
) -> None:
    async def fails() -> None:
        async with UnitOfWork(on_call.pool) as unit:
            tell(unit, [Raised(key="a", at=start, facts=make_facts())])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert await on_call.hears() == []
    assert await on_call.pool.fetchval("SELECT count(*) FROM alerts.alert") == 0


async def test_repeats_are_counted_and_told_with_the_next_news(
    on_call: Any, start: datetime, make_facts: FactsOf
) -> None:
    (first,) = await on_call.says(Raised(key="a", at=start, facts=make_facts()))
    assert (first.action, first.version, first.count) == ("trigger", 1, 1)
    for seconds in (1, 2):
        at = start + timedelta(seconds=seconds)
        assert await on_call.says(Raised(key="a", at=at, facts=make_facts())) == []
    worse = make_facts(Severity.CRITICAL)
    (second,) = await on_call.says(Raised(key="a", at=start, facts=worse))
    assert (second.version, second.count, second.first_seen) == (2, 4, start)
    assert second.last_seen == start + timedelta(seconds=2)
    (end,) = await on_call.says(Gone(key="a", at=start))
    assert (end.action, end.version) == ("resolve", 3)
    (again,) = await on_call.says(Raised(key="a", at=start, facts=make_facts()))
    assert (again.action, again.version, again.count) == ("trigger", 4, 1)


async def test_the_end_of_what_never_was_leaves_no_trace(on_call: Any, start: datetime) -> None:
    assert await on_call.says(Gone(key="a", at=start)) == []
    assert await on_call.pool.fetchval("SELECT count(*) FROM alerts.alert") == 0


async def test_an_alert_says_where_to_read_on(
    on_call: Any, start: datetime, make_facts: FactsOf
) -> None:
    (told,) = await on_call.says(Raised(key="a", at=start, facts=make_facts(evidence="look")))
    assert told.links.runbook == "docs/runbooks/positions.md#bank_silent"
    assert told.links.evidence == "look"


async def test_what_happened_to_an_alert_is_kept(
    on_call: Any, start: datetime, make_facts: FactsOf
) -> None:
    signals = [
        Raised(key="a", at=start, facts=make_facts()),
        Raised(key="a", at=start, facts=make_facts()),
        Acknowledged(key="a", at=start, actor="ana", reason="on it"),
        Gone(key="a", at=start),
    ]
    told = await on_call.says(*signals)
    assert [each.action for each in told] == ["trigger", "acknowledge", "resolve"]
    rows = await on_call.pool.fetch("SELECT what, actor FROM alerts.event ORDER BY event_id")
    assert [tuple(row) for row in rows] == [
        ("raised", None), ("acknowledged", "ana"), ("gone", None),
    ]  # fmt: skip


async def test_units_that_speak_of_the_same_causes_in_any_order_do_not_wait_in_a_circle(
    on_call: Any, pool: asyncpg.Pool, start: datetime, make_facts: FactsOf
) -> None:
    keys = [f"cause {number}" for number in range(8)]

    async def speak(seed: int) -> None:
        order = random.Random(seed)
        for _ in range(15):
            async with UnitOfWork(pool) as unit:
                for key in order.sample(keys, 5):
                    gone = order.random() < 0.4
                    facts = make_facts(order.choice(list(Severity)))
                    tell(
                        unit,
                        [
                            Gone(key=key, at=start)
                            if gone
                            else Raised(key=key, at=start, facts=facts)
                        ],
                    )

    await asyncio.gather(*map(speak, range(6)))
    told = await on_call.hears()
    for key in keys:
        versions = [each.version for each in told if each.dedup_key == key]
        assert versions == list(range(1, len(versions) + 1))
    rows = await pool.fetch("SELECT dedup_key, is_told FROM alerts.alert")
    last = {each.dedup_key: each.action for each in told}
    assert {row["dedup_key"] for row in rows if row["is_told"]} == {
        key for key, action in last.items() if action != "resolve"
    }


async def test_a_check_that_looks_every_second_tells_what_begins_and_what_ends(
    on_call: Any, pool: asyncpg.Pool, start: datetime, make_facts: FactsOf
) -> None:
    async def looks(*names: str) -> list[tuple[str, str]]:
        facts = make_facts(alert_class="SINK_DOWN")
        async with UnitOfWork(pool) as unit:
            await keep_true(unit, "SINK_DOWN", dict.fromkeys(names, facts), at=start)
        return [(each.dedup_key, each.action) for each in await on_call.hears()]

    assert await looks("mail") == [("sink_down:mail", "trigger")]
    assert await looks("mail") == []
    count = await pool.fetchval("SELECT (body ->> 'count')::int FROM alerts.alert")
    assert count is None, "what is as it was is not even counted"
    assert await looks("mail", "pager") == [("sink_down:pager", "trigger")]
    assert await looks("pager") == [("sink_down:mail", "resolve")]
    assert await looks() == [("sink_down:pager", "resolve")]
