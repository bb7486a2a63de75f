"""What people may do to a scope: laws over any mixture of their orders and of evaluations."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_streams.breaker import order
from recon_streams.breaker.order import Approval, OnePerson, is_by_two
from recon_streams.breaker.scope import (
    FLAPPING,
    OVERRIDE_ENDED,
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

settings.register_profile("order", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("order")

BORN_AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
CLEARANCE = Clearance(clean_evaluations_min=1, dwell=timedelta(minutes=2))
TWO = Approval(approval_id=7, maker="amal", checker="bashir")
CLOSED, SUSPENDED, OPEN = BreakerState.CLOSED, BreakerState.SUSPENDED, BreakerState.OPEN
REASONS = {
    Health.CLEAN: ["EQUAL"],
    Health.DOUBTFUL: ["ABOVE_SIGNIFICANT", "BANK_SILENT"],
    Health.DANGEROUS: ["SHORTAGE", "LEDGER_NEGATIVE"],
}


class Told(msgspec.Struct, kw_only=True):
    """One thing that happened: by whom, and from what to what."""

    what: str
    reading: Reading
    before: ScopeState
    after: ScopeState
    transition: Transition | None


@st.composite
def days(draw: st.DrawFn) -> list[Told]:
    scope, _ = unproven(BORN_AT)
    at, day = BORN_AT, []
    for _ in range(draw(st.integers(0, 25))):
        at += timedelta(seconds=draw(st.integers(0, 900)))
        health = draw(st.sampled_from([Health.CLEAN] * 5 + [Health.DOUBTFUL, Health.DANGEROUS]))
        reading = Reading(
            health=health,
            reason=draw(st.sampled_from(REASONS[health])),
            at=at,
            fresh=draw(st.booleans()),
            low=draw(st.sampled_from([True, True, False])),
            gap=draw(st.sampled_from([None, Decimal(1), Decimal(2), Decimal(3)])),
        )
        what = draw(st.sampled_from(["evaluate"] * 5 + ["trip", "reset", "override", "reparent"]))
        after, transition = done(scope, what, reading, draw(st.integers(-60, 3600)))
        day.append(
            Told(what=what, reading=reading, before=scope, after=after, transition=transition)
        )
        scope = after
    return day


def done(
    scope: ScopeState, what: str, reading: Reading, seconds: int
) -> tuple[ScopeState, Transition | None]:
    match what:
        case "trip":
            return order.trip(scope, reading.at)
        case "reset":
            return order.reset(scope, reading, TWO)
        case "override":
            until = reading.at + timedelta(seconds=seconds)
            return order.override(scope, reading.at, until=until, known=reading, approval=TWO)
        case "reparent":
            return order.reparent(scope, reading.at)
        case _:
            return advance(scope, reading, CLEARANCE)


def transitions(day: list[Told]) -> Iterator[tuple[Told, Transition]]:
    for told in day:
        if told.transition is not None:
            yield told, told.transition


@given(days())
def test_epochs_rise_by_one_with_every_transition_and_never_else(day: list[Told]) -> None:
    for told in day:
        risen = told.after.epoch - told.before.epoch
        assert risen == told.after.seq - told.before.seq == int(told.transition is not None)
        assert told.transition is not None or told.after.state is told.before.state


@given(days())
def test_the_transitions_tell_one_history(day: list[Told]) -> None:
    history = [transition for _, transition in transitions(day)]
    for earlier, later in pairwise([unproven(BORN_AT)[1], *history]):
        assert later.from_state is earlier.to_state
        assert (later.epoch, later.seq) == (earlier.epoch + 1, earlier.seq + 1)
        assert later.at >= earlier.at


@given(days())
def test_nothing_but_two_people_leads_out_of_open(day: list[Told]) -> None:
    for told in day:
        if told.before.state is OPEN and told.after.state is not OPEN:
            assert told.what in {"reset", "override"}
            assert told.transition is not None
            assert told.transition.reason in {order.RESET, order.OVERRIDE}


@given(days())
def test_a_trip_by_hand_always_works(day: list[Told]) -> None:
    for told in day:
        if told.what == "trip":
            assert told.after.state is OPEN
            assert told.after.reason == order.MANUAL_TRIP
            assert told.after.override is None
            assert told.after.clean == 0


@given(days())
def test_nothing_is_forced_past_its_instant_or_for_more_than_thirty_minutes(
    day: list[Told],
) -> None:
    for told in day:
        forced = told.after.override
        if forced is not None:
            assert told.after.state is CLOSED
            assert forced.until - told.after.since <= order.OVERRIDE_MAX
            assert told.what in {"override", "reset"} or told.reading.at < forced.until


@given(days())
def test_what_was_forced_is_at_least_as_strict_afterwards(day: list[Told]) -> None:
    strictness = [CLOSED, SUSPENDED, OPEN]
    for told in day:
        if told.what == "evaluate" and told.before.override and not told.after.override:
            was = told.before.override.state
            assert strictness.index(told.after.state) >= strictness.index(was)
            assert told.after.reason in {OVERRIDE_ENDED, told.reading.reason}


@given(days())
def test_danger_that_nobody_knew_of_opens_whatever_is_forced(day: list[Told]) -> None:
    for told in day:
        if told.what == "evaluate" and told.reading.health is Health.DANGEROUS:
            forced = told.before.override
            is_covered = (
                forced is not None
                and told.reading.reason in forced.covers
                and (told.reading.gap or 0) <= (forced.gap_max or 3)
            )
            assert is_covered or told.after.state is OPEN


@given(days())
def test_a_suspension_heals_alone_only_with_proof_and_time(day: list[Told]) -> None:
    for told in day:
        if (
            told.what == "evaluate"
            and told.before.state is SUSPENDED
            and told.after.state is CLOSED
        ):
            assert told.reading.health is Health.CLEAN
            assert told.reading.low
            assert told.before.clean + told.reading.fresh >= CLEARANCE.clean_evaluations_min
            assert told.reading.at - told.before.calm_from >= CLEARANCE.dwell
            assert not told.before.flapping or (
                told.reading.at - told.before.calm_from >= CLEARANCE.window
            )


@given(days())
def test_by_itself_a_scope_closes_at_most_three_changes_deep_in_an_hour(day: list[Told]) -> None:
    since_release: list[datetime] = []
    for told, transition in transitions(day):
        if told.what == "reset":
            since_release = []
        if (
            told.what != "evaluate"
            or told.before.override
            or transition.from_state is (transition.to_state)
        ):
            continue
        since_release.append(transition.at)
        late = [at for at in since_release if transition.at - at < CLEARANCE.window]
        assert transition.to_state is not CLOSED or len(late) <= CLEARANCE.changes_max
        if transition.to_state is SUSPENDED and len(late) > CLEARANCE.changes_max:
            assert transition.reason == FLAPPING


@given(days())
def test_flapping_is_told_once_for_each_time_it_begins(day: list[Told]) -> None:
    for told, transition in transitions(day):
        if transition.reason == FLAPPING and told.what == "evaluate":
            assert told.after.flapping
            assert not told.before.flapping


@given(days())
def test_a_change_of_parents_changes_nothing_else(day: list[Told]) -> None:
    for told in day:
        if told.what == "reparent":
            if told.before.override is not None:
                assert told.after.state is told.before.override.state
                assert told.after.reason == OVERRIDE_ENDED
                continue
            assert told.before.state is CLOSED or told.after.reason == told.before.reason
            again = msgspec.structs.replace(
                told.after,
                epoch=told.before.epoch,
                seq=told.before.seq,
                reason=told.before.reason,
            )
            assert again == told.before


@given(days())
def test_a_state_is_read_back_as_it_was_written(day: list[Told]) -> None:
    for told in day:
        stored = msgspec.json.encode(told.after)
        assert msgspec.json.decode(stored, type=ScopeState) == told.after


def test_a_state_from_before_there_were_overrides_is_still_read() -> None:
    text = (
        b'{"state":"SUSPENDED","epoch":3,"seq":3,"reason":"SHORTAGE",'
        b'"since":"2026-11-20T08:00:00Z","calm_from":"2026-11-20T08:00:00Z","clean":2}'
    )
    scope = msgspec.json.decode(text, type=ScopeState)
    assert (scope.clean, scope.recent, scope.flapping, scope.override) == (2, (), False, None)
    assert clears_at(scope, CLEARANCE) == scope.calm_from + CLEARANCE.dwell


@pytest.mark.parametrize(
    ("maker", "checker"),
    [
        ("amal", "amal"),
        ("amal", "AMAL"),
        ("amal", " am al\t"),
        ("amal", "ａｍａｌ"),  # noqa: RUF001 - the same letters, wide
        ("amal", "am\u200bal"),
        ("", "bashir"),
        ("amal", " "),
    ],
)
def test_one_person_is_not_two_however_the_name_is_spelled(maker: str, checker: str) -> None:
    scope, _ = unproven(BORN_AT)
    approval = Approval(approval_id=7, maker=maker, checker=checker)
    reading = Reading(health=Health.CLEAN, reason="EQUAL", at=BORN_AT, fresh=True, low=True)
    assert not is_by_two(approval)
    with pytest.raises(OnePerson):
        order.reset(scope, reading, approval)
    until = BORN_AT + timedelta(minutes=5)
    with pytest.raises(OnePerson):
        order.override(scope, BORN_AT, until=until, known=None, approval=approval)


def test_a_release_is_refused_while_the_evidence_of_that_moment_is_not_clean() -> None:
    opened, _ = order.trip(unproven(BORN_AT)[0], BORN_AT)
    for health in (Health.DOUBTFUL, Health.DANGEROUS):
        reading = Reading(health=health, reason="R", at=BORN_AT, fresh=False, low=False)
        assert order.reset(opened, reading, TWO) == (opened, None)


def test_an_exercise_is_ended_by_one() -> None:
    opened, _ = order.trip(unproven(BORN_AT)[0], BORN_AT)
    closed, transition = order.end_exercise(opened, BORN_AT)
    assert (closed.state, transition.reason) == (CLOSED, order.EXERCISE_OVER)
