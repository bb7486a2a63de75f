"""One scope of the breaker: its state, how it got there, and how one evaluation moves it."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final, assert_never

import msgspec

from recon_streams.breaker.machine import Signal, next_state
from topics.breaker import BreakerState

NO_EVIDENCE: Final = "NO_EVIDENCE"
INSTALLED: Final = "INSTALLED"
FLAPPING: Final = "FLAPPING"
OVERRIDE_ENDED: Final = "OVERRIDE_ENDED"


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A state that two people forced, for a while.

    Attributes:
        state: What it would be without them, and will be again.
        until: From this instant on they have no say any more.
        covers: Reasons they knew of. Anything else that is wrong ends it at once.
        gap_max: How much was unexplained when they agreed, as an amount; more of it ends it at
            once too. None if nobody knew.
    """

    state: BreakerState
    until: datetime
    covers: tuple[str, ...] = ()
    gap_max: Decimal | None = None


class ScopeState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest state of a scope.

    Attributes:
        epoch: Rises with every transition; a permit carries it.
        seq: Rises with every new record of the scope; these are its transitions.
        since: When this state was entered.
        calm_from: The last instant anything spoke against clearing; the dwell counts from here.
        clean: Consecutive clean evaluations of fresh evidence since then.
        recent: When it changed by itself of late; what is older than the window is dropped.
        flapping: It changed too often, and is held until it was calm for the whole window.
        override: Why it is CLOSED although its evidence says otherwise.
    """

    state: BreakerState
    epoch: int
    seq: int
    reason: str
    since: datetime
    calm_from: datetime
    clean: int = 0
    recent: tuple[datetime, ...] = ()
    flapping: bool = False
    override: Override | None = None


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
        gap: How much is unexplained, as an amount without a sign; None if that is not known.
    """

    health: Health
    reason: str
    at: datetime
    fresh: bool
    low: bool
    gap: Decimal | None = None


class Clearance(msgspec.Struct, frozen=True, kw_only=True):
    """How many clean evaluations and how long a calm a suspension needs.

    Attributes:
        changes_max: How often a scope may change by itself within `window`; one more is flapping.
    """

    clean_evaluations_min: int
    dwell: timedelta
    changes_max: int = 3
    window: timedelta = timedelta(hours=1)


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A change that must be recorded, published and explained.

    The state may stay the same: another reason, or other parents, are a change too.
    """

    from_state: BreakerState | None
    to_state: BreakerState
    epoch: int
    seq: int
    reason: str
    at: datetime


Moved = tuple[ScopeState, Transition | None]


def unproven(at: datetime) -> tuple[ScopeState, Transition]:
    """Return the state an account is born with: no payouts until evidence has proven it sound."""
    return _born(BreakerState.SUSPENDED, NO_EVIDENCE, at)


def installed(at: datetime) -> tuple[ScopeState, Transition]:
    """Return the state of a scope that has no evidence of its own: open to all until stopped."""
    return _born(BreakerState.CLOSED, INSTALLED, at)


def advance(scope: ScopeState, reading: Reading, clearance: Clearance) -> Moved:
    """Return the scope after `reading`, and the transition if there was one."""
    if scope.override is not None:
        return _under_override(scope, scope.override, reading)
    counted = _count(scope, reading)
    state = next_state(counted.state, _signal(counted, reading, clearance))
    if state is counted.state:
        return counted, None
    recent = _recent(counted, reading.at, clearance)
    is_flapping = len(recent) > clearance.changes_max
    if is_flapping and state is BreakerState.CLOSED:
        # It would be closed only to be tripped again. Held, and told once.
        held = msgspec.structs.replace(counted, flapping=True)
        return moved(held, held.state, reason=FLAPPING, at=reading.at, is_new_state=False)
    reason = FLAPPING if is_flapping and state is BreakerState.SUSPENDED else reading.reason
    changed = msgspec.structs.replace(counted, recent=recent, flapping=is_flapping)
    return moved(changed, state, reason=reason, at=reading.at)


def moved(
    scope: ScopeState, state: BreakerState, *, reason: str, at: datetime, is_new_state: bool = True
) -> tuple[ScopeState, Transition]:
    """Return `scope` in `state`, with the transition that says so.

    What did not enter a new state keeps its dwell and its count.
    """
    after = msgspec.structs.replace(
        scope, state=state, epoch=scope.epoch + 1, seq=scope.seq + 1, reason=reason
    )
    if is_new_state:
        after = msgspec.structs.replace(after, since=at, calm_from=at, clean=0, override=None)
    return after, _transition(scope.state, after, at)


def clears_at(scope: ScopeState, clearance: Clearance) -> datetime | None:
    """Return when a suspension that has its clean evaluations may clear; None if it lacks some."""
    if scope.state is not BreakerState.SUSPENDED or scope.clean < clearance.clean_evaluations_min:
        return None
    dwell = max(clearance.dwell, clearance.window) if scope.flapping else clearance.dwell
    return scope.calm_from + dwell


def _born(state: BreakerState, reason: str, at: datetime) -> tuple[ScopeState, Transition]:
    born = ScopeState(state=state, epoch=1, seq=1, reason=reason, since=at, calm_from=at)
    return born, _transition(None, born, at)


def _under_override(scope: ScopeState, override: Override, reading: Reading) -> Moved:
    is_over = reading.at >= override.until
    is_known = reading.health is Health.CLEAN or _is_covered(reading, override)
    if is_known and not is_over:
        return scope, None
    state = next_state(override.state, _SIGNALS[reading.health])
    # What two people knew of is not news; that their time is up is.
    is_news = not is_known or state is not override.state
    return moved(scope, state, reason=reading.reason if is_news else OVERRIDE_ENDED, at=reading.at)


def _is_covered(reading: Reading, override: Override) -> bool:
    is_larger = (
        reading.gap is not None and override.gap_max is not None and reading.gap > override.gap_max
    )
    return reading.reason in override.covers and not is_larger


def _count(scope: ScopeState, reading: Reading) -> ScopeState:
    if reading.health is Health.CLEAN and reading.low:
        if not reading.fresh:
            return scope
        return msgspec.structs.replace(scope, clean=scope.clean + 1)
    # Anything else breaks the run of clean evaluations, and the dwell starts again.
    return msgspec.structs.replace(scope, clean=0, calm_from=max(scope.calm_from, reading.at))


def _signal(scope: ScopeState, reading: Reading, clearance: Clearance) -> Signal:
    match reading.health:
        case Health.DANGEROUS | Health.DOUBTFUL:
            return _SIGNALS[reading.health]
        case Health.CLEAN:
            ready_at = clears_at(scope, clearance)
            ready = ready_at is not None and reading.at >= ready_at and reading.low
            return Signal.CLEARED if ready else Signal.CALM
        case _ as unreachable:
            assert_never(unreachable)


_SIGNALS: Final = {
    Health.CLEAN: Signal.CALM,
    Health.DOUBTFUL: Signal.DOUBT,
    Health.DANGEROUS: Signal.DANGER,
}


def _recent(scope: ScopeState, at: datetime, clearance: Clearance) -> tuple[datetime, ...]:
    """Return when the scope changed within the window before `at`, this time included."""
    kept = [each for each in scope.recent if at - each < clearance.window]
    return (*kept[-clearance.changes_max :], at)


def _transition(before: BreakerState | None, after: ScopeState, at: datetime) -> Transition:
    return Transition(
        from_state=before,
        to_state=after.state,
        epoch=after.epoch,
        seq=after.seq,
        reason=after.reason,
        at=at,
    )
