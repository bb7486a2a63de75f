"""Group reading on Postgres: as much like a Kafka group as its users can tell."""

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import Any, Final

import asyncpg
import msgspec

from recon_streams.log.errors import (
    LogUnreachable,
    OffsetOutOfRange,
    PartitionRevoked,
    UnknownTopic,
)
from recon_streams.log.gaps import holes
from recon_streams.log.port import AssignmentListener, LogProbe
from recon_streams.log.postgres_member import MemberSession
from recon_streams.log.postgres_topics import READ, UNREACHABLE, KnownTopics, records_from
from recon_streams.log.record import Batch, ProvenGap, TopicPartition

_RETRY_SECONDS: Final = 0.25


class PostgresGroupPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How one member of a group behaves.

    Attributes:
        group: Name of the group.
        poll_seconds: How often freed partitions and unannounced ends are looked for.
        session_seconds: After this silence the server takes our partitions away.
        silence_seconds_max: The server was away for this long: give up.
        batch_bytes_max: How many bytes of values one fetch brings; one record may exceed it.
    """

    group: str
    poll_seconds: float = 1.0
    session_seconds: float = 10.0
    silence_seconds_max: float = 60.0
    batch_bytes_max: int = 8 * 1024 * 1024


class _Held:
    """One assigned partition: made at assignment, dropped at revocation, never reused."""

    def __init__(self, topic_id: int, position: int, end: int) -> None:
        self.topic_id = topic_id
        self.position = position
        self.end = end
        self.changed = asyncio.Event()


class PostgresReader:
    """`LogReader` on Postgres. The pool is the caller's; one of its connections is kept busy."""

    def __init__(self, pool: asyncpg.Pool, plan: PostgresGroupPlan, probe: LogProbe) -> None:
        self._pool = pool
        self._plan = plan
        self._probe = probe
        self._topics = KnownTopics()
        self._names: tuple[str, ...] = ()
        self._listener: AssignmentListener | None = None
        self._held: dict[TopicPartition, _Held] = {}
        self._attending: asyncio.Task[None] | None = None

    async def start(self, topics: Sequence[str], listener: AssignmentListener) -> None:
        """See `LogReader.start`."""
        try:
            await self._topics.of(self._pool, topics)
        except UNREACHABLE as failure:
            raise LogUnreachable("the log in Postgres", 0, repr(failure)) from failure
        self._names, self._listener = tuple(topics), listener
        self._attending = asyncio.create_task(self._attend(), name="postgres log member")

    async def stop(self) -> None:
        """See `LogReader.stop`."""
        self._let_go()
        attending, self._attending = self._attending, None
        if attending is not None:
            attending.cancel()
            await asyncio.wait([attending])

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
        deadline = time.monotonic() + wait_seconds
        while held.end == held.position:
            held.changed.clear()
            try:
                left = deadline - time.monotonic()
                await asyncio.wait_for(held.changed.wait(), max(0, left))
            except TimeoutError:
                self._still(partition, held)
                return None
            self._still(partition, held)
        first, said = held.position, held.end
        rows = await self._rows(partition, held, records_max)
        self._still(partition, held)
        if rows is None:
            # The server is away. The member session notices too, and has the time limit.
            await asyncio.sleep(max(0, min(_RETRY_SECONDS, deadline - time.monotonic())))
            return None
        start, end = rows[0]["start_off"], rows[0]["next_off"]
        # Anybody may notify of any end. What was said before we looked is no more than a hint.
        held.end = end if held.end == said else max(held.end, end)
        if first < start or first > end:
            raise OffsetOutOfRange(partition, first, start=start, end=end)
        records = records_from(partition, rows)
        until = records[-1].offset + 1 if records else int(end)
        gaps: list[ProvenGap] = []
        for hole in holes(first, until, [each.offset for each in records]):
            gaps += await self._probe.prove_gap(partition, *hole)
        self._still(partition, held)
        held.position = until
        return Batch(*partition, first, until, records, tuple(gaps))

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """See `LogReader.seek`."""
        held = self._holding(partition)
        held.position = offset
        held.changed.set()

    def advise(self, partition: TopicPartition, next_offset: int) -> None:
        """See `LogReader.advise`: nothing to do, displays read the book in the same database."""

    def known_end(self, partition: TopicPartition) -> int | None:
        """See `LogReader.known_end`."""
        return self._holding(partition).end

    async def _rows(
        self, partition: TopicPartition, held: _Held, records_max: int
    ) -> Sequence[Any] | None:
        """Return the rows of `READ`, at least one, or None while the server is away."""
        limits = records_max, self._plan.batch_bytes_max
        number = partition.partition
        try:
            rows = await self._pool.fetch(READ, held.topic_id, number, held.position, *limits)
        except UNREACHABLE:
            return None
        if not rows:
            raise UnknownTopic(partition.topic)
        return rows

    async def _attend(self) -> None:
        """Be a member for as long as the server is away no longer than the bound."""
        away_since = time.monotonic()
        while True:
            session = None
            try:
                session = await MemberSession.open(
                    self._pool,
                    self._names,
                    self._heard,
                    session_seconds=self._plan.session_seconds,
                )
                while not session.ended.is_set():
                    await self._turn(session)
                    away_since = time.monotonic()
            except (*UNREACHABLE, LogUnreachable) as failure:
                away = time.monotonic() - away_since
                if away > self._plan.silence_seconds_max:
                    raise LogUnreachable("the log in Postgres", away, repr(failure)) from failure
            finally:
                lost = self._let_go()
                if session is not None:
                    await session.close(self._pool)
            if lost:
                await self._told().on_revoked(lost)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _turn(self, session: MemberSession) -> None:
        """Take what is free, hear where partitions end, and wait a moment."""
        await self._assign(await session.take(self._plan.group, self._held))
        await session.hear()
        try:
            await asyncio.wait_for(session.ended.wait(), self._plan.poll_seconds)
        except TimeoutError:
            return

    async def _assign(self, taken: Collection[TopicPartition]) -> None:
        if not taken:
            return
        positions = dict(await self._told().on_assigned(frozenset(taken)))
        without = [each for each in taken if each not in positions]
        positions.update(await self._probe.start_offsets(without))
        known = await self._topics.of(self._pool, self._names)
        for each in taken:
            # An end that differs from the position makes the first fetch look for itself.
            self._held[each] = _Held(known[each.topic].topic_id, positions[each], -1)

    def _told(self) -> AssignmentListener:
        assert self._listener is not None, "the reader attends only when started"
        return self._listener

    def _heard(self, partition: TopicPartition, end: int) -> None:
        held = self._held.get(partition)
        if held is not None and end > held.end:
            held.end = end
            held.changed.set()

    def _let_go(self) -> frozenset[TopicPartition]:
        lost = frozenset(self._held)
        for held in self._held.values():
            held.changed.set()
        self._held.clear()
        return lost

    def _holding(self, partition: TopicPartition) -> _Held:
        self._raise_failure()
        held = self._held.get(partition)
        if held is None:
            raise PartitionRevoked(partition)
        return held

    def _still(self, partition: TopicPartition, held: _Held) -> None:
        if self._holding(partition) is not held:
            raise PartitionRevoked(partition)

    def _raise_failure(self) -> None:
        task = self._attending
        if task is not None and task.done() and not task.cancelled():
            task.result()
