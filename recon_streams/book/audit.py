"""Proves that nothing was lost: reads the log with a reader of its own and compares it to the book.

Shares nothing with the consume loop but the tables. Each offset of the log must have exactly one
row, a record's row must hold its bytes, and a row without bytes must stand where the log has none.
The book in turn holds nothing from outside the log: no row behind its end, and none of a stream
that nobody knows.
"""

from collections.abc import Sequence
from enum import StrEnum, unique
from hashlib import sha256
from typing import Final

import asyncpg
import msgspec

from recon_streams.log.port import LogProbe
from recon_streams.log.record import TopicPartition

_OFFSETS: Final = 2_000  # judged at a time: bounds the memory
_RANGES_MAX: Final = 1_000

_REACHED: Final = """
SELECT s.topic, s.part, (
    SELECT i.off + i.span FROM book.input i WHERE i.stream = s.stream ORDER BY i.off DESC LIMIT 1
) AS until FROM book.stream s WHERE s.topic = ANY($1)
"""
# Neighbours as one range: within one, the offset less the rows before it is always the same.
_RANGES: Final = """
SELECT min(off) AS first, max(off + span) AS until FROM (
    SELECT off, span, off - sum(span) OVER (ORDER BY off) + span AS range
    FROM book.input WHERE stream = $1 AND off >= $2 AND off < $3
) AS placed GROUP BY range ORDER BY 1 LIMIT $4
"""
# Steps from stream to stream by the key; the rows of none of them are read.
_UNKNOWN: Final = """
WITH RECURSIVE found AS (
    SELECT min(stream) AS stream FROM book.input
    UNION ALL
    SELECT (SELECT min(i.stream) FROM book.input i WHERE i.stream > found.stream) FROM found
    WHERE found.stream IS NOT NULL
)
SELECT stream FROM found WHERE stream IS NOT NULL
    AND NOT EXISTS (SELECT FROM book.stream s WHERE s.stream = found.stream)
"""
_OFFSETS_ALL: Final = 0, 2**63 - 1


@unique
class Flaw(StrEnum):
    """What is wrong with a range of offsets."""

    MISSING = "MISSING"  # the log has a record, the book passed it and has no row
    WAITING = "WAITING"  # the log has a record the book has not reached yet
    OTHER_BYTES = "OTHER_BYTES"  # the row's hash is not that of the record
    OTHER_KIND = "OTHER_KIND"  # the book says control or expired, the log has a record
    TWICE = "TWICE"  # two rows cover it
    NOT_IN_LOG = "NOT_IN_LOG"  # the book has the bytes of a record the log does not have
    EXPIRED_UNREAD = "EXPIRED_UNREAD"  # the log dropped it before the book reached it


class InputFlaw(msgspec.Struct, frozen=True, kw_only=True):
    """A range [first, until) of one partition that is not as it must be."""

    topic: str
    partition: int
    first: int
    until: int
    flaw: Flaw


