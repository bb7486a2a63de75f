"""What a gauge shows of all accounts, counted in the book; account by account would be too many."""

import asyncpg
import msgspec


class Gauges(msgspec.Struct, frozen=True, kw_only=True):
    """Counts by label."""

    tiers: dict[str, int]
    breakers: dict[str, int]
    quarantine: dict[str, int]
    shortages: int


async def read_gauges(pool: asyncpg.Pool) -> Gauges:
    """Return the counts of now."""
    rows = await pool.fetch(
        "SELECT tier, breaker, count(*) AS n, "
        "count(*) FILTER (WHERE difference < 0) AS shortages "
        "FROM positions.account_state GROUP BY tier, breaker"
    )
    waiting = await pool.fetch(
        "SELECT code, count(*) AS n FROM book.quarantine q WHERE NOT EXISTS "
        "(SELECT FROM book.quarantine_action a WHERE a.quarantine_id = q.quarantine_id) GROUP BY 1"
    )
    tiers: dict[str, int] = {}
    breakers: dict[str, int] = {}
    for row in rows:
        tiers[row["tier"]] = tiers.get(row["tier"], 0) + row["n"]
        breakers[row["breaker"]] = breakers.get(row["breaker"], 0) + row["n"]
    return Gauges(
        tiers=tiers,
        breakers=breakers,
        quarantine={row["code"]: row["n"] for row in waiting},
        shortages=sum(row["shortages"] for row in rows),
    )
