"""Scopes above accounts, and drills: their state is moved by people, and by time, alone."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import msgspec

from recon_streams.alerts.breaking import Stop, scope_signals
from recon_streams.alerts.telling import tell
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker.order import Approval
from recon_streams.breaker.record import SYSTEM
from recon_streams.breaker.scope import (
    OVERRIDE_ENDED,
    Clearance,
    Health,
    Moved,
    Reading,
    ScopeState,
    Transition,
    advance,
)
from recon_streams.scopes import store

_OVER: Final = "SELECT scope FROM breaker.scope WHERE number IS NULL AND override_until <= $1"
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_NEVER_BY_ITSELF: Final = Clearance(clean_evaluations_min=1, dwell=timedelta.max)


class Deed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody did, and why; it is the evidence of the transition.

    Attributes:
        what: One word.
        facts: What two people were shown, as JSON.
    """

    what: str
    actor: str
    at: datetime
    words: str = ""
    approval: Approval | None = None
    facts: msgspec.Raw = msgspec.Raw(b"null")


async def move(
    unit: UnitOfWork, scope: str, before: ScopeState, moved: Moved, deed: Deed
) -> Transition | None:
    """Record, publish and tell that `deed` has moved `scope` from `before`, locked, as `moved`."""
    after, transition = moved
    if transition is None:
        return None
    was = {"epoch": before.epoch, "reason": before.reason, "state": before.state}
    decision = msgspec.structs.replace(
        store.decision_of(scope, transition, _ENCODER.encode({"before": was, "deed": deed})),
        actor=deed.actor,
        words=deed.words,
        approval=deed.approval,
        override_until=after.override.until if after.override else None,
    )
    await store.keep_fold(unit.connection, scope, after)
    store.record(unit, decision)
    source = "time" if deed.actor == SYSTEM else "person"
    tell(unit, scope_signals(_stop(scope, after), at=transition.at, source=source))
    return transition


async def end_overrides(pool: asyncpg.Pool, *, now: datetime) -> int:
    """Let the forced states end whose instant has come; return how many did.

    Those of accounts end in the accounts' own logs.
    """
    # Asked every second, and hardly ever true.
    if not await pool.fetchval(f"SELECT EXISTS ({_OVER})", now):
        return 0
    async with UnitOfWork(pool) as unit:
        rows = await unit.connection.fetch(f"{_OVER} ORDER BY scope FOR UPDATE SKIP LOCKED", now)
        folds = await store.lock_folds(unit.connection, [row["scope"] for row in rows])
        for scope, fold in folds.items():
            await _end_override(unit, scope, fold)
    return len(rows)


async def _end_override(unit: UnitOfWork, scope: str, fold: ScopeState) -> None:
    assert fold.override is not None, "the newest transition has forced it"
    until = fold.override.until
    ended = Reading(health=Health.CLEAN, reason=OVERRIDE_ENDED, at=until, fresh=False, low=False)
    deed = Deed(what="override_ended", actor=SYSTEM, at=until)
    await move(unit, scope, fold, advance(fold, ended, _NEVER_BY_ITSELF), deed)


async def lock(unit: UnitOfWork, scopes: Iterable[str]) -> dict[str, ScopeState]:
    """Return the states of `scopes`, none of them an account, locked in sorted order."""
    return await store.lock_folds(unit.connection, list(scopes))


def _stop(scope: str, fold: ScopeState) -> Stop:
    return Stop(
        scope=scope,
        state=fold.state,
        epoch=fold.epoch,
        reason=fold.reason,
        since=fold.since,
        forced_until=fold.override.until if fold.override else None,
    )
