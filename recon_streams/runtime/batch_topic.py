"""A Faust channel that carries batches of one input stream: one partition's records at a time."""

import asyncio
from collections.abc import AsyncIterable
from typing import Any, cast

from recon_streams.log.record import Batch, TopicPartition
from recon_streams.runtime.faust_app import ReconApp

# One batch is being committed and one is being read; a third in memory would bring nothing.
DEPTH_MAX = 1


class BatchTopic:
    """Where a source puts batches and an agent takes them.

    `channel` is what `@app.agent` is given. A batch counts as in flight from `offer` until
    `settle`, so that a partition is only given away when nothing of it is under way here.
    """

    def __init__(self, app: ReconApp, name: str) -> None:
        """Make the channel of the stream `name` on `app`."""
        self.name = name
        self.channel: Any = app.channel(maxsize=DEPTH_MAX)
        self._in_flight: dict[TopicPartition, int] = {}
        self._settled = asyncio.Event()

    async def offer(self, batch: Batch) -> None:
        """Hand over `batch`; waits while the agent has not taken the one before."""
        partition = batch.topic_partition
        self._in_flight[partition] = self._in_flight.get(partition, 0) + 1
        try:
            await self.channel.send(value=batch)
        except BaseException:
            self.settle(batch)
            raise

    def settle(self, batch: Batch) -> None:
        """Say that nothing more will be done about `batch`."""
        self._in_flight[batch.topic_partition] -= 1
        self._settled.set()

    def in_flight(self, partition: TopicPartition) -> int:
        """Return how many batches of `partition` were offered and are not settled."""
        return self._in_flight.get(partition, 0)

    async def drained(self, partitions: frozenset[TopicPartition], seconds_max: float) -> bool:
        """Wait until nothing of `partitions` is in flight; return whether that came about."""
        try:
            async with asyncio.timeout(seconds_max):
                while any(self.in_flight(partition) for partition in partitions):
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            return False
        return True


def batches_of(stream: object) -> AsyncIterable[Batch]:
    """Return what an agent on a `BatchTopic` is given, with its type."""
    return cast("AsyncIterable[Batch]", stream)
