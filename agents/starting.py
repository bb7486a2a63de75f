"""Where newly assigned partitions are read from: inputs at the book's position, news at the end."""

import asyncio
from collections.abc import Mapping

from agents import rolling_positions
from agents.parts import WorkerParts
from agents.patience import with_patience
from recon_streams.book.continuity import check_continuity
from recon_streams.book.streams import open_positions
from recon_streams.log.record import TopicPartition


class Starting:
    """Answers a source that was assigned partitions, and fills the rolling table beside it."""

    def __init__(self, parts: WorkerParts, table: rolling_positions.RollingTable) -> None:
        """Answer from the book of `parts`; fill `table`."""
        self._parts = parts
        self._table = table
        self.restoring: asyncio.Task[int] | None = None
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def watch(self) -> None:
        """Return never; raise what filling the table died of, as a table half full looks whole."""
        await self._failed

    async def positions_of(
        self, assigned: frozenset[TopicPartition], kept: frozenset[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """Return the next offset of each partition of `assigned`; `kept` ones were ours before."""
        rolling = {p for p in assigned if p.topic == rolling_positions.TOPIC}
        starts = await self._parts.probe.start_offsets(assigned - rolling)
        found = dict(
            await with_patience(
                lambda: open_positions(self._parts.pool, starts), self._parts.retry_seconds
            )
        )
        await with_patience(
            lambda: check_continuity(self._parts.pool, self._parts.probe, starts),
            self._parts.retry_seconds,
        )
        if rolling:
            # The ends are asked for before the book is read, so nothing falls between the two.
            found |= await self._parts.probe.end_offsets(rolling)
            owned = {p.partition for p in assigned | kept if p.topic == rolling_positions.TOPIC}
            self._restore(frozenset(owned))
        return found

    def _restore(self, owned: frozenset[int]) -> None:
        if self.restoring is not None:
            self.restoring.cancel()

        async def work() -> int:
            partitions = len(await self._parts.probe.partitions([rolling_positions.TOPIC]))
            return await with_patience(
                lambda: rolling_positions.restore(self._parts.pool, self._table, owned, partitions),
                self._parts.retry_seconds,
            )

        self.restoring = asyncio.create_task(work())
        self.restoring.add_done_callback(self._hear)

    def _hear(self, task: "asyncio.Task[int]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._failed.done():
            self._failed.set_exception(error)
