"""Group reading on Kafka: seek to the book's position, deliver in order, prove every hole.

The client library is kept on a short lead. It commits nothing by itself, resets no position by
itself, and what it fetched before a seek or after a revocation is never delivered.
"""

import asyncio
import contextlib
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from recon_streams.log import aiokafka_untyped as untyped
from recon_streams.log.errors import LogUnreachable, OffsetOutOfRange, PartitionRevoked
from recon_streams.log.gaps import holes
from recon_streams.log.kafka_connection import KafkaConnection, closed, connected
from recon_streams.log.kafka_group import GroupPlan, HeldPartition, Rebalances
from recon_streams.log.kafka_records import records_from
from recon_streams.log.port import AssignmentListener, LogProbe
from recon_streams.log.record import Batch, ProvenGap, Record, TopicPartition

_BACKGROUND_SECONDS: Final = 1.0
_ADVICE_SECONDS_MAX: Final = 5.0
# Beyond the wait that was asked for: the library lets a call sleep through a rebalance.
_FETCH_GRACE_SECONDS: Final = 0.5


class KafkaReader:
    """`LogReader` on Kafka.

    Attributes:
        advice_failures: How often an advisory commit failed; harmless, shown as a metric.
    """

    def __init__(self, connection: KafkaConnection, plan: GroupPlan, probe: LogProbe) -> None:
        self._connection = connection
        self._plan = plan
        self._probe = probe
        self._consumer: Any = None
        self._listener: AssignmentListener | None = None
        self._held: dict[TopicPartition, HeldPartition] = {}
        self._advice: dict[TopicPartition, int] = {}
        self._failure: BaseException | None = None
        self._attending: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()
        self.advice_failures = 0

    async def start(self, topics: Sequence[str], listener: AssignmentListener) -> None:
        """See `LogReader.start`."""
        # First, because a subscription to an unknown topic waits for ever without a word.
        await self._probe.partitions(topics)
        self._listener = listener
        self._consumer = await connected(
            self._connection,
            self._make,
            start=lambda consumer: consumer.start(),
            stop=lambda consumer: consumer.stop(),
        )
        self._consumer.subscribe(topics=list(topics), listener=Rebalances(self))
        self._attending = asyncio.create_task(self._attend(), name="kafka log member")

    def _make(self) -> Any:  # noqa: ANN401 - aiokafka's consumer has no types
        plan = self._plan
        return untyped.consumer(
            **self._connection.client_arguments(),
            group_id=plan.group,
            group_instance_id=plan.instance_id,
            enable_auto_commit=False,
            # Any position that the library would choose by itself is a wrong one.
            auto_offset_reset="none",
            # The ticks of an account are decided beside its rolling position.
            partition_assignment_strategy=untyped.ASSIGNORS,
            isolation_level="read_committed",
            session_timeout_ms=round(plan.session_seconds * 1000),
            heartbeat_interval_ms=round(plan.heartbeat_seconds * 1000),
            rebalance_timeout_ms=round(plan.rebalance_seconds * 1000),
            max_poll_interval_ms=round(plan.poll_seconds_max * 1000),
            max_partition_fetch_bytes=plan.partition_bytes_max,
            fetch_max_wait_ms=round(plan.hold_seconds * 1000),
        )

    async def stop(self) -> None:
        """See `LogReader.stop`."""
        self._stopped.set()
        self._let_go(list(self._held))
        attending, self._attending = self._attending, None
        if attending is not None:
            attending.cancel()
            await asyncio.wait([attending])
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await closed(consumer.stop())

    async def watch(self) -> None:
        """See `LogReader.watch`."""
        if self._attending is not None:
            await asyncio.wait([self._attending])
        self._raise_failure()

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        """See `LogReader.assignment`."""
        return frozenset(self._held)

    async def fetch(
        self, partition: TopicPartition, *, records_max: int, wait_seconds: float
    ) -> Batch | None:
        """See `LogReader.fetch`."""
        held = self._holding(partition)
        first = held.position
        delivered = False
        try:
            records, until = await self._read(partition, held, records_max, wait_seconds)
            if until == first:
                delivered = True  # nothing was taken out
                self._check_silence(partition, held)
                return None
            gaps = await self._proven(partition, first, until, [each.offset for each in records])
            self._still(partition, held)
            delivered = True
        except OffsetOutOfRangeError as refused:
            (start,) = (await self._probe.start_offsets([partition])).values()
            (end,) = (await self._probe.end_offsets([partition])).values()
            raise OffsetOutOfRange(partition, first, start=start, end=end) from refused
        finally:
            # Whatever stopped us, records that were taken out and not delivered come again.
            if not delivered and self._held.get(partition) is held:
                self._consumer.seek(held.theirs, first)
        held.position = until
        held.heard_at = time.monotonic()
        return Batch(*partition, first, until, records, gaps)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """See `LogReader.seek`."""
        held = self._holding(partition)
        held.position = offset
        self._consumer.seek(held.theirs, offset)

    def advise(self, partition: TopicPartition, next_offset: int) -> None:
        """See `LogReader.advise`: a commit of Kafka's group offset, at most once a second."""
        self._advice[partition] = next_offset

    def known_end(self, partition: TopicPartition) -> int | None:
        """See `LogReader.known_end`: the last stable offset."""
        end = self._consumer.last_stable_offset(self._holding(partition).theirs)
        return None if end is None or end < 0 else int(end)

    async def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Ask the listener for positions and seek; called by the client library."""
        if self._stopped.is_set() or not partitions:
            return
        assert self._listener is not None, "assigned before started"
        positions = dict(await self._listener.on_assigned(frozenset(partitions)))
        without = [each for each in partitions if each not in positions]
        positions.update(await self._probe.start_offsets(without))
        for partition in partitions:
            held = HeldPartition(partition, positions[partition])
            self._consumer.seek(held.theirs, held.position)
            self._held[partition] = held

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Stop fetching and tell the listener; called by the client library."""
        mine = frozenset(each for each in partitions if each in self._held)
        self._let_go(mine)
        if mine and not self._stopped.is_set():
            assert self._listener is not None, "revoked before started"
            await self._listener.on_revoked(mine)

    def failed(self, failure: BaseException) -> None:
        """Keep what a callback died of, because the client library only logs it."""
        self._failure = self._failure or failure
        self._let_go(list(self._held))

    def _let_go(self, partitions: Collection[TopicPartition]) -> None:
        for partition in partitions:
            held = self._held.pop(partition)
            self._advice.pop(partition, None)
            if held.fetching is not None:
                held.fetching.cancel()

    def _holding(self, partition: TopicPartition) -> HeldPartition:
        self._raise_failure()
        held = self._held.get(partition)
        if held is None:
            raise PartitionRevoked(partition)
        return held

    def _still(self, partition: TopicPartition, held: HeldPartition) -> None:
        if self._holding(partition) is not held:
            raise PartitionRevoked(partition)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _read(
        self, partition: TopicPartition, held: HeldPartition, records_max: int, wait_seconds: float
    ) -> tuple[tuple[Record, ...], int]:
        """Return the records that follow, and the position after them."""
        try:
            found = await self._fetched(held, records_max, wait_seconds)
        except UnicodeDecodeError:
            # The name of a header is no UTF-8. The brokers take that; the library reads nothing of
            # the batch it stands in, so the second reader has to.
            records = await self._read_otherwise(partition, held.position, records_max)
            self._still(partition, held)
            until = records[-1].offset + 1
            self._consumer.seek(held.theirs, until)
            return records, until
        self._still(partition, held)
        # Fetched without records, the position still moves past control records.
        return records_from(partition, found), await self._consumer.position(held.theirs)

    async def _read_otherwise(
        self, partition: TopicPartition, first: int, records_max: int
    ) -> tuple[Record, ...]:
        (end,) = (await self._probe.end_offsets([partition])).values()
        records: list[Record] = []
        room = self._plan.partition_bytes_max
        async for record in self._probe.read(partition, first, end):
            records.append(record)
            room -= len(record.value or b"")
            if len(records) >= records_max or room <= 0:
                break
        assert records, f"{partition} has a record at or after {first} that could not be read"
        return tuple(records)

    async def _fetched(
        self, held: HeldPartition, records_max: int, wait_seconds: float
    ) -> Sequence[Any]:
        """Return the client library's records, none if the wait or the assignment ends first."""
        held.fetching = asyncio.ensure_future(
            self._consumer.getmany(
                held.theirs, timeout_ms=round(wait_seconds * 1000), max_records=records_max
            )
        )
        try:
            await asyncio.wait([held.fetching], timeout=wait_seconds + _FETCH_GRACE_SECONDS)
            if not held.fetching.done() or held.fetching.cancelled():
                return ()
            found: Mapping[Any, Sequence[Any]] = held.fetching.result()
            return found.get(held.theirs, ())
        finally:
            held.fetching.cancel()
            held.fetching = None

    async def _proven(
        self, partition: TopicPartition, first: int, until: int, offsets: Sequence[int]
    ) -> tuple[ProvenGap, ...]:
        proven: list[ProvenGap] = []
        for hole in holes(first, until, offsets):
            proven += await self._probe.prove_gap(partition, *hole)
        return tuple(proven)

    def _check_silence(self, partition: TopicPartition, held: HeldPartition) -> None:
        """Raise if brokers have stopped answering; the client library would try for ever."""
        mark = self._consumer.last_poll_timestamp(held.theirs)
        now = time.monotonic()
        if mark != held.heard_mark:
            held.heard_mark, held.heard_at = mark, now
        elif now - held.heard_at > self._plan.silence_seconds_max:
            silent = now - held.heard_at
            raise LogUnreachable(self._connection.bootstrap, silent, f"reading {partition}")

    async def _attend(self) -> None:
        try:
            while not self._stopped.is_set() and self._failure is None:
                if not self._held:
                    await self._show_presence()
                await self._commit_advice()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), _BACKGROUND_SECONDS)
        except BaseException as failure:
            if not self._stopped.is_set():
                self.failed(failure)
            raise

    async def _show_presence(self) -> None:
        # A member without partitions never fetches, which the library takes for being stuck. A
        # fetch of nothing tells it otherwise, and brings out what its background tasks died of.
        nothing = untyped.kafka_partition("", 0)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._consumer.getmany(nothing), _BACKGROUND_SECONDS)

    async def _commit_advice(self) -> None:
        advice, self._advice = self._advice, {}
        offsets = {
            held.theirs: offset
            for partition, offset in advice.items()
            if (held := self._held.get(partition)) is not None
        }
        if not offsets:
            return
        try:
            await asyncio.wait_for(self._consumer.commit(offsets), _ADVICE_SECONDS_MAX)
        except (KafkaError, TimeoutError):
            self.advice_failures += 1
