"""What travels through a log: records in, batches out, both adapters alike."""

from datetime import datetime
from enum import StrEnum, unique
from typing import NamedTuple

import msgspec

Headers = tuple[tuple[str, bytes], ...]


class TopicPartition(NamedTuple):
    """One ordered sequence of records; the unit of assignment, position and order."""

    topic: str
    partition: int


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as the log holds it.

    Attributes:
        topic: Topic it was read from.
        partition: Partition of that topic, from 0.
        offset: Its place in the partition; unique, growing, not always without holes.
        key: What orders and compacts; None for records without one.
        value: The raw bytes, never decoded here; None is a tombstone.
        headers: Pairs in the order they were written; names may repeat.
        appended_at: When the log's server appended it (UTC), not when its producer wrote it.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    appended_at: datetime


class OutgoingRecord(msgspec.Struct, frozen=True, gc=False):
    """One record before the log has given it a partition and an offset.

    Records of one key go to one partition, the same one in every adapter. Records without a key
    go to partition 0, so that whoever wants them spread has to say by what.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Appended(NamedTuple):
    """Where the log put an outgoing record."""

    partition: int
    offset: int


@unique
class GapCause(StrEnum):
    """Why a range of offsets holds nothing to deliver."""

    EXPIRED = "expired"  # below the log start: retention or a deletion removed it
    COMPACTED = "compacted"  # a later record of the same key made it obsolete
    CONTROL = "control"  # markers of transactions take offsets and carry no data
    ABORTED = "aborted"  # written by a transaction that was rolled back


class ProvenGap(NamedTuple):
    """The range [first, until), and why a second reading found nothing to deliver in it."""

    first: int
    until: int
    cause: GapCause


class Batch(msgspec.Struct, frozen=True, gc=False):
    """What one fetch brought from one partition, in order and without a place for doubt.

    The offsets of `records` and the ranges of `gaps` together cover [first_offset, next_offset)
    exactly once. A batch may have gaps only: control records at the end of the log move the
    position although they bring nothing.

    Attributes:
        topic: Topic of all its records.
        partition: Partition of all its records.
        first_offset: The position before this batch, as the reader expected it.
        next_offset: The position after it; what the book stores when the batch is done.
        records: The records, by growing offset.
        gaps: The holes between them, each proven, by growing offset.
    """

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    records: tuple[Record, ...]
    gaps: tuple[ProvenGap, ...] = ()

    @property
    def topic_partition(self) -> TopicPartition:
        """Where it came from."""
        return TopicPartition(self.topic, self.partition)
