"""What a gauge shows of all discrepancies, counted in the book."""

from collections.abc import Mapping

import asyncpg


async def read_gauges(pool: asyncpg.Pool) -> Mapping[tuple[str, str], int]:
    """Return how many discrepancies are open, by kind and severity."""
    rows = await pool.fetch(
        "SELECT kind, severity, count(*) AS n FROM discrepancies.discrepancy "
        "WHERE state <> 'RESOLVED' GROUP BY kind, severity"
    )
    return {(row["kind"], row["severity"]): row["n"] for row in rows}
