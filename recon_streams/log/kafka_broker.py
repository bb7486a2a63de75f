"""Questions put straight to brokers, below the client library's consumer.

The second reader must not share the first one's mistakes, so it builds on single requests and
their answers alone: metadata, first and last offsets, and raw fetches.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final, TypeVar

from aiokafka import errors as kafka_errors

from recon_streams.log import aiokafka_untyped as untyped
from recon_streams.log.errors import LogUnreachable, UnknownTopic
from recon_streams.log.kafka_connection import KafkaConnection, closed, connected
from recon_streams.log.record import TopicPartition

_READ_UNCOMMITTED: Final = 0
_READ_COMMITTED: Final = 1
_EARLIEST: Final = -2
_LATEST: Final = -1
_RETRY_SECONDS: Final = 0.1
_FETCH_WAIT_MILLISECONDS: Final = 250
# A leader that was deposed and does not know says that nothing is new. Who leads is asked anew
# beside everything else, so that a broker that keeps silent about it holds nothing up.
_METADATA_MILLISECONDS_MAX: Final = 5_000
_FETCH_BYTES_MAX: Final = 4 * 1024 * 1024

Answer = TypeVar("Answer")


class KafkaBroker:
    """A connection for single questions. Every method raises `LogUnreachable` past its bound."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._client: Any = None

    async def start(self) -> None:
        """Connect."""
        self._client = await connected(
            self._connection,
            lambda: untyped.client(
                **self._connection.client_arguments(),
                metadata_max_age_ms=_METADATA_MILLISECONDS_MAX,
            ),
            start=lambda client: client.bootstrap(),
            stop=lambda client: client.close(),
        )

    async def stop(self) -> None:
        """Close the connections. Idempotent."""
        client, self._client = self._client, None
        if client is not None:
            await closed(client.close())

    async def cluster_id(self) -> str:
        """Return the id that the cluster was formatted with."""

        async def ask() -> str:
            # No topics: naming one would create it on brokers that create topics by use.
            answer = await self._client.send(
                self._client.get_random_node(), untyped.metadata_request([])
            )
            return str(answer.cluster_id)

        return await self._retried(ask)

    async def partitions(self, topics: Collection[str]) -> frozenset[TopicPartition]:
        """Return all partitions of `topics`. Raises `UnknownTopic`."""
        cluster = await self._retried(self._client.fetch_all_metadata)
        found = {topic: cluster.partitions_for_topic(topic) for topic in topics}
        for topic, numbers in found.items():
            if numbers is None:
                raise UnknownTopic(topic)
        return frozenset(TopicPartition(topic, n) for topic in topics for n in found[topic])

    async def start_offset(self, partition: TopicPartition) -> int:
        """Return the first offset that the log still has."""
        return await self._offset(partition, _EARLIEST)

    async def end_offset(self, partition: TopicPartition) -> int:
        """Return the last stable offset: the one after the last readable record."""
        return await self._offset(partition, _LATEST)

    async def high_watermarks(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Return the offset after the last replicated record of each: one question per leader."""

        async def ask() -> dict[TopicPartition, int]:
            by_leader: dict[int, list[TopicPartition]] = defaultdict(list)
            for partition in partitions:
                by_leader[await self._leader(partition)].append(partition)
            answers = await asyncio.gather(
                *(self._watermarks_at(leader, theirs) for leader, theirs in by_leader.items())
            )
            return {partition: end for answer in answers for partition, end in answer}

        return await self._retried(ask)

    async def fetch(
        self, partition: TopicPartition, offset: int
    ) -> tuple[list[tuple[int, int]], bytes]:
        """Return the raw record batches from `offset` on, and the aborted transactions in them.

        The aborted ones are pairs of producer id and first offset. The batch that contains
        `offset` comes whole, so it may begin below. Only what is below open transactions comes.

        Raises:
            OffsetOutOfRangeError: aiokafka's; below the log start or beyond the end.
        """
        wanted = [(partition.topic, [(partition.partition, offset, _FETCH_BYTES_MAX)])]
        request = untyped.fetch_request(
            _FETCH_WAIT_MILLISECONDS, 1, _FETCH_BYTES_MAX, _READ_COMMITTED, wanted
        )
        answer = await self._from_leader(partition, request)
        # The fields between the high watermark and the last two grow with the protocol version;
        # from version 11 on a preferred replica stands before the records.
        aborted = answer[-3] if isinstance(answer[-2], int) else answer[-2]
        return list(aborted or ()), bytes(answer[-1] or b"")

    async def _offset(self, partition: TopicPartition, time: int) -> int:
        wanted = [(partition.topic, [(partition.partition, time)])]
        answer = await self._from_leader(
            partition, untyped.offset_request(-1, _READ_COMMITTED, wanted)
        )
        return int(answer[3])

    async def _watermarks_at(
        self, leader: int, partitions: Sequence[TopicPartition]
    ) -> list[tuple[TopicPartition, int]]:
        wanted: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for topic, number in partitions:
            wanted[topic].append((number, _LATEST))
        request = untyped.offset_request(-1, _READ_UNCOMMITTED, list(wanted.items()))
        answer = await self._client.send(leader, request)
        found = []
        for topic, parts in answer.topics:
            for number, error, _, end, *_ in parts:
                if error:
                    raise kafka_errors.for_code(error)(topic, number)
                found.append((TopicPartition(topic, number), int(end)))
        return found

    async def _from_leader(self, partition: TopicPartition, request: object) -> Sequence[Any]:
        """Return the part of the leader's answer that is about `partition`."""

        async def ask() -> Sequence[Any]:
            leader = await self._leader(partition)
            answer = await self._client.send(leader, request)
            ((_, (found,)),) = answer.topics
            if found[1]:
                raise kafka_errors.for_code(found[1])(partition)
            return tuple(found)

        return await self._retried(ask)

    async def _leader(self, partition: TopicPartition) -> int:
        theirs = untyped.kafka_partition(*partition)
        if self._client.cluster.leader_for_partition(theirs) is None:
            await self._client.add_topic(partition.topic)
        leader = self._client.cluster.leader_for_partition(theirs)
        if leader is None or leader == -1:
            raise kafka_errors.LeaderNotAvailableError(partition)
        return int(leader)

    async def _retried(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        last: object = None
        try:
            async with asyncio.timeout(self._connection.request_seconds):
                while True:
                    try:
                        return await ask()
                    except kafka_errors.KafkaError as failure:
                        if not failure.retriable:
                            raise
                        last = repr(failure)
                    await self._client.force_metadata_update()
                    await asyncio.sleep(_RETRY_SECONDS)
        except TimeoutError as expired:
            raise LogUnreachable(
                self._connection.bootstrap, self._connection.request_seconds, str(last)
            ) from expired
