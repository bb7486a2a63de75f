"""Appending to Kafka so that what is returned is on the in-sync replicas, once and in order."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    ProducerClosed,
)

from recon_streams.log import aiokafka_untyped as untyped
from recon_streams.log.errors import LogUnreachable, RecordRefused, UnknownTopic
from recon_streams.log.kafka_connection import KafkaConnection, closed, connected
from recon_streams.log.partitioner import partition_of
from recon_streams.log.record import Appended, OutgoingRecord

_LINGER_MILLISECONDS: Final = 1
_BATCH_BYTES_MAX: Final = 256 * 1024
# Above what any topic takes: brokers know their limits, and say so.
_RECORD_BYTES_MAX: Final = 64 * 1024 * 1024
# Errors after which nobody knows what was written, beside those the library calls retriable.
_DOUBTS: Final = (KafkaConnectionError, KafkaTimeoutError, ProducerClosed)


class KafkaWriter:
    """`LogWriter` on Kafka: an idempotent producer that is thrown away at the first doubt.

    A producer that has seen a time-out does not know what was written and must not be asked to
    repeat it; the caller's outbox knows. So a failed append closes the producer, and the next
    append begins with a new one.
    """

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._producer: Any = None
        self._counts: dict[str, int] = {}
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """See `LogWriter.start`."""
        await self._started()

    async def stop(self) -> None:
        """See `LogWriter.stop`."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await closed(producer.stop())

    async def append(self, records: Sequence[OutgoingRecord]) -> list[Appended]:
        """See `LogWriter.append`."""
        producer = await self._started()
        # The library's own limit does not hold for idempotent producers, which try for ever.
        try:
            async with asyncio.timeout(self._connection.request_seconds):
                return await self._append(producer, records)
        except (KafkaError, OSError) as failure:  # a TimeoutError is an OSError
            if producer is self._producer:
                self._producer = None
                await closed(untyped.abandon(producer))
            if _leaves_no_doubt(failure):
                raise RecordRefused({each.topic for each in records}, str(failure)) from failure
            seconds = self._connection.request_seconds
            raise LogUnreachable(self._connection.bootstrap, seconds, repr(failure)) from failure

    async def _append(self, producer: Any, records: Sequence[OutgoingRecord]) -> list[Appended]:  # noqa: ANN401 - aiokafka's producer has no types
        counts = await self._partition_counts(producer, {each.topic for each in records})
        sent = []
        for each in records:
            place = partition_of(each.key, counts[each.topic])
            headers = list(each.headers)
            sent.append(await producer.send(each.topic, each.value, each.key, place, None, headers))
        return [Appended(each.partition, each.offset) for each in await asyncio.gather(*sent)]

    async def _started(self) -> Any:  # noqa: ANN401 - aiokafka's producer has no types
        async with self._starting:
            if self._producer is None:
                self._counts.clear()
                self._producer = await connected(
                    self._connection,
                    self._make,
                    start=lambda producer: producer.start(),
                    stop=lambda producer: producer.stop(),
                )
            return self._producer

    def _make(self) -> Any:  # noqa: ANN401 - aiokafka's producer has no types
        return untyped.producer(
            **self._connection.client_arguments(),
            acks="all",
            enable_idempotence=True,
            linger_ms=_LINGER_MILLISECONDS,
            max_batch_size=_BATCH_BYTES_MAX,
            max_request_size=_RECORD_BYTES_MAX,
        )

    async def _partition_counts(self, producer: Any, topics: set[str]) -> dict[str, int]:  # noqa: ANN401 - aiokafka's producer has no types
        if not topics <= self._counts.keys():
            # All topics are listed: asking for one by name creates it on brokers set to do so.
            cluster = await producer.client.fetch_all_metadata()
            for topic in topics:
                partitions = cluster.partitions_for_topic(topic)
                if partitions is None:
                    raise UnknownTopic(topic)
                self._counts[topic] = len(partitions)
        return self._counts


def _leaves_no_doubt(failure: Exception) -> bool:
    """Return whether the brokers have refused, rather than kept silent."""
    return (
        isinstance(failure, KafkaError)
        and not failure.retriable
        and not isinstance(failure, _DOUBTS)
    )
