"""A hole is classified right, or it is a loss: laws over every shape of hole."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.log.errors import LostRecords
from recon_streams.log.gaps import SecondReading, classify, holes
from recon_streams.log.record import GapCause, ProvenGap, TopicPartition

PARTITION = TopicPartition("t", 0)


@given(st.integers(0, 50), st.sets(st.integers(0, 60)), st.integers(0, 20))
def test_holes_and_offsets_cover_the_range_exactly_once(
    first: int, offsets: set[int], beyond: int
) -> None:
    delivered = sorted(first + offset for offset in offsets)
    until = (delivered[-1] + 1 if delivered else first) + beyond
    covered = [*delivered]
    for hole_first, hole_until in holes(first, until, delivered):
        assert hole_first < hole_until
        covered += range(hole_first, hole_until)
    assert sorted(covered) == list(range(first, until))


@pytest.mark.parametrize("offsets", [[3], [5, 5], [6, 5], [5, 10]])
def test_a_reader_that_goes_backwards_or_too_far_is_our_fault(offsets: list[int]) -> None:
    with pytest.raises(AssertionError):
        holes(4, 9, offsets)


@st.composite
def explained_ranges(draw: st.DrawFn) -> list[ProvenGap]:
    bounds = sorted(draw(st.sets(st.integers(0, 60), max_size=10)))
    causes = st.sampled_from([GapCause.CONTROL, GapCause.ABORTED])
    return [
        ProvenGap(first, until, draw(causes))
        for first, until in zip(bounds[::2], bounds[1::2], strict=False)
    ]


@given(
    st.integers(0, 40),
    st.integers(1, 20),
    st.integers(0, 60),
    explained_ranges(),
    st.booleans(),
)
def test_proven_causes_cover_the_hole_exactly_once(
    first: int,
    length: int,
    start: int,
    explained: list[ProvenGap],
    is_compacted: bool,  # noqa: FBT001 - drawn
) -> None:
    until = first + length
    reading = SecondReading(
        start_offset=start, passed=until, explained=explained, is_compacted=is_compacted
    )
    named = {offset for gap in explained for offset in range(gap.first, gap.until)}
    bare = {offset for offset in range(max(first, start), until) if offset not in named}
    if bare and not is_compacted:
        with pytest.raises(LostRecords):
            classify(PARTITION, first, until, reading=reading)
        return
    proven = classify(PARTITION, first, until, reading=reading)
    assert proven[0].first == first
    assert proven[-1].until == until
    assert all(one.until == other.first for one, other in pairwise(proven))
    for gap in proven:
        assert gap.first < gap.until
        if gap.cause is GapCause.EXPIRED:
            assert gap.until <= start
        if gap.cause is GapCause.COMPACTED:
            assert set(range(gap.first, gap.until)) <= bare


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_one_record_in_the_hole_is_a_loss_whatever_else_explains_it(
    first: int,
    before: int,
    after: int,
    compacted: bool,  # noqa: FBT001 - drawn
) -> None:
    at = first + before
    until = at + 1 + after
    reading = SecondReading(
        start_offset=until + 1,
        passed=until,
        delivered=[at],
        explained=[ProvenGap(first, until, GapCause.CONTROL)],
        is_compacted=compacted,
    )
    with pytest.raises(LostRecords) as lost:
        classify(PARTITION, first, until, reading=reading)
    assert lost.value.offsets == (at,)


def test_a_reading_that_did_not_get_past_the_hole_proves_nothing() -> None:
    reading = SecondReading(start_offset=0, passed=7, is_compacted=True)
    with pytest.raises(LostRecords):
        classify(PARTITION, 5, 8, reading=reading)
