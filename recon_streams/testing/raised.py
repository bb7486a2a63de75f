"""The alerts of a book, as an outsider reads them."""

import asyncio
from datetime import datetime

import asyncpg
import msgspec


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """One alert; its class is what it was last told as."""

    key: str
    alert_class: str
    is_over: bool
    first_seen: datetime


def raised_in(dsn: str) -> list[Raised]:
    """Return every alert of the book at `dsn`."""

    async def ask() -> list[Raised]:
        connection = await asyncpg.connect(dsn)
        try:
            rows = await connection.fetch(
                "SELECT dedup_key, alert_class, state, first_seen FROM alerts.alert "
                "WHERE first_seen IS NOT NULL"
            )
        finally:
            await connection.close()
        return [
            Raised(
                key=row["dedup_key"],
                alert_class=row["alert_class"],
                is_over=row["state"] == "RESOLVED",
                first_seen=row["first_seen"],
            )
            for row in rows
        ]

    return asyncio.run(ask())
