"""Laws of positions: the order of arrival, repetition and batches do not change what is true."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from random import Random

import msgspec
from account_logs import OPENED_AT, RULES, Fact, facts, folded, in_order, logs, opened
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.kernel.money import normal
from recon_streams.positions.event import (
    AccountEvent,
    Elapsed,
    Leg,
    Registered,
    event_bytes,
    event_from_bytes,
)
from recon_streams.positions.state import AccountState, state_bytes, state_from_bytes
from recon_streams.positions.step import Step, register, step, wake_at
from recon_streams.positions.verdict import evaluate

# The last instant of a day: all has arrived; both sides fresh, or silent and most payments due.
ENDS_AT = st.sampled_from([OPENED_AT + timedelta(minutes=16), OPENED_AT + timedelta(hours=2)])


def figures(taken: Step) -> dict[str, object]:
    """The numbers of a verdict, and the tiers they give."""
    return {name: getattr(taken.verdict, name) for name in taken.verdict.__struct_fields__}


@given(facts(due_minutes_min=15), st.randoms(use_true_random=False), ENDS_AT)
def test_the_order_of_arrival_does_not_change_the_figures(
    day: list[Fact], shuffle: Random, ends_at: datetime
) -> None:
    end = Elapsed(at=ends_at)
    straight = folded([*in_order(day), end])[-1]
    shuffle.shuffle(day)
    disordered = folded([*in_order(day), end])[-1]
    assert figures(disordered) == figures(straight)
    assert disordered.state.items == straight.state.items
    assert disordered.state.ledger_sequence == straight.state.ledger_sequence
    for side in ("bank", "ledger"):
        mine, other = getattr(disordered.state, side), getattr(straight.state, side)
        assert (mine.anchor, mine.moved) == (other.anchor, other.moved)


@given(facts(due_minutes_min=0), st.randoms(use_true_random=False), ENDS_AT)
def test_payments_that_fall_due_meanwhile_change_only_what_is_reserved(
    day: list[Fact], shuffle: Random, ends_at: datetime
) -> None:
    # A settled payment is forgotten when it is due; what its reference does later is not its own.
    end = Elapsed(at=ends_at)
    straight = figures(folded([*in_order(day), end])[-1])
    shuffle.shuffle(day)
    disordered = figures(folded([*in_order(day), end])[-1])
    assert {**disordered, "reserved": None} == {**straight, "reserved": None}


@given(logs())
def test_folding_the_log_again_gives_the_same_bytes(events: list[AccountEvent]) -> None:
    live = folded(events)
    replayed = folded([event_from_bytes(event_bytes(event)) for event in events])
    for first, again in zip(live, replayed, strict=True):
        assert state_bytes(again.state) == state_bytes(first.state)
        assert again.verdict == first.verdict
        assert again.transition == first.transition


@given(logs(), st.sets(st.integers(0, 20)))
def test_it_does_not_matter_where_batches_end(events: list[AccountEvent], ends: set[int]) -> None:
    # At the end of a batch the state is stored; the next one begins with what was stored.
    state = opened().state
    for index, event in enumerate(events):
        if index in ends:
            state = state_from_bytes(state_bytes(state))
        state = step(state, event, RULES).state
    assert state_bytes(state) == state_bytes(folded(events)[-1].state)


@given(logs())
def test_states_and_events_are_read_back_as_they_were_written(events: list[AccountEvent]) -> None:
    for event, taken in zip(events, folded(events)[1:], strict=True):
        assert event_from_bytes(event_bytes(event)) == event
        assert event_bytes(event_from_bytes(event_bytes(event))) == event_bytes(event)
        assert state_from_bytes(state_bytes(taken.state)) == taken.state
        assert state_bytes(state_from_bytes(state_bytes(taken.state))) == state_bytes(taken.state)


@given(logs(), st.integers(0, 6))
def test_zeros_behind_the_point_do_not_reach_the_state(
    events: list[AccountEvent], zeros: int
) -> None:
    unit = Decimal((0, (1,), -2 - zeros))
    padded = [_requantized(event, unit) for event in events]
    assert padded == events
    end = folded(padded, opened(Decimal(1000).quantize(unit)))[-1]
    assert state_bytes(end.state) == state_bytes(folded(events)[-1].state)
    for amount in (end.verdict.bank, end.verdict.ledger, end.verdict.unexplained):
        assert amount is not None
        assert str(amount) == str(normal(amount))


@given(logs())
def test_the_figures_of_one_side_alone_have_one_spelling_too(events: list[AccountEvent]) -> None:
    opening = Registered(at=OPENED_AT, bank=Decimal("1000.50"), as_of=OPENED_AT)
    for taken in folded(events, register("SAFE", "AED", opening, RULES)):
        for amount in (taken.verdict.bank, taken.verdict.ledger, taken.verdict.reserved):
            assert amount is None or str(amount) == str(normal(amount))


@given(logs())
def test_a_state_remembers_the_tier_of_its_verdict(events: list[AccountEvent]) -> None:
    for taken in folded(events):
        assert taken.state.tier is taken.verdict.tier


@given(logs())
def test_the_log_has_no_gaps_and_its_clock_never_runs_backwards(
    events: list[AccountEvent],
) -> None:
    steps = folded(events)
    for number, (before, after) in enumerate(pairwise(steps), start=2):
        assert after.state.version == number
        assert after.state.evaluated_at >= before.state.evaluated_at


@given(logs())
def test_a_step_changes_nothing_it_was_given(events: list[AccountEvent]) -> None:
    state = opened().state
    for event in events:
        before = state_bytes(state), event_bytes(event)
        taken = step(state, event, RULES)
        assert (state_bytes(state), event_bytes(event)) == before
        state = taken.state


@given(logs(), st.integers(1, 10_000))
def test_between_two_wake_ups_no_verdict_changes(events: list[AccountEvent], part: int) -> None:
    for taken in folded(events):
        at = wake_at(taken.state, RULES)
        until = at or taken.state.evaluated_at + timedelta(days=2)
        assert until > taken.state.evaluated_at
        moment = taken.state.evaluated_at + (until - taken.state.evaluated_at) * part / 10_001
        for now in (moment, until - timedelta(microseconds=1)):
            assert evaluate(taken.state, RULES, now) == taken.verdict
            assert not _would_move(taken.state, now)


def _would_move(state: AccountState, now: datetime) -> bool:
    return step(state, Elapsed(at=now), RULES).transition is not None


@given(facts(due_minutes_min=0))
def test_every_difference_is_explained_or_not(day: list[Fact]) -> None:
    for taken in folded(in_order(day)):
        verdict = taken.verdict
        if verdict.difference is not None:
            assert verdict.bank is not None
            assert verdict.ledger is not None
            assert verdict.unexplained is not None
            assert verdict.difference == verdict.bank - verdict.ledger
            assert verdict.explained + verdict.unexplained == verdict.difference


@given(logs(), st.integers(-14, 14))
def test_the_zone_in_which_an_instant_is_written_does_not_reach_the_state(
    events: list[AccountEvent], hours: int
) -> None:
    zone = timezone(timedelta(hours=hours))
    moved = [
        msgspec.structs.replace(
            event,
            **{
                name: getattr(event, name).astimezone(zone)
                for name in ("at", "occurred_at", "as_of", "due_at")
                if hasattr(event, name)
            },
        )
        for event in events
    ]
    assert moved == events
    assert state_bytes(folded(moved)[-1].state) == state_bytes(folded(events)[-1].state)


def _requantized(event: AccountEvent, unit: Decimal) -> AccountEvent:
    changes: dict[str, object] = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, Decimal):
            changes[name] = value.quantize(unit)
        elif name == "legs":
            changes[name] = tuple(Leg(leg.reference, leg.amount.quantize(unit)) for leg in value)
    return msgspec.structs.replace(event, **changes)
