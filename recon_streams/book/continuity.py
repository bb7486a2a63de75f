"""Whether a partition goes on where the book left it; a topic that was made anew does not.

Offsets alone do not tell: once the new topic has grown past the old position, reading on looks
like any other start, and everything before the position is lost without a word.
"""

import asyncio
from collections.abc import Collection
from hashlib import sha256
from typing import Final

import asyncpg

from recon_streams.log.errors import OffsetOutOfRange
from recon_streams.log.port import LogProbe
from recon_streams.log.record import TopicPartition

_LAST: Final = (
    "SELECT s.topic, s.part, i.off, i.sha256 "
    "FROM unnest($1::text[], $2::int[]) AS k(topic, part) "
    "JOIN book.stream AS s USING (topic, part) "
    "CROSS JOIN LATERAL (SELECT off, sha256 FROM book.input AS i "
    "WHERE i.stream = s.stream AND i.off = s.next_offset - 1 AND i.sha256 IS NOT NULL) AS i"
)


class OtherRecords(Exception):
    """The log holds another record than the one the book took from the same place.

    Attributes:
        partition: Where.
        offset: The last offset the book has.
    """

    def __init__(self, partition: TopicPartition, offset: int) -> None:
        super().__init__(
            f"{partition}: the record at {offset} is not the one the book took from there; the "
            "topic was deleted and made anew, or this is another log. `recon-streams audit inputs` "
            "lists the differences"
        )
        self.partition = partition
        self.offset = offset


async def check_continuity(
    pool: asyncpg.Pool, probe: LogProbe, partitions: Collection[TopicPartition]
) -> None:
    """Compare the last record that was taken of each of `partitions` with what the log has there.

    One that has expired, or was compacted away, says nothing and passes.

    Raises:
        OtherRecords: They differ; the worker must leave.
    """
    rows = await pool.fetch(
        _LAST, [each.topic for each in partitions], [each.partition for each in partitions]
    )
    await asyncio.gather(
        *(
            _compare(probe, TopicPartition(row["topic"], row["part"]), row["off"], row["sha256"])
            for row in rows
        )
    )


async def _compare(probe: LogProbe, partition: TopicPartition, offset: int, noted: bytes) -> None:
    try:
        async for record in probe.read(partition, offset, offset + 1):
            if sha256(record.value or b"").digest() != noted:
                raise OtherRecords(partition, offset)
    except OffsetOutOfRange:
        # Expired; or beyond the end, which the reader refuses by itself.
        return
