"""The SQL of a window's report: the last sweep of each account in it, and what lies between two."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import asyncpg
import msgspec

from recon_streams.book.connection import Session
from recon_streams.positions.event import AccountEvent, event_from_bytes
from recon_streams.reports.parts import Covered
from recon_streams.sweeps.sweep import BankState
from topics.positions import InFlight, Tier

_IN_FLIGHT: Final = msgspec.json.Decoder(tuple[InFlight, ...])
_COLUMNS: Final = (
    "number, due_at, swept_at, version, rules_version, ledger, bank, difference, explained, "
    "unexplained, raw_tier, tier, rule, breaker, in_flight, points, velocity, deviation, warned, "
    "reaches_limit_at, bank_state, bank_balance, bank_as_of, bank_ours, bank_detail, bank_origin"
)


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """One sweep as it was kept."""

    number: int
    due_at: datetime
    swept_at: datetime
    version: int
    rules_version: int
    ledger: Decimal | None
    bank: Decimal | None
    difference: Decimal | None
    explained: Decimal
    unexplained: Decimal | None
    raw_tier: Tier
    tier: Tier
    rule: str
    breaker: str
    in_flight: tuple[InFlight, ...]
    points: int
    velocity: Decimal | None
    deviation: Decimal | None
    warned: bool
    reaches_limit_at: datetime | None
    bank_state: BankState
    bank_balance: Decimal | None
    bank_as_of: datetime | None
    bank_ours: Decimal | None
    bank_detail: str
    bank_origin: str


async def last_sweeps(
    connection: Session, *, after: datetime | None, until: datetime
) -> dict[int, Swept]:
    """Return the last sweep of each account due after `after` and up to `until`, by number."""
    rows = await connection.fetch(
        f"SELECT s.* FROM positions.account a CROSS JOIN LATERAL (SELECT {_COLUMNS} "  # noqa: S608 - ours
        "FROM sweeps.sweep WHERE number = a.number AND due_at <= $2 "
        "AND ($1::timestamptz IS NULL OR due_at > $1) "
        "ORDER BY due_at DESC, request_id DESC LIMIT 1) AS s",
        after,
        until,
    )
    return {row["number"]: _swept(row) for row in rows}


async def events_between(
    connection: Session, ranges: Mapping[int, tuple[int, int]]
) -> dict[int, list[AccountEvent]]:
    """Return the events of each account after the first version and up to the second."""
    rows = await connection.fetch(
        "SELECT k.number, e.event FROM unnest($1::int[], $2::bigint[], $3::bigint[]) "
        "AS k(number, since, until) JOIN positions.account_event AS e "
        "ON e.number = k.number AND e.sequence > k.since AND e.sequence <= k.until "
        "ORDER BY k.number, e.sequence",
        list(ranges),
        [since for since, _ in ranges.values()],
        [until for _, until in ranges.values()],
    )
    found: dict[int, list[AccountEvent]] = {number: [] for number in ranges}
    for row in rows:
        found[row["number"]].append(event_from_bytes(row["event"]))
    return found


async def coverage(connection: Session, topics: Sequence[str]) -> tuple[Covered, ...]:
    """Return for each of `topics` the partition that was read least far in time."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (topic) topic, part, next_offset, through_at FROM book.stream "
        "WHERE topic = ANY($1::text[]) ORDER BY topic, through_at NULLS FIRST, part",
        list(topics),
    )
    return tuple(
        Covered(
            topic=row["topic"],
            partition=row["part"],
            next_offset=row["next_offset"],
            through_at=row["through_at"],
        )
        for row in rows
    )


def _swept(row: asyncpg.Record) -> Swept:
    values: dict[str, Any] = dict(row)
    values["in_flight"] = _IN_FLIGHT.decode(values["in_flight"])
    for name, kind in (("raw_tier", Tier), ("tier", Tier), ("bank_state", BankState)):
        values[name] = kind(values[name])
    return Swept(**values)
