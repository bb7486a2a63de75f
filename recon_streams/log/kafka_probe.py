"""The second reader on Kafka: raw fetches, so that it shares no code with the first one."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Final, NamedTuple

from aiokafka.errors import OffsetOutOfRangeError
from msgspec.structs import replace

from recon_streams.log import aiokafka_untyped as untyped
from recon_streams.log.errors import LogUnreachable, LostRecords, OffsetOutOfRange
from recon_streams.log.gaps import SecondReading, classify
from recon_streams.log.kafka_admin import is_compacted
from recon_streams.log.kafka_broker import KafkaBroker
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.kafka_records import records_from
from recon_streams.log.record import GapCause, ProvenGap, Record, TopicPartition

_EMPTY_FETCHES_MAX: Final = 20


class _Stretch(NamedTuple):
    """Offsets of one stored record batch that are inside the wanted range."""

    first: int
    until: int
    cause: GapCause | None  # None: ordinary records, those in `found`
    found: Sequence[Any]


class KafkaProbe:
    """`LogProbe` on Kafka."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._broker = KafkaBroker(connection)

    async def start(self) -> None:
        """See `LogProbe.start`."""
        await self._broker.start()

    async def stop(self) -> None:
        """See `LogProbe.stop`."""
        await self._broker.stop()

    async def log_identity(self) -> str:
        """See `LogProbe.log_identity`: the cluster id."""
        return await self._broker.cluster_id()

    async def partitions(self, topics: Sequence[str]) -> frozenset[TopicPartition]:
        """See `LogProbe.partitions`."""
        return await self._broker.partitions(topics)

    async def start_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """See `LogProbe.start_offsets`."""
        return {each: await self._broker.start_offset(each) for each in partitions}

    async def end_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """See `LogProbe.end_offsets`: the last stable offsets."""
        return {each: await self._broker.end_offset(each) for each in partitions}

    async def appended_ends(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """See `LogProbe.appended_ends`: the high watermarks, beyond open transactions too."""
        return await self._broker.high_watermarks(partitions)

    async def read(
        self, partition: TopicPartition, first: int, until: int
    ) -> AsyncIterator[Record]:
        """See `LogProbe.read`."""
        start = await self._broker.start_offset(partition)
        end = await self._broker.end_offset(partition)
        if first < start or until > end:
            wanted = first if first < start else until
            raise OffsetOutOfRange(partition, wanted, start=start, end=end)
        async for stretch in self._scan(partition, first, until):
            for record in records_from(partition, stretch.found):
                yield record

    async def read_latest(self, topic: str) -> dict[bytes, Record]:
        """See `LogProbe.read_latest`."""
        latest: dict[bytes, Record] = {}
        for partition in sorted(await self.partitions([topic])):
            start = await self._broker.start_offset(partition)
            end = await self._broker.end_offset(partition)
            async for record in self.read(partition, start, end):
                if record.key is None:
                    continue
                if record.value is None:
                    latest.pop(record.key, None)
                else:
                    latest[record.key] = record
        return latest

    async def prove_gap(
        self, partition: TopicPartition, first: int, until: int
    ) -> tuple[ProvenGap, ...]:
        """See `LogProbe.prove_gap`."""
        start = await self._broker.start_offset(partition)
        passed = first
        delivered: list[int] = []
        explained: list[ProvenGap] = []
        if start < until:
            async for stretch in self._scan(partition, max(first, start), until):
                passed = stretch.until
                delivered += [each.offset for each in stretch.found]
                if stretch.cause is not None:
                    explained.append(ProvenGap(stretch.first, stretch.until, stretch.cause))
        reading = SecondReading(
            start_offset=start, passed=passed, delivered=delivered, explained=explained
        )
        try:
            return classify(partition, first, until, reading=reading)
        except LostRecords as lost:
            # Asked only now, because control records explain nearly every hole and the policy is
            # a question to the brokers of its own.
            if lost.offsets or not await is_compacted(self._connection, partition.topic):
                raise
        return classify(partition, first, until, reading=replace(reading, is_compacted=True))

    async def _scan(
        self, partition: TopicPartition, first: int, until: int
    ) -> AsyncIterator[_Stretch]:
        """Yield what every stored batch of [first, until) holds; the last one reaches `until`.

        Records of batches are cut to the range. A range that a fetch finds empty although the log
        goes on is asked for again a few times: a new leader may not know its end yet.
        """
        empty = 0
        while first < until:
            try:
                aborted, raw = await self._broker.fetch(partition, first)
            except OffsetOutOfRangeError as refused:
                start = await self._broker.start_offset(partition)
                end = await self._broker.end_offset(partition)
                raise OffsetOutOfRange(partition, first, start=start, end=end) from refused
            before = first
            for stretch in _stretches(raw, aborted):
                if stretch.until <= first:
                    continue
                if first >= until:
                    return
                found = [each for each in stretch.found if first <= each.offset < until]
                yield _Stretch(max(first, stretch.first), stretch.until, stretch.cause, found)
                first = stretch.until
            empty = empty + 1 if first == before else 0
            if empty > _EMPTY_FETCHES_MAX:
                raise LogUnreachable(
                    self._connection.bootstrap, 0, f"{partition} ends at {first}, not at {until}"
                )


def _stretches(raw: bytes, aborted: Sequence[tuple[int, int]]) -> list[_Stretch]:
    """Return what each record batch in `raw` is, judged by its own header and the abort list."""
    pending = sorted(aborted, key=lambda each: each[1])
    rolled_back: set[int] = set()
    found: list[_Stretch] = []
    batches = untyped.memory_records(raw)
    ends = 0
    while batches.has_next():
        batch = batches.next_batch()
        begins, ends = ends, ends + untyped.stored_bytes(raw, ends)
        assert batch.validate_crc(), f"the batch at {batch.base_offset} fails its checksum"
        while pending and pending[0][1] <= batch.base_offset:
            rolled_back.add(pending.pop(0)[0])
        span = batch.base_offset, batch.next_offset
        if batch.is_control_batch:
            if untyped.is_abort_marker(batch):
                rolled_back.discard(batch.producer_id)
            found.append(_Stretch(*span, GapCause.CONTROL, ()))
        elif batch.is_transactional and batch.producer_id in rolled_back:
            found.append(_Stretch(*span, GapCause.ABORTED, ()))
        else:
            records = untyped.records_of(batch, raw[begins:ends])
            found.append(_Stretch(*span, None, records))
    return found
