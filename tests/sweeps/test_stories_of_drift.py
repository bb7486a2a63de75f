"""A drift is told while it is slow, outlives a restart, and ends only when the trend is gone."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agents.rolling_positions import make_table, restore
from recon_streams.kernel.clock import utc_now
from recon_streams.positions.rolling import Past, Seen
from recon_streams.runtime.faust_app import make_app

pytestmark = pytest.mark.postgres
SCOPE = "account:A:AED"


def remember(desk: Any, *amounts: int) -> None:
    """Let the table have seen these differences, one in each half-hour until now."""
    now = utc_now()
    seen = tuple(
        Seen(now - timedelta(minutes=30) * (len(amounts) - number), Decimal(amount))
        for number, amount in enumerate(amounts)
    )
    desk.table.put(SCOPE, Past(position=desk.table.rows[SCOPE].position, seen=seen))


async def test_a_slow_drift_is_told_with_its_numbers_and_ends_when_it_stops(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account(bank="1000090", ledger="1000000"))
    remember(desk, *range(0, 90, 10))  # and two points of today: as registered, and as it is now
    row = await desk.sweep()
    assert (row["tier"], row["warned"], row["points"]) == ("OK", True, 11)
    assert 19 < row["velocity"] < 21
    assert row["reaches_limit_at"] > row["swept_at"] + timedelta(hours=19)
    assert await desk.found() == {"DRIFT": "OPEN"}
    facts = await desk.pool.fetchval("SELECT facts FROM discrepancies.discrepancy")
    for word in ("velocity_per_hour", "limit", "reaches_limit_at", "points"):
        assert word in facts
    # A day of standing still: the same figure in every half-hour.
    remember(desk, *([90] * 47))
    row = await desk.sweep()
    assert not row["warned"]
    assert await desk.found() == {"DRIFT": "RESOLVED"}


async def test_a_worker_that_starts_anew_knows_what_sweeps_saw(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account(bank="1000090", ledger="1000000"))
    now = utc_now()
    for number in range(8):
        due_at = now - timedelta(minutes=30) * (8 - number)
        await desk.sweep(due_at=due_at)
        await desk.pool.fetchval("SELECT 1")
    # Sweeps of the past were all made now: only the newest half-hour has a point.
    table = make_table(make_app("test", _fails))
    assert await restore(desk.pool, table, frozenset(range(2)), 2) == 1
    rolling = table.get(SCOPE)
    assert rolling is not None
    assert [seen.unexplained for seen in rolling.half_hours] == [90]


async def _fails(error: BaseException) -> None:
    raise error
