"""The log as the rest of the system sees it: read in a group, probe, write, administer.

Both adapters keep these promises, and one conformance suite holds them to it. Whoever needs a log
depends on this file; only the composition root knows which adapter stands behind it.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from recon_streams.log.record import (
    Appended,
    Batch,
    OutgoingRecord,
    ProvenGap,
    Record,
    TopicPartition,
)
from recon_streams.log.topic_plan import TopicDifference, TopicPlan


class AssignmentListener(Protocol):
    """Who is told which partitions a reader may read.

    Both calls are awaited before the group goes on, so they must not wait for the reader. An
    exception from either stops the reader: it comes out of `fetch` and of `watch`.
    """

    async def on_assigned(
        self, partitions: frozenset[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """Return the next offset of each partition; a missing one is read from its log start.

        `partitions` are those that are newly ours. After a rebalance of a Kafka group that is
        everything we have, as `on_revoked` named everything before.
        """
        ...

    async def on_revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """Let go of `partitions`: another worker may own them from now on, or already does."""
        ...


class LogReader(Protocol):
    """One member of a consumer group. Positions are the caller's, never the log's own."""

    async def start(self, topics: Sequence[str], listener: AssignmentListener) -> None:
        """Join the group; `listener` hears from now on, maybe before this returns.

        Raises:
            LogUnreachable: No server answered within the connect bound.
            UnknownTopic: One of `topics` does not exist.
        """
        ...

    async def stop(self) -> None:
        """Leave the group and close connections. `on_revoked` is not called. Idempotent."""
        ...

    async def watch(self) -> None:
        """Return when the reader is stopped; raise what its background work died of."""
        ...

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that may be fetched now."""
        ...

    async def fetch(
        self, partition: TopicPartition, *, records_max: int, wait_seconds: float
    ) -> Batch | None:
        """Return what follows the last fetched batch of `partition`, or None after `wait_seconds`.

        Different partitions may be fetched at the same time, one partition by one task. Records
        below the position are never returned; holes are returned only proven.

        Raises:
            PartitionRevoked: It is not, or while waiting stopped being, assigned to this reader.
            OffsetOutOfRange: The position is below the log start or beyond the end.
            LostRecords: A hole could not be proven; leave the process.
            LogUnreachable: No server answered for the silence bound.
        """
        ...

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue at `offset`. Only between fetches of that partition.

        Raises:
            PartitionRevoked: It is not assigned to this reader.
        """
        ...

    def advise(self, partition: TopicPartition, next_offset: int) -> None:
        """Tell displays of lag that the book has reached `next_offset`; never read back."""
        ...

    def known_end(self, partition: TopicPartition) -> int | None:
        """Return the end of `partition` as last heard, without asking; None if never heard.

        It is the offset up to which records are readable (below open transactions).
        """
        ...


class LogProbe(Protocol):
    """The second reader: sees everything, belongs to no group, moves nobody's position."""

    async def start(self) -> None:
        """Connect. Raises `LogUnreachable`."""
        ...

    async def stop(self) -> None:
        """Close connections. Idempotent."""
        ...

    async def log_identity(self) -> str:
        """Return what names this very log, so that positions of another one are recognised."""
        ...

    async def partitions(self, topics: Sequence[str]) -> frozenset[TopicPartition]:
        """Return all partitions of `topics`. Raises `UnknownTopic`."""
        ...

    async def start_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Return the first offset each partition still has."""
        ...

    async def end_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Return the offset after the last readable record of each: below open transactions."""
        ...

    async def appended_ends(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Return the offset after all that was appended to each, whether it can be read yet or not.

        The servers are asked anew by each call. Whoever has everything below such an end has every
        record that was appended before the call. A partition of which nobody can say that, because
        an append to it is under way, is left out.

        Raises:
            LogUnreachable: A server did not answer: nothing is known of any partition.
        """
        ...

    def read(self, partition: TopicPartition, first: int, until: int) -> AsyncIterator[Record]:
        """Yield the records of [first, until) in order, until that range has been passed.

        Offsets that hold nothing are not mentioned.

        Raises:
            OffsetOutOfRange: `first` is below the log start, or `until` beyond the end.
            LogUnreachable: The range was not passed because nobody answered.
        """
        ...

    async def read_latest(self, topic: str) -> dict[bytes, Record]:
        """Return the latest record of each key of `topic` from start to end, without tombstones.

        Records without a key are left out.
        """
        ...

    async def prove_gap(
        self, partition: TopicPartition, first: int, until: int
    ) -> tuple[ProvenGap, ...]:
        """Return why [first, until) holds nothing to deliver, from a reading of its own.

        Raises:
            LostRecords: It does hold records, or nothing innocent explains the hole.
            LogUnreachable: It could not be read.
        """
        ...


class LogWriter(Protocol):
    """Appends records; what it returns is durable."""

    async def start(self) -> None:
        """Connect. Raises `LogUnreachable`."""
        ...

    async def stop(self) -> None:
        """Close connections after what is under way is acknowledged. Idempotent."""
        ...

    async def append(self, records: Sequence[OutgoingRecord]) -> list[Appended]:
        """Append all `records`, those of one partition in the given order, and return their places.

        Raises:
            UnknownTopic: A topic was not declared; nothing of it is written.
            RecordRefused: The server does not take one of `records`, for its size perhaps.
            LogUnreachable: The outcome is unknown, some or all may have been written; a caller
                that repeats them writes them twice unless readers recognise them.
        """
        ...


class LogAdmin(Protocol):
    """Declares topics. The only way a topic is born."""

    async def differences(self, plans: Sequence[TopicPlan]) -> list[TopicDifference]:
        """Return every respect in which the real topics are not as planned."""
        ...

    async def apply(self, plans: Sequence[TopicPlan]) -> list[TopicDifference]:
        """Put right what can be applied; return what was changed: nothing when repeated."""
        ...
