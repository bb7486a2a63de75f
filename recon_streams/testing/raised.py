"""The alerts of a book, as an outsider reads them."""

import asyncio

import asyncpg
import msgspec


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """One alert; its class is what it was last told as, `lives` how often it began."""

    key: str
    alert_class: str
    is_over: bool
    lives: int


def raised_in(dsn: str) -> list[Raised]:
    """Return every alert of the book at `dsn`."""

    async def ask() -> list[Raised]:
        connection = await asyncpg.connect(dsn)
        try:
            rows = await connection.fetch(
                "SELECT dedup_key, alert_class, state, "
                "coalesce((body ->> 'lives')::int, 1) AS lives "
                "FROM alerts.alert WHERE body IS NOT NULL"
            )
        finally:
            await connection.close()
        return [
            Raised(
                key=row["dedup_key"],
                alert_class=row["alert_class"],
                is_over=row["state"] == "RESOLVED",
                lives=row["lives"],
            )
            for row in rows
        ]

    return asyncio.run(ask())
