"""One scope over many evaluations: laws about epochs, counts and dwells, over any readings."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_streams.breaker.scope import (
    FLAPPING,
    NO_EVIDENCE,
    Clearance,
    Health,
    Reading,
    ScopeState,
    Transition,
    advance,
    clears_at,
    unproven,
)
from topics.breaker import BreakerState

settings.register_profile("breaker", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("breaker")

BORN_AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
CLEARANCE = Clearance(clean_evaluations_min=2, dwell=timedelta(seconds=30))


@st.composite
def days(draw: st.DrawFn) -> list[Reading]:
    """Readings in the order of time, several at one instant included."""
    at = BORN_AT
    day: list[Reading] = []
    for _ in range(draw(st.integers(0, 40))):
        at += timedelta(seconds=draw(st.integers(0, 20)))
        # Mostly clean, or no suspension would ever heal.
        health = draw(st.sampled_from([Health.CLEAN] * 6 + [Health.DOUBTFUL, Health.DANGEROUS]))
        day.append(
            Reading(
                health=health,
                reason=f"R{len(day)}",
                at=at,
                fresh=draw(st.booleans()),
                low=draw(st.sampled_from([True, True, True, False])),
            )
        )
    return day


def told(day: list[Reading]) -> Iterator[tuple[ScopeState, Reading, ScopeState, Transition | None]]:
    scope, _ = unproven(BORN_AT)
    for reading in day:
        after, transition = advance(scope, reading, CLEARANCE)
        yield scope, reading, after, transition
        scope = after


def test_a_scope_is_born_suspended_without_evidence() -> None:
    scope, transition = unproven(BORN_AT)
    assert scope.state is BreakerState.SUSPENDED
    assert (transition.from_state, transition.to_state) == (None, BreakerState.SUSPENDED)
    assert (transition.epoch, transition.seq, transition.reason) == (1, 1, NO_EVIDENCE)
    assert transition.at == scope.since == scope.calm_from == BORN_AT
    assert clears_at(scope, CLEARANCE) is None


@given(days())
def test_epoch_and_seq_rise_by_one_with_every_change_and_never_else(day: list[Reading]) -> None:
    for before, _, after, transition in told(day):
        changed = after.state is not before.state or after.flapping > before.flapping
        assert (transition is not None) == changed
        assert after.epoch - before.epoch == after.seq - before.seq == int(changed)
        assert changed or (after.reason, after.since) == (before.reason, before.since)


@given(days())
def test_a_transition_says_where_it_came_from_and_why(day: list[Reading]) -> None:
    for before, reading, after, transition in told(day):
        if transition is not None:
            assert (transition.from_state, transition.to_state) == (before.state, after.state)
            assert (transition.epoch, transition.seq) == (after.epoch, after.seq)
            assert transition.reason in {reading.reason, FLAPPING}
            assert transition.at == reading.at


@given(days())
def test_danger_opens_at_once_and_for_good(day: list[Reading]) -> None:
    endangered = False
    for _, reading, after, _ in told(day):
        endangered = endangered or reading.health is Health.DANGEROUS
        assert (after.state is BreakerState.OPEN) == endangered


@given(days())
def test_a_scope_is_closed_only_after_enough_clean_evidence_and_time(day: list[Reading]) -> None:
    # Looking back over the whole day instead of counting along with it.
    past: list[Reading] = []
    for _, reading, _, transition in told(day):
        past.append(reading)
        if transition is None or transition.to_state is not BreakerState.CLOSED:
            continue
        doubts = [r for r in past if r.health is not Health.CLEAN or not r.low]
        calm = past[past.index(doubts[-1]) + 1 :] if doubts else past
        assert sum(r.fresh for r in calm) >= CLEARANCE.clean_evaluations_min
        assert reading.at - (doubts[-1].at if doubts else BORN_AT) >= CLEARANCE.dwell
        assert all(r.health is Health.CLEAN and r.low for r in calm)


@given(days())
def test_a_suspension_that_has_all_it_takes_does_not_stay(day: list[Reading]) -> None:
    for _, reading, after, _ in told(day):
        ready_at = clears_at(after, CLEARANCE)
        assert ready_at is None or ready_at > reading.at


@given(days())
def test_the_time_at_which_a_suspension_clears_is_true(day: list[Reading]) -> None:
    for _, reading, after, _ in told(day):
        ready_at = clears_at(after, CLEARANCE)
        if ready_at is None:
            continue
        tick = Reading(health=Health.CLEAN, reason="TICK", at=ready_at, fresh=False, low=True)
        assert advance(after, tick, CLEARANCE)[0].state is BreakerState.CLOSED
        early = Reading(
            health=Health.CLEAN,
            reason="TICK",
            at=max(reading.at, ready_at - timedelta(microseconds=1)),
            fresh=False,
            low=True,
        )
        assert advance(after, early, CLEARANCE)[0].state is BreakerState.SUSPENDED


@given(days())
def test_a_doubt_closes_nothing(day: list[Reading]) -> None:
    order = [BreakerState.CLOSED, BreakerState.SUSPENDED, BreakerState.OPEN]
    for before, reading, after, _ in told(day):
        if reading.health is not Health.CLEAN or not reading.low:
            assert order.index(after.state) >= order.index(before.state)
            assert after.clean == 0


@given(days())
def test_the_records_of_a_scope_tell_one_history(day: list[Reading]) -> None:
    transitions = [unproven(BORN_AT)[1], *(t for *_, t in told(day) if t is not None)]
    for earlier, later in pairwise(transitions):
        assert later.from_state is earlier.to_state
        assert (later.epoch, later.seq) == (earlier.epoch + 1, earlier.seq + 1)
        assert later.at >= earlier.at


@pytest.mark.parametrize("health", Health)
def test_every_health_is_a_signal(health: Health) -> None:
    scope, _ = unproven(BORN_AT)
    reading = Reading(health=health, reason="R", at=BORN_AT, fresh=True, low=True)
    after, _ = advance(scope, reading, CLEARANCE)
    assert (after.state is BreakerState.OPEN) == (health is Health.DANGEROUS)


def test_a_doubt_before_the_last_one_does_not_shorten_the_dwell() -> None:
    scope, _ = unproven(BORN_AT)
    late, early = BORN_AT + timedelta(seconds=20), BORN_AT + timedelta(seconds=10)
    for at in (late, early):
        reading = Reading(health=Health.DOUBTFUL, reason="R", at=at, fresh=True, low=False)
        scope, _ = advance(scope, reading, CLEARANCE)
    assert scope.calm_from == late
