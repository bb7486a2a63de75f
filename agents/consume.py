"""The consume loop: read a batch while those before it commit; leave at anything unexpected.

Every agent is a thin call of this. What it promises: batches of one partition are committed in
order, each in one transaction; an unreachable book is waited for within a bound while the partition
waits; and nothing unexpected is survived: a supervisor's restart is safe, a guess is not.
"""

import asyncio
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from agents.commit import commit_batch, was_committed
from agents.patience import BookGone, with_patience
from recon_streams.book.continuity import OtherRecords
from recon_streams.book.intake import Intake, Reading
from recon_streams.book.reading import read_batch
from recon_streams.book.streams import Fenced
from recon_streams.kernel.disposition import Outcome
from recon_streams.log.errors import LogUnreachable, LostRecords, OffsetOutOfRange
from recon_streams.log.record import Batch, TopicPartition
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.runtime.leaving import leave_process

# The database works on the commits of two partitions while a third batch is read here; more would
# only take connections from the publisher.
_COMMITS_MAX: Final = 2


@dataclass(frozen=True, kw_only=True)
class ConsumeParts:
    """What a consume loop is made of.

    Attributes:
        on_committed: Told of every committed batch with what became of its records.
        on_settled: Told when a batch needs no more work of ours, committed or not.
        retry_seconds: How long an unreachable book is waited for.
    """

    pool: asyncpg.Pool
    intake: Intake[Any]
    on_committed: Callable[[Batch, Sequence[Outcome]], None]
    on_settled: Callable[[Batch], None]
    retry_seconds: float


async def consume(parts: ConsumeParts, batches: AsyncIterable[Batch]) -> None:
    """Take every batch of `batches` into the book, those of one partition in order.

    Raises:
        Fenced: Somebody else owns a partition we believed to be ours.
        BookGone: The book stayed unreachable for longer than the bound.
    """
    commits = _Commits(parts)
    try:
        async for batch in batches:
            readings = await read_batch(parts.intake, batch)
            await commits.begin(batch, readings)
    finally:
        await commits.finish()


class _Commits:
    """Commits under way: never two of one partition, and few in all."""

    def __init__(self, parts: ConsumeParts) -> None:
        self._parts = parts
        self._under_way: dict[TopicPartition, asyncio.Task[None]] = {}

    async def begin(self, batch: Batch, readings: Sequence[Reading[Any]]) -> None:
        """Start to commit `batch`, once the batch before it is in and there is room."""
        before = self._under_way.pop(batch.topic_partition, None)
        if before is not None:
            await before
        while len(self._under_way) >= _COMMITS_MAX:
            await self._one_less()
        task = asyncio.create_task(_commit(self._parts, batch, readings))
        # If no next batch comes, nobody awaits this task: its failure must be heard all the same.
        task.add_done_callback(_hear)
        self._under_way[batch.topic_partition] = task

    async def finish(self) -> None:
        """Wait for all of them."""
        while self._under_way:
            await self._one_less()

    async def _one_less(self) -> None:
        done, _ = await asyncio.wait(self._under_way.values(), return_when=asyncio.FIRST_COMPLETED)
        self._under_way = {p: task for p, task in self._under_way.items() if task not in done}
        for task in done:
            task.result()


async def _commit(parts: ConsumeParts, batch: Batch, readings: Sequence[Reading[Any]]) -> None:
    try:
        outcomes = await _commit_with_patience(parts, batch, readings)
        parts.on_committed(batch, outcomes)
    finally:
        parts.on_settled(batch)


async def _commit_with_patience(
    parts: ConsumeParts, batch: Batch, readings: Sequence[Reading[Any]]
) -> Sequence[Outcome]:
    is_unsure = False

    async def attempt() -> Sequence[Outcome]:
        # A connection that broke during a commit leaves it open whether it happened. The book
        # answers: whoever moved the position past this batch, its inputs are there.
        nonlocal is_unsure
        if is_unsure and await was_committed(parts.pool, batch):
            return []
        is_unsure = True
        return await commit_batch(parts.pool, parts.intake, batch, readings)

    return await with_patience(attempt, parts.retry_seconds)


def _hear(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        # A batch could not be committed, and nobody may go past it.
        leave_process(repr(error), exit_code_of(error))


def exit_code_of(error: BaseException) -> ExitCode:
    """Return what the process says when it leaves because of `error`."""
    match error:
        case Fenced():
            return ExitCode.FENCED
        case BookGone():
            return ExitCode.DATABASE_GONE
        case LostRecords() | OffsetOutOfRange() | OtherRecords():
            return ExitCode.LOST_RECORDS
        case LogUnreachable():
            return ExitCode.LOG_GONE
        case _:
            return ExitCode.ASSERTION
