"""The SQL of acknowledgements: what each payout service said last, and every change it knew."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from topics.breaker_acks import BreakerAck

_ACK: Final = Bulk(
    "ack",
    (
        ("client_id", "text"),
        ("scope", "text"),
        ("epoch", "bigint"),
        ("seq", "bigint"),
        ("state", "text"),
        ("acked_at", "timestamptz"),
        ("heard_at", "timestamptz"),
    ),
    "INSERT INTO acks.ack (client_id, scope, epoch, seq, state, acked_at, heard_at) "
    "SELECT * FROM {rows} ON CONFLICT DO NOTHING",
)
_CLIENT: Final = Bulk(
    "ack_client",
    (
        ("client_id", "text"),
        ("through_offset", "bigint"),
        ("acked_at", "timestamptz"),
        ("heard_at", "timestamptz"),
    ),
    "INSERT INTO acks.client (client_id, through_offset, acked_at, heard_at) "
    "SELECT * FROM {rows} ON CONFLICT (client_id) DO UPDATE SET "
    "through_offset = excluded.through_offset, acked_at = excluded.acked_at, "
    "heard_at = excluded.heard_at",
)
_KNOWN: Final = (
    "SELECT client_id, scope, epoch, seq FROM acks.ack JOIN "
    "unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) "
    "AS k (client_id, scope, epoch, seq) USING (client_id, scope, epoch, seq)"
)

Change = tuple[str, str, int, int]  # client id, scope, epoch, seq


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One acknowledgement and when the log had it."""

    ack: BreakerAck
    heard_at: datetime

    @property
    def change(self) -> Change | None:
        """The change it acknowledges; None if it only says how far the service has come."""
        ack = self.ack
        if ack.scope is None or ack.epoch is None or ack.seq is None:
            return None
        return ack.client_id, ack.scope, ack.epoch, ack.seq


async def newest_epochs(connection: Session, scopes: Collection[str]) -> dict[str, int]:
    """Return the newest epoch of each of `scopes` that exists."""
    rows = await connection.fetch(
        "SELECT scope, epoch FROM breaker.scope WHERE scope = ANY ($1::text[])", sorted(scopes)
    )
    return {row["scope"]: row["epoch"] for row in rows}


async def known_changes(connection: Session, changes: Sequence[Change]) -> set[Change]:
    """Return those of `changes` that were acknowledged before."""
    rows = await connection.fetch(_KNOWN, *map(list, zip(*changes, strict=True))) if changes else ()
    return {(row["client_id"], row["scope"], row["epoch"], row["seq"]) for row in rows}


def write(unit: UnitOfWork, heard: Sequence[Heard]) -> None:
    """Note `heard`, in the order of the log."""
    newest = {each.ack.client_id: each for each in heard}
    unit.write(
        _CLIENT,
        (
            (each.ack.client_id, each.ack.through_offset, each.ack.acked_at, each.heard_at)
            for each in newest.values()
        ),
    )
    rows = {}
    for each in heard:
        if each.change is not None and each.ack.state is not None:
            row = (*each.change, each.ack.state.value, each.ack.acked_at, each.heard_at)
            rows[each.change] = row
    unit.write(_ACK, rows.values())


async def through_offsets(pool: asyncpg.Pool) -> Mapping[str, int]:
    """Return how far each service that ever spoke has followed `recon.breaker`."""
    rows = await pool.fetch("SELECT client_id, through_offset FROM acks.client")
    return {row["client_id"]: row["through_offset"] for row in rows}
