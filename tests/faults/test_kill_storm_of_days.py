"""Bank days end and sweeps fall due while everything is killed: nothing twice, nothing skipped."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import pytest

from recon_streams.testing.storm import Storm
from recon_streams.testing.traffic import Traffic

pytestmark = [pytest.mark.storm, pytest.mark.timeout(900)]

INPUTS = 6_000
KILLS = 14
ACCOUNTS = 12
HOURS = 20
EVERY = timedelta(minutes=30)
# A statement of a day that has not begun is refused, and an account has dozens of days here.
LONG_AGO = datetime(2026, 6, 1, 8, tzinfo=UTC)


async def test_a_kill_storm_moves_no_anchor_twice_and_skips_no_tick(
    site: Any, make_traffic: Callable[..., Traffic]
) -> None:
    traffic = make_traffic(
        inputs=INPUTS, accounts=ACCOUNTS, seed=23, statement_share=0.03, day=LONG_AGO
    )
    site.register(traffic)
    await _was_stopped_for_hours(site.dsn)
    storm = Storm(
        processes=[site.worker(1), site.worker(2), site.publisher(1), site.publisher(2)],
        seed=29,
        kills_min=KILLS,
    )
    feeding = site.feed(traffic)
    try:
        await asyncio.to_thread(
            storm.run,
            lambda: not feeding.is_alive() and _is_swept(site.dsn) and site.is_drained(INPUTS),
            seconds_max=600,
        )
    finally:
        await asyncio.to_thread(storm.stop)
        feeding.join()
    assert storm.kills >= KILLS
    await _each_instant_once(site.dsn)
    await _each_anchor_is_a_statement(site.dsn)
    await site.compare(traffic)


async def _was_stopped_for_hours(dsn: str) -> None:
    """Make the book look as if nothing had run since its accounts were registered, long ago."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        f"UPDATE positions.registry_version SET applied_at = now() - interval '{HOURS} hours'"
    )
    await connection.execute(
        "INSERT INTO schedule.kind (kind, born_at) "
        f"VALUES ('sweep', now() - interval '{HOURS} hours')"
    )
    await connection.close()


def _is_swept(dsn: str) -> bool:
    async def ask() -> bool:
        connection = await asyncpg.connect(dsn)
        waits = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM schedule.due WHERE kind = 'sweep' AND due_at <= now()) "
            "OR (SELECT count(DISTINCT (number, due_at)) FROM sweeps.sweep) < $1",
            ACCOUNTS * (HOURS * 2 - 1),
        )
        await connection.close()
        return not waits

    return asyncio.run(ask())


async def _each_instant_once(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(
        "SELECT number, array_agg(due_at ORDER BY due_at) AS instants FROM sweeps.sweep "
        "GROUP BY number"
    )
    assert len(rows) == ACCOUNTS
    for row in rows:
        instants = row["instants"]
        steps = {later - earlier for earlier, later in pairwise(instants)}
        assert steps == {EVERY}, "none is missing, none is there twice"
    repeated = await connection.fetchval(
        "SELECT count(*) FROM book.input JOIN book.stream USING (stream) "
        "WHERE topic = 'recon.ticks' AND disposition NOT IN ('OBSERVATION', 'DUPLICATE', 'CONTROL')"
    )
    assert repeated == 0
    await connection.close()


async def _each_anchor_is_a_statement(dsn: str) -> None:
    """Each statement moved its account's anchor at most once, and the last one did."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(
        "SELECT s.number, "
        "(convert_from(e.event, 'UTF8')::json->>'closing_on')::date AS closing_on, "
        "count(*) AS n FROM positions.account_state AS s JOIN positions.account_event AS e "
        "USING (number) WHERE convert_from(e.event, 'UTF8')::json->>'kind' = 'bank_stated' "
        "GROUP BY 1, 2"
    )
    assert rows, "statements were taken"
    assert all(row["n"] == 1 for row in rows)
    last = await connection.fetch(
        "SELECT number, max(closing_on) AS closing_on FROM positions.statement "
        "WHERE status = 'ACCEPTED' GROUP BY number"
    )
    newest = {row["number"]: row["closing_on"] for row in last}
    stated = {
        row["number"]: max(r["closing_on"] for r in rows if r["number"] == row["number"])
        for row in rows
    }
    assert stated == newest
    await connection.close()
