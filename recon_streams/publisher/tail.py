"""The publisher reads its own tail: what the log really says is what payout services hear.

Compaction keeps the record written *last*, not the one with the highest epoch. A process that slept
and wakes could write an old CLOSED over a newer OPEN. Whoever reads the log's end back notices, and
writes the newest record again.
"""

from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.log.port import LogProbe
from recon_streams.log.record import OutgoingRecord, Record, TopicPartition
from topics.breaker import LEASE_KEY, BreakerRecord, BreakerState, StateHead

BREAKER: Final = TopicPartition("recon.breaker", 0)

_DECODER: Final = msgspec.json.Decoder(BreakerRecord)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class BreakerTail:
    """The newest record of each scope on the log, read from its start to its end."""

    def __init__(self, probe: LogProbe) -> None:
        """Read through `probe`, which must be started."""
        self._probe = probe
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
        if record.key is None or record.key == LEASE_KEY or record.value is None:
            return
        state = _DECODER.decode(record.value)
        self.last[state.scope] = (state.epoch, state.seq)
        self.head = StateHead(offset=record.offset, seq=state.seq)


async def repairs(pool: asyncpg.Pool, tail: BreakerTail) -> list[OutgoingRecord]:
    """Return the records that must be written again because the log's last word is stale.

    Scopes with messages still waiting in the outbox are left to it.
    """
    rows = await pool.fetch(
        "SELECT DISTINCT ON (number) number, account_id, currency, epoch, seq, to_state, reason, "
        "evidence_hash, decided_at FROM positions.breaker_transition "
        "JOIN positions.account USING (number) ORDER BY number, epoch DESC"
    )
    busy = {
        row["key"].decode()
        for row in await pool.fetch(
            "SELECT DISTINCT key FROM book.outbox "
            "WHERE published_at IS NULL AND topic = 'recon.breaker'"
        )
    }
    stale = []
    for row in rows:
        scope = f"account:{row['account_id']}:{row['currency']}"
        newest = (row["epoch"], row["seq"])
        if scope not in busy and tail.last.get(scope, (0, 0)) < newest:
            stale.append(_record(scope, newest, row))
    return stale


def _record(scope: str, newest: tuple[int, int], row: asyncpg.Record) -> OutgoingRecord:
    decided_at: datetime = row["decided_at"]
    record = BreakerRecord(
        scope=scope,
        state=BreakerState(row["to_state"]),
        epoch=newest[0],
        seq=newest[1],
        reason_code=row["reason"],
        evidence_hash=row["evidence_hash"],
        decided_at=decided_at,
        inputs_through={},
    )
    return OutgoingRecord(BREAKER.topic, scope.encode(), _ENCODER.encode(record))
