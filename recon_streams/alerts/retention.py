"""Lets go of what happened to alerts long ago, so that the book does not grow with every page.

What is open keeps the whole story of its present life, and what each sink was told of it. Who
stopped and released payouts is no part of this: that is in the breaker's own history, for good.
"""

from datetime import datetime
from typing import Final

import asyncpg

# At a time, so that nobody waits for the rows; and at one look. The rest has its turn at the next.
ROWS_MAX: Final = 2_000
_BATCHES_MAX: Final = 50
_EVENTS: Final = (
    "DELETE FROM alerts.event WHERE event_id IN (SELECT e.event_id FROM alerts.event AS e "
    "WHERE e.recorded_at < $1 AND NOT EXISTS (SELECT FROM alerts.alert AS a "
    "WHERE a.dedup_key = e.dedup_key AND a.state <> 'RESOLVED' AND e.at >= a.first_seen) "
    "ORDER BY e.recorded_at LIMIT $2)"
)
_DELIVERIES: Final = (
    "DELETE FROM alerts.delivery WHERE (sink, delivery_id) IN ("
    "SELECT d.sink, d.delivery_id FROM alerts.delivery AS d "
    "WHERE d.delivered_at < $1 AND NOT EXISTS (SELECT FROM alerts.alert AS a "
    "WHERE a.dedup_key = d.dedup_key AND a.state <> 'RESOLVED') "
    "ORDER BY d.delivered_at LIMIT $2)"
)


async def forget(pool: asyncpg.Pool, before: datetime, *, rows_max: int = ROWS_MAX) -> int:
    """Delete what was recorded before `before` and is over; return how many rows.

    Args:
        pool: The book.
        before: Longer ago than the topic of alerts is kept: by its deliveries a sink's repeats are
            recognised.
        rows_max: Of one statement; each is a transaction of its own.
    """
    deleted = 0
    for statement in (_EVENTS, _DELIVERIES):
        for _ in range(_BATCHES_MAX):
            tag: str = await pool.execute(statement, before, rows_max)
            rows = int(tag.rpartition(" ")[2])
            deleted += rows
            if rows < rows_max:
                break
    return deleted
