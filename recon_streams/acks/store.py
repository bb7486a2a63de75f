"""The SQL of acknowledgements: what each payout service said last, and every change it knew."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.acks.watch import Claim, ClaimFlaw
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
        ("claimed_offset", "bigint"),
        ("acked_at", "timestamptz"),
        ("heard_at", "timestamptz"),
    ),
    # What counted so far does until this is held against the log; what was refused may be no more.
    "INSERT INTO acks.client (client_id, claimed_offset, acked_at, heard_at) "
    "SELECT * FROM {rows} ON CONFLICT (client_id) DO UPDATE SET "
    "claimed_offset = excluded.claimed_offset, acked_at = excluded.acked_at, "
    "heard_at = excluded.heard_at, refused = NULL",
)
_CLAIMS: Final = "SELECT client_id, claimed_offset, through_offset, refused FROM acks.client"
_SETTLE: Final = (
    "UPDATE acks.client AS c SET through_offset = k.through_offset, refused = k.refused "
    "FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) "
    "AS k (client_id, claimed_offset, through_offset, refused) "
    "WHERE (c.client_id, c.claimed_offset) = (k.client_id, k.claimed_offset)"
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


async def claims(pool: asyncpg.Pool) -> list[Claim]:
    """Return how far each service that ever spoke says that it has followed `recon.breaker`."""
    return [
        Claim(
            client_id=row["client_id"],
            claimed_offset=row["claimed_offset"],
            through_offset=row["through_offset"],
            flaw=None if row["refused"] is None else ClaimFlaw(row["refused"]),
        )
        for row in await pool.fetch(_CLAIMS)
    ]


async def settle(pool: asyncpg.Pool, settled: Sequence[Claim]) -> None:
    """Note what came of `settled`; a service that has spoken again meanwhile is left alone."""
    await pool.execute(
        _SETTLE,
        [each.client_id for each in settled],
        [each.claimed_offset for each in settled],
        [each.through_offset for each in settled],
        [None if each.flaw is None else each.flaw.value for each in settled],
    )