class PartitionAudit(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared for one partition, and what was found."""

    topic: str
    partition: int
    start: int
    end: int
    records: int
    flaws: tuple[InputFlaw, ...]


async def audit_inputs(
    pool: asyncpg.Pool, probe: LogProbe, topics: Sequence[str]
) -> list[PartitionAudit]:
    """Compare every partition of `topics` from log start to end with the book."""
    partitions = sorted(await probe.partitions(topics))
    # Before the ends are asked for: what the book holds by now was in the log by then.
    reached = await _reached(pool, topics)
    starts = await probe.start_offsets(partitions)
    ends = await probe.end_offsets(partitions)
    audits = []
    for partition in partitions:
        bounds = starts[partition], ends[partition]
        audits.append(
            await _audit(pool, probe, partition, bounds, reached=reached.get(partition, 0))
        )
    gone = sorted(reached.keys() - set(partitions))
    audits += [await _foreign(pool, each, await _stream_of(pool, each)) for each in gone]
    for (number,) in await pool.fetch(_UNKNOWN):
        name = TopicPartition(f"unknown stream {number}", 0)
        audits.append(await _foreign(pool, name, number))
    return audits


def judge(
    record_hash: bytes | None, row_hashes: Sequence[bytes | None], *, is_waiting: bool
) -> Flaw | None:
    """Return what is wrong with one offset, or None.

    Args:
        record_hash: The hash of the log's record there; None where the log has none.
        row_hashes: The hash in each row that covers the offset; None in a row without bytes.
        is_waiting: The book has not come to this offset yet.
    """
    if not row_hashes:
        if record_hash is None and is_waiting:
            return None
        return Flaw.WAITING if is_waiting else Flaw.MISSING
    if len(row_hashes) > 1:
        return Flaw.TWICE
    if record_hash is None:
        return None if row_hashes[0] is None else Flaw.NOT_IN_LOG
    if row_hashes[0] is None:
        return Flaw.OTHER_KIND
    return None if row_hashes[0] == record_hash else Flaw.OTHER_BYTES


async def _reached(pool: asyncpg.Pool, topics: Sequence[str]) -> dict[TopicPartition, int]:
    """Return the offset behind the last row of each partition that the book has rows of."""
    rows = await pool.fetch(_REACHED, list(topics))
    return {
        TopicPartition(row["topic"], row["part"]): row["until"]
        for row in rows
        if row["until"] is not None
    }


async def _stream_of(pool: asyncpg.Pool, partition: TopicPartition) -> int:
    number: int = await pool.fetchval(
        "SELECT stream FROM book.stream WHERE topic = $1 AND part = $2", *partition
    )
    return number


async def _foreign(pool: asyncpg.Pool, partition: TopicPartition, stream: int) -> PartitionAudit:
    """Return the audit of what the book has and no log: every row of it is a flaw."""
    flaws = _Flaws(partition)
    await _add_foreign(pool, flaws, stream, _OFFSETS_ALL)
    topic, number = partition
    return PartitionAudit(
        topic=topic, partition=number, start=0, end=0, records=0, flaws=tuple(flaws.found)
    )


async def _add_foreign(
    pool: asyncpg.Pool, flaws: "_Flaws", stream: int, bounds: tuple[int, int]
) -> None:
    for first, until in await pool.fetch(_RANGES, stream, *bounds, _RANGES_MAX):
        flaws.add(first, Flaw.NOT_IN_LOG, until=until)


async def _audit(
    pool: asyncpg.Pool,
    probe: LogProbe,
    partition: TopicPartition,
    bounds: tuple[int, int],
    *,
    reached: int,
) -> PartitionAudit:
    start, end = bounds
    stream = await pool.fetchrow(
        "SELECT stream, next_offset FROM book.stream WHERE topic = $1 AND part = $2", *partition
    )
    number, next_offset = (stream["stream"], stream["next_offset"]) if stream else (-1, start)
    flaws = _Flaws(partition)
    if next_offset < start:
        flaws.add(next_offset, Flaw.EXPIRED_UNREAD, until=start)
    records = 0
    for first in range(start, end, _OFFSETS):
        until = min(first + _OFFSETS, end)
        hashes = {
            record.offset: sha256(record.value or b"").digest()
            async for record in probe.read(partition, first, until)
        }
        rows = await _rows_by_offset(pool, number, first, until)
        records += len(hashes)
        for offset in range(first, until):
            flaw = judge(hashes.get(offset), rows.get(offset, ()), is_waiting=offset >= next_offset)
            if flaw is not None:
                flaws.add(offset, flaw)
    await _add_foreign(pool, flaws, number, (end, reached))
    topic, part = partition
    return PartitionAudit(
        topic=topic, partition=part, start=start, end=end, records=records, flaws=tuple(flaws.found)
    )


async def _rows_by_offset(
    pool: asyncpg.Pool, stream: int, first: int, until: int
) -> dict[int, list[bytes | None]]:
    """Return the hashes of the rows that cover each offset of [first, until)."""
    rows = await pool.fetch(
        "SELECT off, span, sha256 FROM book.input WHERE stream = $1 AND off < $3 "
        "AND off >= coalesce((SELECT max(off) FROM book.input WHERE stream = $1 AND off <= $2), $2)"
        " AND off + span > $2",
        stream,
        first,
        until,
    )
    found: dict[int, list[bytes | None]] = {}
    for row in rows:
        for offset in range(max(row["off"], first), min(row["off"] + row["span"], until)):
            found.setdefault(offset, []).append(row["sha256"])
    return found


class _Flaws:
    """Collects flaws, joining neighbours of one kind."""

    def __init__(self, partition: TopicPartition) -> None:
        self._partition = partition
        self.found: list[InputFlaw] = []

    def add(self, first: int, flaw: Flaw, *, until: int | None = None) -> None:
        until = first + 1 if until is None else until
        last = self.found[-1] if self.found else None
        if last is not None and last.flaw is flaw and last.until == first:
            self.found[-1] = msgspec.structs.replace(last, until=until)
            return
        topic, number = self._partition
        self.found.append(
            InputFlaw(topic=topic, partition=number, first=first, until=until, flaw=flaw)
        )
