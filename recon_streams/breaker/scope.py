"""One scope of the breaker: its state, how it got there, and how one evaluation moves it."""

from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import assert_never

import msgspec

from recon_streams.breaker.machine import Signal, next_state
from topics.breaker import BreakerState

NO_EVIDENCE = "NO_EVIDENCE"


class ScopeState(msgspec.Struct, frozen=True, kw_only=True):
    """The newest state of a scope.

    Attributes:
        epoch: Rises with every change of state; a permit carries it.
        seq: Rises with every new record of the scope; so far these are its changes of state alone.
        since: When this state was entered.
        calm_from: The last instant anything spoke against clearing; the dwell counts from here.
        clean: Consecutive clean evaluations of fresh evidence since then.
    """

    state: BreakerState
    epoch: int
    seq: int
    reason: str
    since: datetime
    calm_from: datetime
    clean: int = 0


@unique
class Health(StrEnum):
    """What one evaluation says of the account."""

    CLEAN = "CLEAN"
    DOUBTFUL = "DOUBTFUL"
    DANGEROUS = "DANGEROUS"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One evaluation, as the breaker sees it.

    Attributes:
        fresh: It was caused by new evidence, not by the passing of time.
        low: The difference is below the bound from which a suspension may clear.
    """

    health: Health
    reason: str
    at: datetime
    fresh: bool
    low: bool


class Clearance(msgspec.Struct, frozen=True, kw_only=True):
    """How many clean evaluations and how long a calm a suspension needs."""

    clean_evaluations_min: int
    dwell: timedelta


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A change of state that must be recorded, published and explained."""

    from_state: BreakerState | None
    to_state: BreakerState
    epoch: int
    seq: int
    reason: str
    at: datetime


def unproven(at: datetime) -> tuple[ScopeState, Transition]:
    """Return the state a scope is born with: no payouts until evidence has proven it sound."""
    born = ScopeState(
        state=BreakerState.SUSPENDED, epoch=1, seq=1, reason=NO_EVIDENCE, since=at, calm_from=at
    )
    return born, _transition(None, born)


def advance(
    scope: ScopeState, reading: Reading, clearance: Clearance
) -> tuple[ScopeState, Transition | None]:
    """Return the scope after `reading`, and the transition if its state changed."""
    counted = _count(scope, reading)
    state = next_state(counted.state, _signal(counted, reading, clearance))
    if state is counted.state:
        return counted, None
    moved = msgspec.structs.replace(
        counted,
        state=state,
        epoch=counted.epoch + 1,
        seq=counted.seq + 1,
        reason=reading.reason,
        since=reading.at,
        calm_from=reading.at,
        clean=0,
    )
    return moved, _transition(scope.state, moved)


def clears_at(scope: ScopeState, clearance: Clearance) -> datetime | None:
    """Return when a suspension that has its clean evaluations may clear; None if it lacks some."""
    if scope.state is not BreakerState.SUSPENDED or scope.clean < clearance.clean_evaluations_min:
        return None
    return scope.calm_from + clearance.dwell


def _count(scope: ScopeState, reading: Reading) -> ScopeState:
    if reading.health is Health.CLEAN and reading.low:
        if not reading.fresh:
            return scope
        return msgspec.structs.replace(scope, clean=scope.clean + 1)
    # Anything else breaks the run of clean evaluations, and the dwell starts again.
    return msgspec.structs.replace(scope, clean=0, calm_from=max(scope.calm_from, reading.at))


def _signal(scope: ScopeState, reading: Reading, clearance: Clearance) -> Signal:
    match reading.health:
        case Health.DANGEROUS:
            return Signal.DANGER
        case Health.DOUBTFUL:
            return Signal.DOUBT
        case Health.CLEAN:
            ready_at = clears_at(scope, clearance)
            ready = ready_at is not None and reading.at >= ready_at and reading.low
            return Signal.CLEARED if ready else Signal.CALM
        case _ as unreachable:
            assert_never(unreachable)


def _transition(before: BreakerState | None, after: ScopeState) -> Transition:
    return Transition(
        from_state=before,
        to_state=after.state,
        epoch=after.epoch,
        seq=after.seq,
        reason=after.reason,
        at=after.since,
    )
