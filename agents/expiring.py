"""Ends requests that nobody can agree to any more, so that nobody is called for them."""

import asyncio
import contextlib
from typing import Final

import asyncpg

from recon_streams.alerts.telling import tell
from recon_streams.approvals import store
from recon_streams.approvals.messages import ended
from recon_streams.book.unit_of_work import UnitOfWork

EVERY_SECONDS: Final = 5.0


async def end_overdue_for_ever(pool: asyncpg.Pool, *, every_seconds: float = EVERY_SECONDS) -> None:
    """Write down what has expired or was overtaken, and tell of each once. Runs for ever."""
    while True:
        # Somebody answers one of them at this very moment: it is looked at again.
        with contextlib.suppress(asyncpg.UniqueViolationError):
            await end_overdue(pool)
        await asyncio.sleep(every_seconds)


async def end_overdue(pool: asyncpg.Pool) -> int:
    """Write down what nobody can agree to any more since the last time; return how many."""
    async with UnitOfWork(pool) as unit:
        requests = await store.end_overdue(unit.connection)
        tell(unit, [ended(request) for request in requests])
    return len(requests)
