"""The SQL of scopes: made once, changed by transitions only; those are never changed at all."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker.names import ScopeKind, corridor_scope, kind_of, parents_of
from recon_streams.breaker.record import Decision, messages_of
from recon_streams.breaker.scope import ScopeState, Transition, installed

_COLUMNS: Final = {
    "scope": "text",
    "epoch": "bigint",
    "seq": "bigint",
    "from_state": "text",
    "to_state": "text",
    "reason": "text",
    "evidence": "bytea",
    "evidence_hash": "text",
    "decided_at": "timestamptz",
    "parents": "text",  # an array of arrays would be taken apart altogether; no name has a comma
    "actor": "text",
    "words": "text",
    "approval_id": "bigint",
    "maker": "text",
    "checker": "text",
    "override_until": "timestamptz",
}
_VALUES: Final = ", ".join(_COLUMNS).replace("parents", "string_to_array(parents, ',')")
_TRANSITION: Final = Bulk(
    "transition",
    tuple(_COLUMNS.items()),
    f"INSERT INTO breaker.transition ({', '.join(_COLUMNS)}) SELECT {_VALUES} FROM {{rows}}",  # noqa: S608 - ours
)
_FOLD_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_FOLD_DECODER: Final = msgspec.json.Decoder(ScopeState)
_EVIDENCE_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def write(unit: UnitOfWork, decisions: Iterable[Decision]) -> None:
    """Record `decisions` in their order; the database lets no epoch stand twice or be left out."""
    unit.write(_TRANSITION, (_row(decision) for decision in decisions))


async def make_accounts(connection: Session, scopes: Mapping[str, int]) -> None:
    """Make the scopes of new accounts, by account number; their first transition must follow."""
    await connection.execute(
        "INSERT INTO breaker.scope (scope, kind, number) "
        "SELECT scope, 'account', number FROM unnest($1::text[], $2::int[]) AS s (scope, number)",
        list(scopes),
        list(scopes.values()),
    )


async def parents_in_force(
    connection: Session, numbers: Collection[int]
) -> dict[str, tuple[str, ...]]:
    """Return what stands above each account of `numbers` by its newest record, by scope."""
    rows = await connection.fetch(
        "SELECT scope, parents FROM breaker.scope WHERE number = ANY($1::int[])", list(numbers)
    )
    return {row["scope"]: tuple(row["parents"]) for row in rows}


async def make_corridors(unit: UnitOfWork, corridors: Iterable[str], *, at: datetime) -> None:
    """Make those of `corridors` that are new. A corridor lets pass until somebody stops it."""
    for corridor in sorted(set(corridors)):
        await make(unit, corridor_scope(corridor), at=at)


async def make(unit: UnitOfWork, scope: str, *, at: datetime) -> None:
    """Make `scope`, which is no account, if nobody knows it; CLOSED, and published.

    Must run before anything of the scope is written in `unit`, as what is written waits.
    """
    fold, transition = installed(at)
    kind = kind_of(scope)
    assert kind is not ScopeKind.ACCOUNT, "accounts are made by the registry"
    made = await unit.connection.fetchval(
        "INSERT INTO breaker.scope (scope, kind, fold) VALUES ($1, $2, $3) "
        "ON CONFLICT (scope) DO NOTHING RETURNING scope",
        scope,
        kind.value,
        _FOLD_ENCODER.encode(fold),
    )
    if made is None:
        return
    evidence = _EVIDENCE_ENCODER.encode({"installed": at})
    record(unit, decision_of(scope, transition, evidence))


def decision_of(scope: str, transition: Transition, evidence: bytes) -> Decision:
    """Return the decision on a scope that is not an account."""
    return Decision(
        scope=scope,
        transition=transition,
        evidence=evidence,
        parents=parents_of(kind_of(scope)),
    )


def record(unit: UnitOfWork, decision: Decision) -> None:
    """Record and publish one decision on a scope that is not an account."""
    write(unit, [decision])
    unit.publish(messages_of(decision))


async def lock_folds(connection: Session, scopes: Collection[str]) -> dict[str, ScopeState]:
    """Return the states of those of `scopes` that are not accounts, locked, in sorted order.

    Whoever also wants accounts locks those first.
    """
    # `all` has no fold until it is touched for the first time: the migration has no such bytes.
    rows = await connection.fetch(
        "SELECT scope, fold, state, epoch, seq, reason, decided_at FROM breaker.scope "
        "WHERE scope = ANY($1::text[]) AND number IS NULL ORDER BY scope FOR UPDATE",
        sorted(scopes),
    )
    return {row["scope"]: _fold_of(row) for row in rows}


async def numbers_of(connection: Session, scopes: Collection[str]) -> dict[str, int | None]:
    """Return those of `scopes` that exist, each with its account number if it is an account."""
    rows = await connection.fetch(
        "SELECT scope, number FROM breaker.scope WHERE scope = ANY($1::text[])", list(scopes)
    )
    return {row["scope"]: row["number"] for row in rows}


async def keep_fold(connection: Session, scope: str, fold: ScopeState) -> None:
    """Keep the newest state of a scope that is not an account."""
    await connection.execute(
        "UPDATE breaker.scope SET fold = $2 WHERE scope = $1", scope, _FOLD_ENCODER.encode(fold)
    )


def _fold_of(row: asyncpg.Record) -> ScopeState:
    if row["fold"] is not None:
        return _FOLD_DECODER.decode(row["fold"])
    fold, _ = installed(row["decided_at"])
    assert (fold.epoch, fold.state.value) == (row["epoch"], row["state"]), "it was never touched"
    return fold


def _row(decision: Decision) -> tuple[Any, ...]:
    transition, approval = decision.transition, decision.approval
    return (
        decision.scope,
        transition.epoch,
        transition.seq,
        transition.from_state.value if transition.from_state else None,
        transition.to_state.value,
        transition.reason,
        decision.evidence,
        decision.evidence_hash,
        transition.at,
        ",".join(decision.parents),
        decision.actor,
        decision.words,
        approval.approval_id if approval else None,
        approval.maker if approval else None,
        approval.checker if approval else None,
        decision.override_until,
    )
