"""What the book says of every scope now: the record that should stand last on the log."""

from collections.abc import Collection, Iterable
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.connection import Session
from recon_streams.log.record import OutgoingRecord
from topics.breaker import BreakerRecord, BreakerState
from topics.positions import Side

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")

# The newest state of each scope stands beside it; its evidence is a step away by the key.
_NEWEST: Final = """
SELECT s.scope, s.parents, s.epoch, s.seq, t.to_state, t.reason, t.evidence_hash, t.decided_at,
    t.evidence
FROM breaker.scope AS s JOIN breaker.transition AS t ON t.scope = s.scope AND t.epoch = s.epoch
"""
_OF_SCOPES: Final = f"{_NEWEST} WHERE s.scope = ANY ($1::text[])"
# An exercise that has been over for a day need not be said again: nothing was ever paid by it.
_PAGE: Final = (
    f"{_NEWEST} WHERE s.scope > $1 AND NOT (s.kind = 'drill' AND s.state = 'CLOSED' "
    "AND s.decided_at < clock_timestamp() - interval '1 day') ORDER BY s.scope LIMIT $2"
)
# A record of before is told as it was; the newest one may have been written again since.
_DECIDED: Final = """
SELECT t.scope, t.epoch, CASE WHEN s.epoch = t.epoch THEN s.seq ELSE t.seq END AS seq, t.to_state,
    t.reason, t.evidence_hash, t.decided_at,
    CASE WHEN s.epoch = t.epoch THEN s.parents ELSE t.parents END AS parents
FROM unnest($1::text[], $2::bigint[]) AS k (scope, epoch)
JOIN breaker.transition AS t USING (scope, epoch) JOIN breaker.scope AS s USING (scope)
"""
_STATES: Final = (
    "SELECT scope, parents, epoch, seq, state AS to_state FROM breaker.scope WHERE epoch > 0"
)
_WAITING: Final = (
    "SELECT DISTINCT key FROM book.outbox WHERE published_at IS NULL "
    "AND topic LIKE 'recon.breaker%' AND topic = 'recon.breaker'"
)


class ScopeStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Where one scope stands in the book.

    Attributes:
        parents: Scopes that must be CLOSED too.
    """

    scope: str
    state: BreakerState
    epoch: int
    seq: int
    parents: tuple[str, ...] = ()

    @property
    def version(self) -> tuple[int, int]:
        """Return what decides which of two records counts."""
        return self.epoch, self.seq


class _Sides(msgspec.Struct, frozen=True):
    bank_side: Side = Side()
    ledger_side: Side = Side()


class _Evidence(msgspec.Struct, frozen=True):
    """What of a transition's evidence says how far its inputs went."""

    position: _Sides = _Sides()


_EVIDENCE_DECODER: Final = msgspec.json.Decoder(_Evidence)


async def states(connection: Session | asyncpg.Pool) -> dict[str, ScopeStanding]:
    """Return where every scope stands."""
    return {row["scope"]: _state(row) for row in await connection.fetch(_STATES)}


async def records_of(
    connection: Session | asyncpg.Pool, scopes: Collection[str]
) -> dict[str, tuple[ScopeStanding, OutgoingRecord]]:
    """Return where each of `scopes` stands, and the record that says so; unknown ones are left out.

    A scope with a record that waits in the outbox is left out as well: the outbox is about to
    say it.
    """
    return await _settled(connection, await connection.fetch(_OF_SCOPES, list(scopes)))


async def decided(
    connection: Session | asyncpg.Pool, changes: Collection[tuple[str, int]]
) -> dict[tuple[str, int], BreakerRecord]:
    """Return what was decided by each of `changes`, a scope and its epoch, if anything was.

    Without how far the inputs went.
    """
    rows = await connection.fetch(
        _DECIDED, [scope for scope, _ in changes], [epoch for _, epoch in changes]
    )
    return {(row["scope"], row["epoch"]): _said(row, {}) for row in rows}


async def page(
    connection: Session | asyncpg.Pool, *, after: str, rows_max: int
) -> tuple[str | None, list[OutgoingRecord]]:
    """Return the records of the next `rows_max` scopes that follow `after`, by name.

    Without the exercises that have been over for a day.

    Returns the last scope that was looked at, None at the end, and the records of those with
    nothing in the outbox.
    """
    rows = await connection.fetch(_PAGE, after, rows_max)
    found = await _settled(connection, rows)
    last = rows[-1]["scope"] if len(rows) == rows_max else None
    return last, [record for _, record in found.values()]


async def _settled(
    connection: Session | asyncpg.Pool, rows: Iterable[asyncpg.Record]
) -> dict[str, tuple[ScopeStanding, OutgoingRecord]]:
    # Asked after the rows were read: what was committed before that waits, or was published.
    busy = {row["key"] for row in await connection.fetch(_WAITING)}
    return {
        row["scope"]: (_state(row), _record(row))
        for row in rows
        if row["scope"].encode() not in busy
    }


def _state(row: asyncpg.Record) -> ScopeStanding:
    return ScopeStanding(
        scope=row["scope"],
        state=BreakerState(row["to_state"]),
        epoch=row["epoch"],
        seq=row["seq"],
        parents=tuple(row["parents"]),
    )


def _record(row: asyncpg.Record) -> OutgoingRecord:
    record = _said(row, _inputs_through(row["evidence"]))
    return OutgoingRecord("recon.breaker", row["scope"].encode(), _ENCODER.encode(record))


def _said(row: asyncpg.Record, inputs_through: dict[str, int]) -> BreakerRecord:
    return BreakerRecord(
        scope=row["scope"],
        state=BreakerState(row["to_state"]),
        epoch=row["epoch"],
        seq=row["seq"],
        reason_code=row["reason"],
        evidence_hash=row["evidence_hash"],
        decided_at=row["decided_at"],
        inputs_through=inputs_through,
        parent_scopes=tuple(row["parents"]),
    )


def _inputs_through(evidence: bytes) -> dict[str, int]:
    """Return the newest input of each side, as the evidence of the transition names them."""
    position = _EVIDENCE_DECODER.decode(evidence).position
    return {
        f"{side.topic}/{side.partition}": side.offset
        for side in (position.bank_side, position.ledger_side)
        if side.offset is not None
    }
