"""The SQL of the figures that a day is made of, asked for many accounts at once."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import asyncpg
import msgspec

from recon_streams.book.connection import Session
from recon_streams.closing.after_cut_off import AfterCutOff, AfterMatched
from recon_streams.kernel.money import ZERO, normal
from recon_streams.positions.ledger_intake import AHEAD_MAX
from recon_streams.reports.parts import Covered
from recon_streams.statements.chain import Link
from recon_streams.statements.expectation import Unusable

# Neighbours of a day's statement in the chain: more of one day than this nobody sends.
_STATEMENTS_MAX: Final = 50
# A snapshot that was stored before the cut-off by more than clocks may differ has seen nothing of
# what happened after it.
_BEFORE: Final = AHEAD_MAX + timedelta(minutes=5)
_LINK_COLUMNS: Final = (
    "s.number, s.closing_on, s.opening, s.closing, s.key, s.content, s.origin, s.path, s.message, "
    "s.version, s.statement_id, s.electronic_sequence, s.legal_sequence, s.opening_on, "
    "s.opening_code, s.closing_code, s.created_at, s.status, s.credits, s.debits, s.entry_count, "
    "s.arrived_at"
)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account's own log stands, and the ledger's figure there."""

    event_sequence: int
    ledger: Decimal | None


class DayStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that counts: its link in the chain, and its sums."""

    link: Link
    credits: Decimal
    debits: Decimal
    entry_count: int
    arrived_at: datetime


async def standings(connection: Session, numbers: Collection[int]) -> dict[int, Standing]:
    """Return where each account's log stands."""
    rows = await connection.fetch(
        "SELECT number, version, ledger FROM positions.account_state WHERE number = ANY($1)",
        sorted(numbers),
    )
    return {
        row["number"]: Standing(
            event_sequence=row["version"],
            ledger=None if row["ledger"] is None else normal(row["ledger"]),
        )
        for row in rows
    }


async def ledger_after(connection: Session, cut_offs: Mapping[int, datetime]) -> dict[int, Decimal]:
    """Return what each ledger moved from its cut-off on.

    What happened then came later than any snapshot stored before, so history is not read again.
    """
    rows = await connection.fetch(
        "SELECT k.number, sum(l.amount) AS moved "
        "FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS k(number, at, before) "
        "CROSS JOIN LATERAL (SELECT coalesce(max(event_sequence), 0) AS sequence "
        "FROM closing.snapshot WHERE number = k.number AND stored_at <= k.before) AS s "
        "JOIN positions.ledger_record AS l ON l.number = k.number AND l.sequence > s.sequence "
        "AND l.occurred_at >= k.at AND l.amount <> 0 GROUP BY k.number",
        list(cut_offs),
        list(cut_offs.values()),
        [at - _BEFORE for at in cut_offs.values()],
    )
    return {row["number"]: normal(row["moved"]) for row in rows}


async def ledger_between(
    connection: Session, evenings: Mapping[int, tuple[datetime, datetime]]
) -> dict[int, AfterCutOff]:
    """Return what each ledger moved from one instant until before another, open or matched."""
    rows = await connection.fetch(
        "SELECT k.number, l.ledger_sequence, l.amount, m.match_id, "
        "coalesce(l.reference, l.bank_reference, l.movement_id) AS reference "
        "FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[]) "
        "AS k(number, since, until, before) "
        "CROSS JOIN LATERAL (SELECT coalesce(max(event_sequence), 0) AS sequence "
        "FROM closing.snapshot WHERE number = k.number AND stored_at <= k.before) AS s "
        "JOIN positions.ledger_record AS l ON l.number = k.number AND l.sequence > s.sequence "
        "AND l.occurred_at >= k.since AND l.occurred_at < k.until AND l.amount <> 0 "
        "LEFT JOIN matching.match AS m ON m.number = l.number "
        "AND m.ledger_sequence = l.ledger_sequence AND m.released_by IS NULL "
        "ORDER BY k.number, l.ledger_sequence",
        list(evenings),
        [since for since, _ in evenings.values()],
        [until for _, until in evenings.values()],
        [since - _BEFORE for since, _ in evenings.values()],
    )
    open_ids: dict[int, set[int]] = {}
    matched: dict[int, list[AfterMatched]] = {}
    for row in rows:
        if row["match_id"] is not None:
            one = AfterMatched(
                match_id=row["match_id"],
                amount=normal(row["amount"]),
                reference=row["reference"],
            )
            matched.setdefault(row["number"], []).append(one)
        else:
            open_ids.setdefault(row["number"], set()).add(row["ledger_sequence"])
    return {
        number: AfterCutOff(
            open_ids=frozenset(open_ids.get(number, ())), matched=tuple(matched.get(number, ()))
        )
        for number in open_ids.keys() | matched.keys()
    }


