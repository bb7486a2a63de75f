"""Laws of positions: the order of arrival, repetition and batches do not change what is true."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any, Literal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.kernel.money import normal
from recon_streams.positions.event import (
    AccountEvent,
    Announced,
    BankMoved,
    BankObserved,
    Elapsed,
    Evidence,
    ItemKind,
    LedgerBalanced,
    LedgerMoved,
    Leg,
    Registered,
    Released,
    RulesChanged,
    event_bytes,
    event_from_bytes,
)
from recon_streams.positions.rules import Clearing, Rules
from recon_streams.positions.state import AccountState, state_bytes, state_from_bytes
from recon_streams.positions.step import Step, register, step, wake_at
from recon_streams.positions.verdict import evaluate

OPENED_AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
# The last instant of a day: all has arrived; both sides fresh, or silent and most payments due.
ENDS_AT = st.sampled_from([OPENED_AT + timedelta(minutes=16), OPENED_AT + timedelta(hours=2)])
ZERO = Decimal(0)
RULES = Rules(
    clearing=Clearing(clean_evaluations_min=2, dwell_seconds_min=60),
    bank_silence_seconds_max=3600,
    ledger_silence_seconds_max=1800,
)


What = Literal["bank", "ledger", "balance", "announce", "release"]
WHATS: tuple[What, ...] = ("bank", "bank", "ledger", "balance", "announce", "release")


@dataclass(frozen=True)
class Fact:
    """Something that happened at the bank or in the ledger, before anybody heard of it."""

    what: What
    amount: Decimal
    reference: str | None
    sequence: int
    due_at: datetime
    item: ItemKind


amounts = st.integers(0, 400).map(lambda units: Decimal(units) / 4)
signed = st.integers(-400, 400).map(lambda units: Decimal(units) / 4)
references = st.sampled_from(["P-1", "P-2", "P-3"])


@st.composite
def facts(draw: st.DrawFn, *, due_minutes_min: int) -> list[Fact]:
    """A day in the order of the ledger's own numbers; no two ledger facts have the same one."""
    day = []
    for sequence in range(1, draw(st.integers(1, 14)) + 1):
        what = draw(st.sampled_from(WHATS))
        moves = what in {"bank", "ledger"}
        day.append(
            Fact(
                what=what,
                amount=draw(signed if moves else amounts),
                reference=draw(references | st.none() if moves else references),
                sequence=sequence,
                due_at=OPENED_AT + timedelta(minutes=draw(st.integers(due_minutes_min, 180))),
                item=draw(st.sampled_from(ItemKind)),
            )
        )
    return day


def in_order(arrivals: Sequence[Fact]) -> list[AccountEvent]:
    """Return what is written into the log when the facts become known in this order."""
    events: list[AccountEvent] = []
    for index, fact in enumerate(arrivals):
        before = arrivals[:index]
        at = OPENED_AT + timedelta(minutes=1 + index)
        said: dict[str, Any] = {
            "at": at,
            "evidence": Evidence(topic="t", partition=0, offset=index),
        }
        ledger = {**said, "ledger_sequence": fact.sequence, "occurred_at": at}
        same = [other for other in before if other.reference == fact.reference]
        match fact.what:
            case "bank":
                legs = (Leg(fact.reference, fact.amount),) if fact.reference else ()
                events.append(
                    BankMoved(**said, amount=fact.amount, entry_amount=fact.amount, legs=legs)
                )
            case "ledger":
                events.append(LedgerMoved(**ledger, amount=fact.amount, reference=fact.reference))
            case "balance":
                later = [f for f in before if f.what == "ledger" and f.sequence > fact.sequence]
                events.append(
                    LedgerBalanced(
                        **said,
                        amount=fact.amount,
                        ledger_sequence=fact.sequence,
                        as_of=at,
                        moved_after=total(later),
                    )
                )
            case "release":
                assert fact.reference is not None
                events.append(Released(**ledger, reference=fact.reference))
            case "announce":
                assert fact.reference is not None
                events.append(
                    Announced(
                        **ledger,
                        item=fact.item,
                        reference=fact.reference,
                        amount=fact.amount,
                        due_at=fact.due_at,
                        bank_leg=total([f for f in same if f.what == "bank"]),
                        ledger_leg=total([f for f in same if f.what == "ledger"]),
                        released=any(
                            f.what in {"release", "announce"} and f.sequence > fact.sequence
                            for f in same
                        ),
                    )
                )
    return events


def total(parts: Sequence[Fact]) -> Decimal:
    return sum((fact.amount for fact in parts), ZERO)


def opened(figure: Decimal = Decimal(1000)) -> Step:
    opening = Registered(at=OPENED_AT, bank=figure, ledger=figure, as_of=OPENED_AT)
    return register("SAFE", "AED", opening, RULES)


def folded(events: Sequence[AccountEvent], first: Step | None = None) -> list[Step]:
    steps = [first or opened()]
    for event in events:
        steps.append(step(steps[-1].state, event, RULES))
    return steps


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


@st.composite
def logs(draw: st.DrawFn) -> list[AccountEvent]:
    """The log of an account, with ticks, silences and changes of the rules in it."""
    events = in_order(draw(facts(due_minutes_min=0)))
    for _ in range(draw(st.integers(0, 4))):
        at = OPENED_AT + timedelta(minutes=draw(st.integers(0, 90)))
        between: tuple[AccountEvent, ...] = (
            Elapsed(at=at),
            BankObserved(at=at),
            RulesChanged(at=at, version=2),
        )
        events.insert(draw(st.integers(0, len(events))), draw(st.sampled_from(between)))
    return events


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


def _requantized(event: AccountEvent, unit: Decimal) -> AccountEvent:
    changes: dict[str, object] = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, Decimal):
            changes[name] = value.quantize(unit)
        elif name == "legs":
            changes[name] = tuple(Leg(leg.reference, leg.amount.quantize(unit)) for leg in value)
    return msgspec.structs.replace(event, **changes)
