"""The publisher reads its own tail: what the log really says is what payout services hear.

Compaction keeps the record written *last*, not the one with the highest epoch. A process that slept
and wakes could write an old CLOSED over a newer OPEN. Whoever reads the log's end back notices, and
writes the newest record again.
"""

from collections.abc import Callable
from typing import Final

import asyncpg
import msgspec

from recon_streams.log.port import LogProbe
from recon_streams.log.record import OutgoingRecord, Record, TopicPartition
from topics.breaker import LEASE_KEY, BreakerRecord, BreakerState, StateHead
from topics.positions import Side

BREAKER: Final = TopicPartition("recon.breaker", 0)

_DECODER: Final = msgspec.json.Decoder(BreakerRecord)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")

# A step by the key for each account: transitions are never deleted, and there is no end to them.
_NEWEST: Final = """
SELECT number, account_id, currency, epoch, seq FROM positions.account AS a CROSS JOIN LATERAL (
    SELECT epoch, seq FROM positions.breaker_transition AS t
    WHERE t.number = a.number ORDER BY epoch DESC LIMIT 1
) AS newest
"""
_TRANSITIONS: Final = """
SELECT account_id, currency, t.* FROM unnest($1::int[], $2::bigint[]) AS k (number, epoch)
JOIN positions.breaker_transition AS t USING (number, epoch) JOIN positions.account USING (number)
"""


class _Sides(msgspec.Struct, frozen=True):
    bank_side: Side = Side()
    ledger_side: Side = Side()


class _Evidence(msgspec.Struct, frozen=True):
    """What of a transition's evidence says how far its inputs went."""

    position: _Sides


_EVIDENCE_DECODER: Final = msgspec.json.Decoder(_Evidence)


class BreakerTail:
    """The newest record of each scope on the log, read from its start to its end."""

    def __init__(
        self, probe: LogProbe, on_unusable: Callable[[Record], None] = lambda _record: None
    ) -> None:
        """Read through `probe`, which must be started; tell `on_unusable` what says nothing."""
        self._probe = probe
        self._on_unusable = on_unusable
        self._next_offset: int | None = None
        self.last: dict[str, tuple[int, int]] = {}
        self.head = StateHead(offset=-1, seq=0)

    async def catch_up(self) -> None:
        """Read what was appended since the last call."""
        end = (await self._probe.end_offsets([BREAKER]))[BREAKER]
        start = (await self._probe.start_offsets([BREAKER]))[BREAKER]
        first = max(start, self._next_offset or 0)
        if first < end:
            async for record in self._probe.read(BREAKER, first, end):
                self._see(record)
        self._next_offset = max(first, end)

    def _see(self, record: Record) -> None:
        if record.key is None or record.key == LEASE_KEY:
            return
        scope = record.key.decode(errors="replace")
        state = _state_of(record, scope)
        if state is None:
            # Compaction would keep just this one of its key. What the book knows is written over
            # it, as to a reader it is as if the scope were gone.
            self.last.pop(scope, None)
            self._on_unusable(record)
            return
        self.last[scope] = (state.epoch, state.seq)
        self.head = StateHead(offset=record.offset, seq=state.seq)


async def repairs(pool: asyncpg.Pool, tail: BreakerTail) -> list[OutgoingRecord]:
    """Return the records that must be written again because the log's last word is stale.

    Scopes with messages still waiting in the outbox are left to it.
    """
    newest = await pool.fetch(_NEWEST)
    waiting = await pool.fetch(
        "SELECT DISTINCT key FROM book.outbox "
        "WHERE published_at IS NULL AND topic = 'recon.breaker'"
    )
    busy = {row["key"].decode() for row in waiting}
    stale = {
        row["number"]: row["epoch"]
        for row in newest
        if (scope := _scope_of(row)) not in busy
        and tail.last.get(scope, (0, 0)) < (row["epoch"], row["seq"])
    }
    rows = await pool.fetch(_TRANSITIONS, list(stale), list(stale.values())) if stale else []
    return [_record(row) for row in rows]


def _state_of(record: Record, scope: str) -> BreakerRecord | None:
    """Return what `record` says of `scope`; None if that is nothing a reader could use."""
    if record.value is None:
        return None
    try:
        state = _DECODER.decode(record.value)
    except msgspec.DecodeError:
        return None
    return state if state.scope == scope else None


def _scope_of(row: asyncpg.Record) -> str:
    return f"account:{row['account_id']}:{row['currency']}"


def _record(row: asyncpg.Record) -> OutgoingRecord:
    scope = _scope_of(row)
    record = BreakerRecord(
        scope=scope,
        state=BreakerState(row["to_state"]),
        epoch=row["epoch"],
        seq=row["seq"],
        reason_code=row["reason"],
        evidence_hash=row["evidence_hash"],
        decided_at=row["decided_at"],
        inputs_through=_inputs_through(row["evidence"]),
    )
    return OutgoingRecord(BREAKER.topic, scope.encode(), _ENCODER.encode(record))


def _inputs_through(evidence: bytes) -> dict[str, int]:
    """Return the newest input of each side, as the evidence of the transition names them."""
    position = _EVIDENCE_DECODER.decode(evidence).position
    return {
        f"{side.topic}/{side.partition}": side.offset
        for side in (position.bank_side, position.ledger_side)
        if side.offset is not None
    }
