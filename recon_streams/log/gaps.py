"""Why offsets hold nothing to deliver: the difference between a hole in the log and a lost payment.

Offsets have holes for innocent reasons, so a hole alone proves no loss; and a client library that
drops a record leaves the same hole, so it proves no innocence either. A second reading decides.
"""

from collections.abc import Sequence

import msgspec

from recon_streams.log.errors import LostRecords
from recon_streams.log.record import GapCause, ProvenGap, TopicPartition

_OFFSETS_NAMED_MAX = 100


class SecondReading(msgspec.Struct, frozen=True, kw_only=True):
    """What another reader, by other means, found in the range of a hole.

    Attributes:
        start_offset: The log start at the time of the reading.
        passed: The reading has seen everything below this offset.
        delivered: Offsets of records that should have been delivered, ascending.
        explained: Ranges seen to hold control records or rolled-back ones, ascending, disjoint.
        is_compacted: Whether the topic's own rules let records vanish from the middle.
    """

    start_offset: int
    passed: int
    delivered: Sequence[int] = ()
    explained: Sequence[ProvenGap] = ()
    is_compacted: bool = False


def holes(first: int, until: int, offsets: Sequence[int]) -> list[tuple[int, int]]:
    """Return the half-open ranges of [first, until) that are not in `offsets`.

    `offsets` must grow and lie in the range: anything else is a reader that goes backwards.
    """
    if offsets and offsets[0] == first and offsets[-1] + 1 == until == first + len(offsets):
        return []
    found = []
    expected = first
    for offset in offsets:
        assert offset >= expected, f"offset {offset} was delivered where {expected} was next"
        if offset > expected:
            found.append((expected, offset))
        expected = offset + 1
    assert expected <= until, f"offset {expected - 1} lies beyond the position {until}"
    if expected < until:
        found.append((expected, until))
    return found


def classify(
    partition: TopicPartition, first: int, until: int, *, reading: SecondReading
) -> tuple[ProvenGap, ...]:
    """Return the causes that together cover the hole [first, until) of `partition`.

    Raises:
        LostRecords: The reading found records in the hole, or did not get past it, or found
            nothing in it that the topic's rules allow.
    """
    assert first < until, f"[{first}, {until}) is no hole"
    inside = [offset for offset in reading.delivered if first <= offset < until]
    if inside:
        raise LostRecords(partition, first, until, offsets=inside[:_OFFSETS_NAMED_MAX])
    if max(reading.passed, reading.start_offset) < until:
        raise LostRecords(partition, first, until, offsets=())
    proven: list[ProvenGap] = []
    expected = first
    if reading.start_offset > first:
        expected = min(reading.start_offset, until)
        proven.append(ProvenGap(first, expected, GapCause.EXPIRED))
    for stretch in reading.explained:
        if stretch.until <= expected or expected >= until or stretch.first >= until:
            continue
        if stretch.first > expected:
            proven.append(_vanished(partition, expected, stretch.first, reading))
        expected = max(expected, stretch.first)
        proven.append(ProvenGap(expected, min(stretch.until, until), stretch.cause))
        expected = min(stretch.until, until)
    if expected < until:
        proven.append(_vanished(partition, expected, until, reading))
    return _joined(proven)


def _vanished(
    partition: TopicPartition, first: int, until: int, reading: SecondReading
) -> ProvenGap:
    if not reading.is_compacted:
        raise LostRecords(partition, first, until, offsets=())
    return ProvenGap(first, until, GapCause.COMPACTED)


def _joined(proven: Sequence[ProvenGap]) -> tuple[ProvenGap, ...]:
    joined: list[ProvenGap] = []
    for gap in proven:
        if joined and joined[-1].cause is gap.cause and joined[-1].until == gap.first:
            joined[-1] = ProvenGap(joined[-1].first, gap.until, gap.cause)
        else:
            joined.append(gap)
    return tuple(joined)
