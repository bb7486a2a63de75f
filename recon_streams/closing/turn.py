"""The unit of work of a run: one at a time in the installation, each on what the last one left.

A run reads one state of the book, from its first question on. If it had to wait for another run
after that, it would decide on a state that is no more, and two accounts run side by side would each
miss the other in the report of their day. So the turn is taken before anything is asked.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from recon_streams.book.unit_of_work import UnitOfWork


@asynccontextmanager
async def turn(pool: asyncpg.Pool, *, wait: bool = True) -> AsyncIterator[UnitOfWork]:
    """Give a unit that sees one state of the book, while nobody else runs a day.

    Raises:
        asyncpg.LockNotAvailableError: Somebody else has the turn, and it was not to be waited for,
            or not for longer than a lock is waited for.
    """
    async with UnitOfWork(pool, isolation="repeatable_read") as unit:
        # Of all statements this one sees no state yet.
        await unit.connection.execute(
            f"LOCK TABLE closing.turn IN EXCLUSIVE MODE {'' if wait else 'NOWAIT'}"
        )
        yield unit
