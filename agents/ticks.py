"""Wakes the book when instants have come. These timers are alarms, never the truth about time."""

import asyncio
from collections.abc import Callable, Collection

import asyncpg
import structlog

from agents.patience import with_patience
from recon_streams.book.streams import book_time, note_caught_up
from recon_streams.log.errors import LogUnreachable
from recon_streams.log.port import LogProbe
from recon_streams.log.record import TopicPartition
from recon_streams.positions.due import ACCOUNTS_MAX, take_due
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.scopes.by_hand import end_overrides

_log = structlog.get_logger()


async def note_caught_up_for_ever(
    pool: asyncpg.Pool,
    probe: LogProbe,
    assigned: Callable[[], Collection[TopicPartition]],
    *,
    every_seconds: float,
    retry_seconds: float,
) -> None:
    """Prove to the book, again and again, which partitions have nothing waiting. Runs for ever."""
    while True:
        await with_patience(lambda: note_whether_caught_up(pool, probe, assigned()), retry_seconds)
        await asyncio.sleep(every_seconds)


async def note_whether_caught_up(
    pool: asyncpg.Pool, probe: LogProbe, partitions: Collection[TopicPartition]
) -> None:
    """Note which of `partitions` the book has decided to the end, and through which instant.

    That an answer does not come proves nothing, and neither does a fetch that brought nothing: the
    reader waits on while servers are silent. So the log is asked where it ends, and the instant is
    taken before the question: what arrives after that is not covered by the answer. It is the
    book's own, for this machine's clock may be wrong.
    """
    if not partitions:
        return
    at = await book_time(pool)
    try:
        ends = await probe.appended_ends(partitions)
    except LogUnreachable as silence:
        # The reader gives up on such a log, within a bound of its own.
        _log.warning("end_of_log_unknown", reason=str(silence))
        return
    await note_caught_up(pool, ends, at)


async def take_due_for_ever(
    pool: asyncpg.Pool,
    directories: DirectoryCache,
    *,
    every_seconds: float,
    retry_seconds: float,
) -> None:
    """Evaluate what the instant has come for, again and again. Runs for ever."""
    while True:
        taken = await with_patience(lambda: _take_due(pool, directories), retry_seconds)
        if taken < ACCOUNTS_MAX:
            await asyncio.sleep(every_seconds)


async def _take_due(pool: asyncpg.Pool, directories: DirectoryCache) -> int:
    # The book's own clock: what two people forced must end, however wrong this machine's is.
    now = await book_time(pool)
    await end_overrides(pool, now=now)
    return await take_due(pool, directories, now=now)
