"""Fills batch topics from a log: one task per assigned partition, positions from the book."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import structlog

from recon_streams.kernel import faultpoint
from recon_streams.log.errors import PartitionRevoked
from recon_streams.log.port import LogReader
from recon_streams.log.record import TopicPartition
from recon_streams.runtime.batch_topic import BatchTopic

_log = structlog.get_logger()

PositionsOf = Callable[
    [frozenset[TopicPartition], frozenset[TopicPartition]],
    Awaitable[Mapping[TopicPartition, int]],
]

# How long a partition is held back from its next owner so that its batch can commit. Past it the
# compare-and-set decides: one of the two commits, the other is fenced.
_HANDOVER_SECONDS: Final = 5.0


class LogSource:
    """Reads every assigned partition into the batch topic of its stream.

    Implements `AssignmentListener`. The order per partition is kept because one task reads it
    and one agent takes its batches.
    """

    def __init__(
        self,
        reader: LogReader,
        topics: Mapping[str, BatchTopic],
        positions_of: PositionsOf,
        *,
        records_max: int,
        wait_seconds: float,
    ) -> None:
        """Read through `reader`.

        Args:
            reader: A member of the group; started by `start`.
            topics: Topic or alias -> where its batches go.
            positions_of: Says where newly assigned partitions stand, given those kept.
            records_max: Of one batch.
            wait_seconds: How long a fetch may wait at the end of the log.
        """
        self._reader = reader
        self._topics = topics
        self._positions_of = positions_of
        self._records_max = records_max
        self._wait_seconds = wait_seconds
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.settled: dict[TopicPartition, int] = {}
        self.rebalances = 0

    async def start(self) -> None:
        """Join the group."""
        await self._reader.start(tuple(self._topics), self)

    async def run(self) -> None:
        """Return never; raise what reading died of."""
        watching = asyncio.create_task(self._reader.watch())
        done, _ = await asyncio.wait({watching, self._failed}, return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        for finished in done:
            finished.result()

    async def stop(self) -> None:
        """Stop reading, let what is under way commit, leave the group."""
        await self._let_go(frozenset(self._tasks))
        await self._reader.stop()

    @property
    def assigned(self) -> frozenset[TopicPartition]:
        """The partitions that are being read."""
        return frozenset(self._tasks)

    def lag(self) -> dict[TopicPartition, int]:
        """Return how many offsets each assigned partition is behind its last known end."""
        ends = {partition: self._reader.known_end(partition) for partition in self._tasks}
        return {
            partition: max(0, end - self.settled.get(partition, end))
            for partition, end in ends.items()
            if end is not None
        }

    def note_settled(self, partition: TopicPartition, next_offset: int) -> None:
        """Note that everything of `partition` before `next_offset` is in the book."""
        if partition in self.settled:
            self.settled[partition] = next_offset

    async def on_assigned(
        self, partitions: frozenset[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """Take over `partitions` where the book stands."""
        self.rebalances += 1
        positions = dict(await self._positions_of(partitions, frozenset(self._tasks)))
        self.settled.update(positions)
        for partition in partitions:
            self._tasks[partition] = asyncio.create_task(self._read(partition))
            self._tasks[partition].add_done_callback(self._hear)
        _log.info("partitions_assigned", count=len(partitions))
        return positions

    async def on_revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """Let go of `partitions` once nothing of them is under way."""
        self.rebalances += 1
        await self._let_go(partitions)
        _log.info("partitions_revoked", count=len(partitions))

    async def _read(self, partition: TopicPartition) -> None:
        topic = self._topics[partition.topic]
        # The reader lets a partition be fetched only once this assignment is through.
        while partition not in self._reader.assignment:  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(0.01)
        while True:
            try:
                batch = await self._reader.fetch(
                    partition, records_max=self._records_max, wait_seconds=self._wait_seconds
                )
            except PartitionRevoked:
                return
            if batch is None:
                continue
            faultpoint.hit("after_fetch")
            await topic.offer(batch)

    async def _let_go(self, partitions: frozenset[TopicPartition]) -> None:
        tasks = [self._tasks.pop(p) for p in partitions if p in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for topic in set(self._topics.values()):
            await topic.drained(partitions, _HANDOVER_SECONDS)
        for partition in partitions:
            self.settled.pop(partition, None)

    def _hear(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._failed.done():
            self._failed.set_exception(error)


def routes(names: Sequence[BatchTopic], aliases: Mapping[str, str]) -> dict[str, BatchTopic]:
    """Return topic -> batch topic, each stream under its own name and its aliases."""
    by_name = {topic.name: topic for topic in names}
    found = dict(by_name)
    found.update({alias: by_name[name] for alias, name in aliases.items()})
    return found
