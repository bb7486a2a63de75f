"""Breaker records on Kafka: one consumer without a group, one producer for acknowledgements."""

import asyncio
from typing import Any, Final

import aiokafka
from aiokafka.errors import KafkaError

from recon_streams.client.records import LogRecord
from recon_streams.client_drivers.port import Look, now_ms

_AIOKAFKA: Final[Any] = aiokafka  # its annotations are only half there
_REQUEST_SECONDS: Final = 5.0
_WAIT_MS: Final = 100


class KafkaBreakerLog:
    """`BreakerLog` on Kafka; `options` are what aiokafka's clients take, and other topics' names.

    It reads without waiting for transactions to end. Records are proved by their own signatures
    and numbers, and behind a transaction that somebody left open the end of the log would seem to
    stand still: what is read in the end would look younger than it is.
    """

    UNREACHABLE: tuple[type[Exception], ...] = (KafkaError, OSError)

    def __init__(self, bootstrap: str, **options: Any) -> None:  # noqa: ANN401 - aiokafka's own
        self._partition = _AIOKAFKA.TopicPartition(options.pop("topic", "recon.breaker"), 0)
        self._acks_topic = options.pop("acks_topic", "recon.breaker.acks")
        limits = {"request_timeout_ms": 5_000, "metadata_max_age_ms": 5_000}
        self._options = {"bootstrap_servers": bootstrap, **limits, **options}
        self._consumer: Any = None
        self._producer: Any = None
        self._leader: object = None

    async def open(self) -> None:
        """See `BreakerLog.open`."""
        self._leader = None
        own = {"auto_offset_reset": "none", "enable_auto_commit": False}
        # Whatever the options say: behind an open transaction the end would seem to stand still.
        own["isolation_level"] = "read_uncommitted"
        self._consumer = _AIOKAFKA.AIOKafkaConsumer(**{**self._options, **own})
        self._consumer.assign([self._partition])
        await asyncio.wait_for(self._consumer.start(), _REQUEST_SECONDS)

    async def look(self, first: int) -> Look:
        """See `BreakerLog.look`."""
        consumer, here = self._consumer, self._partition
        async with asyncio.timeout(_REQUEST_SECONDS):
            asked_at_ms, leaders = now_ms(), {self._leader, self._leader_now()}
            end = (await consumer.end_offsets([here]))[here]
            if first == 0 or self._leader is None:
                start = (await consumer.beginning_offsets([here]))[here]
                consumer.seek(here, max(first, start))
            # Where the log has been cut off beyond our place, or is another one and shorter, this
            # raises `OffsetOutOfRangeError`: what we have missed we can only learn from its start.
            found = await consumer.getmany(here, timeout_ms=_WAIT_MS)
            next_offset = await consumer.position(here)
        self._leader = self._leader_now()
        # A leader that was deposed and does not know would say that nothing is new.
        is_sure = leaders == {self._leader}
        records = [LogRecord(r.offset, r.key, r.value, r.headers) for r in found.get(here, ())]
        return Look(asked_at_ms, end if is_sure else None, records, next_offset)

    async def acknowledge(self, client_id: str, value: bytes) -> None:
        """See `BreakerLog.acknowledge`."""
        async with asyncio.timeout(_REQUEST_SECONDS):
            if self._producer is None:
                producer = _AIOKAFKA.AIOKafkaProducer(acks="all", **self._options)
                try:
                    await producer.start()
                except BaseException:
                    await _end(producer)
                    raise
                self._producer = producer
            await self._producer.send_and_wait(self._acks_topic, value, client_id.encode())

    async def close(self) -> None:
        """See `BreakerLog.close`."""
        clients = [each for each in (self._consumer, self._producer) if each is not None]
        self._consumer = self._producer = None
        await _end(*clients)

    def _leader_now(self) -> object:
        cluster = self._consumer._client.cluster  # noqa: SLF001 - there is no public way
        return cluster.leader_for_partition(self._partition)


async def _end(*clients: Any) -> None:  # noqa: ANN401 - aiokafka's own
    """End clients in tasks of their own: one that ends may cancel parts of itself, and so us."""
    ends = [asyncio.create_task(each.stop()) for each in clients]
    if ends:
        await asyncio.wait(ends, timeout=_REQUEST_SECONDS)
    for end in ends:
        end.cancel() or end.cancelled() or end.exception()
