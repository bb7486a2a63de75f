"""Strategies for the laws: what happened, and what is written down of it in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from hypothesis import strategies as st

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
)
from recon_streams.positions.rules import Clearing, Rules
from recon_streams.positions.step import Step, register, step

OPENED_AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
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
