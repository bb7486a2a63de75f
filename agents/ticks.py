"""Wakes the book when instants have come. These timers are alarms, never the truth about time."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final

import asyncpg
import structlog

from agents.patience import with_patience
from recon_streams.book.streams import LogEnd, book_time, note_caught_up, positions
from recon_streams.log.errors import LogUnreachable
from recon_streams.log.port import LogProbe
from recon_streams.log.record import TopicPartition
from recon_streams.positions.due import ACCOUNTS_MAX, take_due
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.scopes.by_hand import end_overrides

_log = structlog.get_logger()

# Whoever is further behind gets no lease anyhow.
_ENDS_MAX: Final = 30


class LogEnds:
    """Where the log ended lately, of each partition that we have.

    A worker with much to do is hardly ever at the end of the log. What it has reached is where the
    log ended some time ago, and what arrived before that is decided.
    """

    def __init__(self) -> None:
        """Begin with no answer."""
        self._of: dict[TopicPartition, deque[LogEnd]] = {}

    def note(
        self,
        reached: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
        asked_at: datetime,
    ) -> list[LogEnd]:
        """Note the answer `ends`, and return all that may still prove something.

        Args:
            reached: Where the book stood before the question, of each partition that is ours.
            ends: Where the log ends.
            asked_at: Before the question, by the database's clock.
        """
        known, self._of = self._of, {}
        for partition, offset in reached.items():
            asked = known.get(partition, deque(maxlen=_ENDS_MAX))
            while len(asked) > 1 and asked[1].end <= offset:
                asked.popleft()
            self._of[partition] = asked
            end = ends.get(partition)
            if end is None:
                continue
            if end < max(offset, asked[-1].end if asked else 0):
                # It lost its end or is another one: nothing that it ever said proves anything.
                asked.clear()
            else:
                asked.append(LogEnd(partition=partition, end=end, asked_at=asked_at))
        return [each for asked in self._of.values() for each in asked]


async def note_caught_up_for_ever(
    pool: asyncpg.Pool,
    probe: LogProbe,
    assigned: Callable[[], Collection[TopicPartition]],
    *,
    every_seconds: float,
    retry_seconds: float,
) -> None:
    """Prove to the book, again and again, which partitions have nothing waiting. Runs for ever."""
    asked = LogEnds()
    while True:
        await with_patience(
            lambda: note_whether_caught_up(pool, probe, assigned(), asked), retry_seconds
        )
        await asyncio.sleep(every_seconds)


async def note_whether_caught_up(
    pool: asyncpg.Pool, probe: LogProbe, partitions: Collection[TopicPartition], asked: LogEnds
) -> None:
    """Note through which instant the book has decided `partitions`, by where the log ended when.

    That an answer does not come proves nothing, and neither does a fetch that brought nothing: the
    reader waits on while servers are silent. So the log is asked where it ends, and the instant is
    taken before the question: what arrives after that is not covered by the answer. It is the
    book's own, for this machine's clock may be wrong.
    """
    if not partitions:
        return
    at = await book_time(pool)
    reached = await positions(pool, partitions)
    try:
        ends = await probe.appended_ends(partitions)
    except LogUnreachable as silence:
        # The reader gives up on such a log, within a bound of its own.
        _log.warning("end_of_log_unknown", reason=str(silence))
        return
    offsets = {partition: position.next_offset for partition, position in reached.items()}
    await note_caught_up(pool, asked.note(offsets, ends, at))


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
