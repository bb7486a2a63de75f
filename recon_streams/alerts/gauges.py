"""What a gauge shows of all alerts, counted in the book."""

import asyncpg
import msgspec


class AlertGauges(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of what is there, and the seconds for which each sink has been failing."""

    firing: dict[str, int]
    inhibited: int
    failing_seconds: dict[str, float]


async def read_gauges(pool: asyncpg.Pool) -> AlertGauges:
    """Return the counts of now."""
    rows = await pool.fetch(
        "SELECT severity, count(*) FILTER (WHERE is_told) AS told, "
        "count(*) FILTER (WHERE inhibited_by IS NOT NULL) AS inhibited "
        "FROM alerts.alert WHERE state <> 'RESOLVED' GROUP BY severity"
    )
    failing = await pool.fetch(
        "SELECT sink, extract(epoch FROM clock_timestamp() - failing_since)::float8 AS seconds "
        "FROM alerts.bridge WHERE failing_since IS NOT NULL"
    )
    return AlertGauges(
        firing={row["severity"]: row["told"] for row in rows},
        inhibited=sum(row["inhibited"] for row in rows),
        failing_seconds={row["sink"]: row["seconds"] for row in failing},
    )
