"""What people do to a scope: stop it alone, let it go by two, or force it for a while.

A stop needs nobody's leave and always works. A release proves nothing: what the evidence says next
is judged as ever, and trips again at once.
"""

import unicodedata
from datetime import datetime, timedelta
from typing import Final

import msgspec

from recon_streams.breaker.scope import (
    OVERRIDE_ENDED,
    Health,
    Moved,
    Override,
    Reading,
    ScopeState,
    Transition,
    moved,
)
from topics.breaker import BreakerState

MANUAL_TRIP: Final = "MANUAL_TRIP"
RESET: Final = "RESET"
OVERRIDE: Final = "OVERRIDE"
PARENTS_CHANGED: Final = "PARENTS_CHANGED"
EXERCISE_OVER: Final = "EXERCISE_OVER"
OVERRIDE_MAX: Final = timedelta(minutes=30)


class OnePerson(Exception):
    """Somebody approved what they had asked for themselves."""

    def __init__(self) -> None:
        super().__init__("it takes two different people")


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Two people agreed: the number of their request, who asked and who approved."""

    approval_id: int
    maker: str
    checker: str


def trip(scope: ScopeState, at: datetime) -> tuple[ScopeState, Transition]:
    """Return `scope` stopped by hand.

    One that is OPEN already gets a new epoch all the same: whoever was about to release it did not
    know of this.
    """
    return moved(scope, BreakerState.OPEN, reason=MANUAL_TRIP, at=at)


def reset(scope: ScopeState, reading: Reading, approval: Approval) -> Moved:
    """Return `scope` released, unless the evaluation of this very moment speaks against it.

    Raises:
        OnePerson: `approval` is not by two people.
    """
    _require_two(approval)
    if reading.health is not Health.CLEAN or not is_stopped(scope):
        return scope, None
    released = msgspec.structs.replace(scope, recent=(), flapping=False)
    return moved(released, BreakerState.CLOSED, reason=RESET, at=reading.at)


def override(
    scope: ScopeState, at: datetime, *, until: datetime, known: Reading | None, approval: Approval
) -> Moved:
    """Return `scope` forced CLOSED until `until`, and 30 minutes at most.

    What its evidence says at this moment is `known`, if it has any: that, and no larger gap, is
    what the two people were shown. Nothing happens to a scope that is CLOSED anyway, or if `until`
    has passed.

    Raises:
        OnePerson: `approval` is not by two people.
    """
    _require_two(approval)
    if scope.state is BreakerState.CLOSED or until <= at:
        return scope, None
    until = min(until, at + OVERRIDE_MAX)
    forced, transition = moved(scope, BreakerState.CLOSED, reason=OVERRIDE, at=at)
    reasons = (scope.reason,) if known is None else (scope.reason, known.reason)
    what_it_was = Override(
        state=scope.state,
        until=until,
        covers=tuple(dict.fromkeys(reasons)),
        gap_max=None if known is None else known.gap,
    )
    return msgspec.structs.replace(forced, override=what_it_was), transition


def end_exercise(scope: ScopeState, at: datetime) -> tuple[ScopeState, Transition]:
    """Return a drill's scope closed again; no payout hangs on it, so one person may."""
    return moved(scope, BreakerState.CLOSED, reason=EXERCISE_OVER, at=at)


def reparent(scope: ScopeState, at: datetime) -> tuple[ScopeState, Transition]:
    """Return `scope` with a new record of the same state: what stands above it has changed.

    A state that was forced ends: it is not what two people agreed to any more.
    """
    if scope.override is not None:
        return moved(scope, scope.override.state, reason=OVERRIDE_ENDED, at=at)
    # What stopped it is still why it is stopped; that two people released it is no news again.
    is_closed = scope.state is BreakerState.CLOSED
    reason = PARENTS_CHANGED if is_closed else scope.reason
    return moved(scope, scope.state, reason=reason, at=at, is_new_state=False)


def is_stopped(scope: ScopeState) -> bool:
    """Return whether there is anything to release: it denies, or would but for an override."""
    return scope.state is not BreakerState.CLOSED or scope.override is not None


def is_by_two(approval: Approval) -> bool:
    """Return whether maker and checker are two, however their names are spelled."""
    maker, checker = _spelled(approval.maker), _spelled(approval.checker)
    return bool(maker) and bool(checker) and maker != checker


def _require_two(approval: Approval) -> None:
    if not is_by_two(approval):
        raise OnePerson


def _spelled(subject: str) -> str:
    shown = unicodedata.normalize("NFKC", subject)
    return "".join(
        c for c in shown if not c.isspace() and unicodedata.category(c) != "Cf"
    ).casefold()
