"""Wakes the book when instants have come. These timers are alarms, never the truth about time."""

import asyncio
from functools import partial

import asyncpg

from agents.patience import with_patience
from recon_streams.book.streams import note_caught_up
from recon_streams.kernel.clock import utc_now
from recon_streams.positions.desk import StepsListener
from recon_streams.positions.due import ACCOUNTS_MAX, take_due
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.runtime.source import LogSource


async def note_idle_partitions(
    pool: asyncpg.Pool, source: LogSource, *, every_seconds: float, retry_seconds: float
) -> None:
    """Tell the book, again and again, which partitions have nothing waiting. Runs for ever."""
    while True:
        # Read the clock first: what arrives after this instant is not covered by it.
        at = utc_now()
        idle = {p: source.positions[p] for p in source.idle if p in source.positions}
        if idle:
            await with_patience(partial(note_caught_up, pool, idle, at), retry_seconds)
        await asyncio.sleep(every_seconds)


async def take_due_for_ever(
    pool: asyncpg.Pool,
    directories: DirectoryCache,
    *,
    every_seconds: float,
    retry_seconds: float,
    on_steps: StepsListener | None = None,
) -> None:
    """Evaluate accounts whose instant has come, again and again. Runs for ever."""
    while True:
        taken = await with_patience(
            lambda: take_due(pool, directories, now=utc_now(), on_steps=on_steps), retry_seconds
        )
        if taken < ACCOUNTS_MAX:
            await asyncio.sleep(every_seconds)
