"""Seeded days of several accounts: after every event the product says what the oracle says."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from account_days import AccountDay
from oracle import Fact, Opening, Oracle, RuleBook

from recon_streams.positions.event import (
    AccountEvent,
    Announced,
    BankMoved,
    BankObserved,
    Elapsed,
    ItemKind,
    LedgerBalanced,
    LedgerMoved,
    Leg,
    Registered,
    Released,
)
from recon_streams.positions.rules import Clearing, Limits, Rules
from recon_streams.positions.state import state_bytes, state_from_bytes
from recon_streams.positions.step import Step, register, step, wake_at
from topics.positions import Tier

SEEDS = range(300)
ACCOUNTS = 3
BEGINS_AT = datetime(2026, 11, 20, 6, tzinfo=UTC)


def money(units: int) -> Decimal:
    return Decimal(units).scaleb(-8)


def instant(seconds: int) -> datetime:
    return BEGINS_AT + timedelta(seconds=seconds)


class Scribe:
    """Writes facts down as events, with what had to be looked up in those before."""

    def __init__(self) -> None:
        self._past: list[Fact] = []

    def event_of(self, fact: Fact) -> AccountEvent:
        event = self._event_of(fact)
        self._past.append(fact)
        return event

    def _event_of(self, fact: Fact) -> AccountEvent:
        at, amount = instant(fact.at), money(fact.amount)
        match fact.kind:
            case "tick":
                return Elapsed(at=at)
            case "seen":
                return BankObserved(at=at)
            case "bank":
                legs = (Leg(fact.reference, amount),) if fact.reference else ()
                return BankMoved(at=at, amount=amount, entry_amount=amount, legs=legs)
            case "balance":
                later = (
                    f.amount for f in self._past if f.kind == "move" and f.sequence > fact.sequence
                )
                return LedgerBalanced(
                    at=at,
                    amount=amount,
                    ledger_sequence=fact.sequence,
                    as_of=instant(fact.said_at),
                    moved_after=money(sum(later)),
                )
            case _:
                return self._ledger_record(fact, at, amount)

    def _ledger_record(self, fact: Fact, at: datetime, amount: Decimal) -> AccountEvent:
        said: dict[str, Any] = {
            "at": at,
            "ledger_sequence": fact.sequence,
            "occurred_at": instant(fact.said_at),
        }
        if fact.kind == "move":
            return LedgerMoved(**said, amount=amount, reference=fact.reference or None)
        if fact.kind == "release":
            return Released(**said, reference=fact.reference)
        words = {"hold", "payout", "deposit", "release"}
        return Announced(
            **said,
            item=ItemKind(fact.kind),
            reference=fact.reference,
            amount=amount,
            due_at=instant(fact.due),
            bank_leg=self._leg(fact, "bank"),
            ledger_leg=self._leg(fact, "move"),
            released=any(
                f.kind in words and f.reference == fact.reference and f.sequence > fact.sequence
                for f in self._past
            ),
        )

    def _leg(self, fact: Fact, kind: str) -> Decimal:
        legs = (f for f in self._past if f.kind == kind and f.reference == fact.reference)
        return money(sum(f.amount for f in legs))


def rules_of(book: RuleBook) -> Rules:
    def limit(units: int | None) -> Decimal | None:
        return None if units is None else money(units)

    return Rules(
        scale=8,
        limits=Limits(
            minor_amount=limit(book.minor_amount),
            significant_amount=limit(book.significant_amount),
            critical_amount=limit(book.critical_amount),
            unallocated_amount=limit(book.unallocated_amount),
        ),
        clearing=Clearing(clean_evaluations_min=book.clean_needed, dwell_seconds_min=book.dwell),
        bank_silence_seconds_max=book.bank_silence,
        ledger_silence_seconds_max=book.ledger_silence,
    )


def opened(opening: Opening, rules: Rules) -> Step:
    event = Registered(
        at=BEGINS_AT,
        bank=None if opening.bank is None else money(opening.bank),
        ledger=None if opening.ledger is None else money(opening.ledger),
        ledger_sequence=opening.sequence,
        as_of=instant(opening.as_of),
    )
    return register("SAFE", "AED", event, rules)


def said_by(taken: Step, rules: Rules) -> dict[str, Any]:
    """Return the product's answer in the oracle's words."""
    verdict, breaker = taken.verdict, taken.state.breaker
    wake = wake_at(taken.state, rules)
    figures = {
        name: None if amount is None else int(amount.scaleb(8))
        for name in ("bank", "ledger", "reserved", "difference", "explained", "unexplained")
        for amount in [getattr(verdict, name)]
    }
    return {
        **figures,
        "raw": verdict.raw_tier.value,
        "tier": verdict.tier.value,
        "breaker": breaker.state.value,
        "epoch": breaker.epoch,
        "wake": None if wake is None else int((wake - BEGINS_AT).total_seconds()),
    }


def lived(seed: int, number: int) -> Iterator[tuple[Fact, dict[str, Any], dict[str, Any]]]:
    """Yield each fact of the account's day with what the product and the oracle say after it."""
    chance = Random(f"{seed}/{number}")
    day = AccountDay(chance)
    rules, scribe = rules_of(day.book), Scribe()
    oracle = Oracle(day.opening, day.book)
    taken = opened(day.opening, rules)
    waiting = list(day.facts)
    while waiting:
        wake = wake_at(taken.state, rules)
        fact = waiting[0]
        # Whoever wakes the account is usually in time, and sometimes an input comes first.
        due = None if wake is None else int((wake - BEGINS_AT).total_seconds())
        if due is not None and due <= fact.at and chance.random() < 0.8:
            fact = Fact("tick", at=due)
        else:
            waiting.pop(0)
        state = taken.state
        if chance.random() < 0.1:
            state = state_from_bytes(state_bytes(state))  # a restart between two batches
        taken = step(state, scribe.event_of(fact), rules)
        yield fact, said_by(taken, rules), oracle.hear(fact)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_oracle_agrees_after_every_event_of_the_day(seed: int) -> None:
    for number in range(ACCOUNTS):
        for place, (fact, product, oracle) in enumerate(lived(seed, number)):
            assert product == oracle, f"seed {seed}, account {number}, fact {place}: {fact}"


def test_the_days_are_eventful_enough_to_prove_something() -> None:
    seen: Counter[str] = Counter()
    for seed in range(60):
        breaker = "SUSPENDED"
        for fact, product, _ in lived(seed, 0):
            seen.update((fact.kind, product["tier"], f"raw {product['raw']}"))
            seen[f"{breaker} to {product['breaker']}"] += 1
            breaker = product["breaker"]
            covered = product["explained"] and product["tier"] != product["raw"]
            seen["covered"] += bool(covered)
    expected = {"tick", "seen", "bank", "move", "balance", "hold", "payout", "deposit", "release"}
    expected |= {"covered", *Tier} | {f"raw {tier}" for tier in Tier}
    expected |= {f"CLOSED to {state}" for state in ("SUSPENDED", "OPEN")}
    expected |= {f"SUSPENDED to {state}" for state in ("CLOSED", "OPEN")}
    rare = {what: seen[what] for what in sorted(expected) if seen[what] < 5}
    assert not rare, dict(seen)
