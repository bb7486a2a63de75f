"""Ends requests that nobody agreed to in time, so that nobody is called for them any more."""

import asyncio
from typing import Final

import asyncpg

from recon_streams.alerts.telling import tell
from recon_streams.approvals import store
from recon_streams.approvals.messages import ended
from recon_streams.book.unit_of_work import UnitOfWork

EVERY_SECONDS: Final = 15.0


async def end_expired_for_ever(pool: asyncpg.Pool, *, every_seconds: float = EVERY_SECONDS) -> None:
    """Write down what has expired, and tell of each once. Runs for ever."""
    while True:
        await end_expired(pool)
        await asyncio.sleep(every_seconds)


async def end_expired(pool: asyncpg.Pool) -> int:
    """Write down what has expired since the last time; return how many."""
    async with UnitOfWork(pool) as unit:
        requests = await store.end_expired(unit.connection)
        tell(unit, [ended(request) for request in requests])
    return len(requests)