async def ledger_total(connection: Session, numbers: Collection[int]) -> dict[int, Decimal]:
    """Return the sum of everything the ledgers ever moved, for those without attested figure."""
    rows = await connection.fetch(
        "SELECT number, sum(amount) AS moved FROM positions.ledger_record "
        "WHERE number = ANY($1) GROUP BY number",
        sorted(numbers),
    )
    return dict.fromkeys(numbers, ZERO) | {row["number"]: normal(row["moved"]) for row in rows}


async def bank_total(connection: Session, until: Mapping[int, date]) -> dict[int, Decimal]:
    """Return the sum of everything each bank booked up to and with a day."""
    rows = await connection.fetch(
        "SELECT k.number, sum(b.net) AS moved FROM unnest($1::int[], $2::date[]) AS k(number, day) "
        "JOIN positions.bank_day AS b ON b.number = k.number AND b.day <= k.day GROUP BY k.number",
        list(until),
        list(until.values()),
    )
    return dict.fromkeys(until, ZERO) | {row["number"]: normal(row["moved"]) for row in rows}


async def statements_around(
    connection: Session, numbers: Collection[int], on: date
) -> dict[int, list[DayStatement]]:
    """Return each account's statements of `on` and of the last day before it that has any."""
    rows = await connection.fetch(
        f"SELECT {_LINK_COLUMNS} FROM unnest($1::int[]) AS k(number) "  # noqa: S608 - ours
        "CROSS JOIN LATERAL (SELECT max(closing_on) AS closing_on FROM positions.statement "
        "WHERE number = k.number AND closing_on < $2 AND status = 'ACCEPTED') AS p "
        "CROSS JOIN LATERAL (SELECT * FROM positions.statement WHERE number = k.number "
        "AND closing_on IN ($2, p.closing_on) AND status = 'ACCEPTED' LIMIT $3) AS s",
        sorted(numbers),
        on,
        _STATEMENTS_MAX,
    )
    found: dict[int, list[DayStatement]] = {}
    for row in rows:
        found.setdefault(row["number"], []).append(_statement(row))
    return found


async def unusable_statements(
    connection: Session, numbers: Collection[int], on: date
) -> list[Unusable]:
    """Return the statements of `on` that came and do not add up, with their place in quarantine."""
    rows = await connection.fetch(
        "SELECT s.number, s.origin, s.difference, s.arrived_at, q.quarantine_id "
        "FROM positions.statement AS s LEFT JOIN book.stream AS b "
        "ON b.topic || '/' || b.part = regexp_replace(s.origin, '/[0-9]+$', '') "
        "LEFT JOIN LATERAL (SELECT max(quarantine_id) AS quarantine_id FROM book.quarantine "
        "WHERE stream = b.stream AND off = substring(s.origin FROM '[0-9]+$')::bigint "
        "AND code = 'STATEMENT_UNBALANCED') AS q ON true "
        "WHERE s.number = ANY($1) AND s.closing_on = $2 AND s.status = 'UNBALANCED'",
        sorted(numbers),
        on,
    )
    return [
        Unusable(
            account=row["number"],
            on=on,
            origin=row["origin"],
            arrived_at=row["arrived_at"],
            difference=None if row["difference"] is None else normal(row["difference"]),
            quarantine=row["quarantine_id"],
        )
        for row in rows
    ]


async def first_statements(
    connection: Session, numbers: Collection[int]
) -> dict[int, tuple[date, Decimal]]:
    """Return day and closing of the first statement of each account."""
    rows = await connection.fetch(
        "SELECT k.number, s.closing_on, s.closing FROM unnest($1::int[]) AS k(number) "
        "CROSS JOIN LATERAL (SELECT closing_on, closing FROM positions.statement "
        "WHERE number = k.number AND status = 'ACCEPTED' AND closing IS NOT NULL "
        "ORDER BY closing_on, arrived_at LIMIT 1) AS s",
        sorted(numbers),
    )
    return {row["number"]: (row["closing_on"], normal(row["closing"])) for row in rows}


async def coverage(connection: Session, topics: Collection[str]) -> tuple[Covered, ...]:
    """Return how far each stream of `topics` has been decided."""
    rows = await connection.fetch(
        "SELECT topic, part, next_offset, through_at FROM book.stream WHERE topic = ANY($1) "
        "ORDER BY topic, part",
        sorted(topics),
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


def _statement(row: asyncpg.Record) -> DayStatement:
    given: dict[str, Any] = {
        name: row[name]
        for name in Link.__struct_fields__
        if name in row.keys()  # noqa: SIM118 - a record's keys are not its iteration
    }
    for name in ("opening", "closing"):
        given[name] = None if given[name] is None else normal(given[name])
    return DayStatement(
        link=Link(**given),
        credits=normal(row["credits"]),
        debits=normal(row["debits"]),
        entry_count=row["entry_count"],
        arrived_at=row["arrived_at"],
    )
