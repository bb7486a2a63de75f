"""The SQL of days: the figures a day is made of, its snapshots, and what happened to it.

Everything is asked for many accounts at once. The caller's transaction sees one state of the book:
figures that were read a moment apart do not add up.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import asyncpg
import msgspec

from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing.day import Day, DayState, Figures, Taken
from recon_streams.kernel.calendars import Calendars
from recon_streams.kernel.money import ZERO, normal
from recon_streams.positions.ledger_intake import AHEAD_MAX
from recon_streams.registry.definition import AccountDefinition, definition_from_bytes
from recon_streams.reports.parts import Covered
from recon_streams.statements.chain import Link

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
_DAY: Final = Bulk(
    "day",
    (
        ("number", "int"),
        ("day", "date"),
        ("state", "text"),
        ("version", "int"),
        ("sequence", "int"),
    ),
    "INSERT INTO closing.day (number, day, state, version, sequence) SELECT * FROM {rows} "
    "ON CONFLICT (number, day) DO UPDATE SET state = excluded.state, version = excluded.version, "
    "sequence = excluded.sequence",
)
_SNAPSHOT: Final = Bulk.insert(
    "closing.snapshot",
    {
        "number": "int",
        "day": "date",
        "version": "int",
        "sha256": "text",
        "figures_sha256": "text",
        "corrects": "text",
        "content": "bytea",
        "event_sequence": "bigint",
        "inputs_through_at": "timestamptz",
        "cut_off_at": "timestamptz",
        "proof": "numeric",
        "tier": "text",
        "statement_origin": "text",
        "figures": "bytea",
        "calendar_version": "text",
    },
)
_ACTION: Final = Bulk.insert(
    "closing.day_action",
    {
        "number": "int",
        "day": "date",
        "sequence": "int",
        "action": "text",
        "to_state": "text",
        "version": "int",
        "sha256": "text",
        "actor": "text",
        "reason": "text",
        "waived": "text",
        "approved_by": "text",
        "at": "timestamptz",
    },
)


_CHANGED_DAYS: Final = """
SELECT d.number, d.day FROM closing.day AS d
JOIN closing.snapshot AS s ON s.number = d.number AND s.day = d.day AND s.version = d.version
JOIN positions.account_state AS a ON a.number = d.number
WHERE d.day >= $1
    AND (
        (SELECT max(arrived_at) FROM positions.statement AS p WHERE p.number = d.number
            AND p.closing_on = d.day AND p.status = 'ACCEPTED')
            IS DISTINCT FROM d.looked_statement_at
        OR a.version > d.looked_sequence AND (
            EXISTS (SELECT FROM positions.ledger_record AS l
                WHERE l.number = d.number AND l.sequence > d.looked_sequence AND l.amount <> 0
                    AND l.occurred_at < s.cut_off_at)
            OR EXISTS (SELECT FROM positions.bank_entry AS b
                WHERE b.number = d.number AND b.sequence > d.looked_sequence AND b.net <> 0
                    AND b.booked_on <= d.day)
        )
    )
ORDER BY d.day, d.number LIMIT $2
"""


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """One account as the registry defines it now."""

    number: int
    registry_version: int
    registered_at: datetime
    definition: AccountDefinition

    @property
    def began_at(self) -> datetime:
        """Return from when on its days count: its attested opening, else when it was registered."""
        opening = self.definition.opening
        return self.registered_at if opening is None else opening.as_of

    @property
    def name(self) -> str:
        """Return what people call it."""
        return f"{self.definition.account_id} {self.definition.currency}"


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


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a day as it is stored.

    Attributes:
        content: The bytes of the `AccountDay`.
        event_sequence: How much of the account's log it has seen.
    """

    day: Day
    content: bytes
    corrects: str | None
    event_sequence: int
    inputs_through_at: datetime
    cut_off_at: datetime
    tier: str
    statement_origin: str | None
    calendar_version: str


async def registered(
    connection: Session | asyncpg.Pool, numbers: Collection[int] | None = None
) -> list[Registered]:
    """Return the accounts with these numbers, or all of them, in order of their numbers."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (v.number) v.number, v.version, v.definition, "
        "min(r.applied_at) OVER (PARTITION BY v.number) AS registered_at "
        "FROM positions.account_version AS v JOIN positions.registry_version AS r USING (version) "
        "WHERE $1::int[] IS NULL OR v.number = ANY($1) ORDER BY v.number, v.version DESC",
        None if numbers is None else sorted(numbers),
    )
    return [
        Registered(
            number=row["number"],
            registry_version=row["version"],
            registered_at=row["registered_at"],
            definition=definition_from_bytes(row["definition"]),
        )
        for row in rows
    ]


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


async def snapshots(
    connection: Session | asyncpg.Pool, on: date, numbers: Collection[int] | None = None
) -> dict[int, Snapshot]:
    """Return the newest snapshot of `on` of each account that has one, by number."""
    rows = await connection.fetch(
        "SELECT d.state, d.sequence, s.* FROM closing.day AS d "
        "JOIN closing.snapshot AS s ON s.number = d.number AND s.day = d.day "
        "AND s.version = d.version "
        "WHERE d.day = $1 AND ($2::int[] IS NULL OR d.number = ANY($2)) ORDER BY d.number",
        on,
        None if numbers is None else sorted(numbers),
    )
    return {row["number"]: _snapshot(row) for row in rows}


async def newest_day(connection: Session | asyncpg.Pool) -> date | None:
    """Return the newest day that was run of any account."""
    found: date | None = await connection.fetchval("SELECT max(day) FROM closing.day")
    return found


async def changed_days(
    connection: Session, *, since: date, rows_max: int
) -> list[tuple[int, date]]:
    """Return days from `since` on that were run, and of which something came after that.

    Their statement is another one now, or is there at last; or an entry or a movement of them, or
    of a day before, was recorded since.
    """
    rows = await connection.fetch(_CHANGED_DAYS, since, rows_max)
    return [(row["number"], row["day"]) for row in rows]


async def note_looked(
    connection: Session, on: date, looked: Mapping[int, tuple[int, datetime | None]]
) -> None:
    """Note how much of each account's log, and which statement, the newest run of a day saw."""
    await connection.execute(
        "UPDATE closing.day AS d SET looked_sequence = k.sequence, looked_statement_at = k.at "
        "FROM unnest($2::int[], $3::bigint[], $4::timestamptz[]) AS k(number, sequence, at) "
        "WHERE d.number = k.number AND d.day = $1",
        on,
        list(looked),
        [sequence for sequence, _ in looked.values()],
        [at for _, at in looked.values()],
    )


def write(unit: UnitOfWork, taken: Sequence[Taken]) -> None:
    """Record what happened to days, and where they stand now."""
    unit.write(
        _DAY,
        (
            (each.day.number, each.day.on, each.day.state, each.day.version, each.day.sequence)
            for each in taken
        ),
    )
    unit.write(_ACTION, map(_action_row, taken))


def write_snapshots(unit: UnitOfWork, made: Iterable[Snapshot]) -> None:
    """Store new versions of days."""
    unit.write(_SNAPSHOT, map(_snapshot_row, made))


async def note_calendars(connection: Session, calendars: Calendars) -> None:
    """Keep what this version of the calendars says."""
    await connection.execute(
        "INSERT INTO closing.calendar_version (version, content) VALUES ($1, $2) "
        "ON CONFLICT (version) DO NOTHING",
        calendars.version,
        calendars.content,
    )


async def note_ticks(
    connection: Session, keys: Collection[tuple[int, datetime]]
) -> set[tuple[int, datetime]]:
    """Note ticks, each an account and its instant; return those that were not noted before."""
    wanted = set(keys)
    rows = await connection.fetch(
        "INSERT INTO closing.tick (number, due_at) "
        "SELECT * FROM unnest($1::int[], $2::timestamptz[]) ON CONFLICT DO NOTHING "
        "RETURNING number, due_at",
        [number for number, _ in wanted],
        [due_at for _, due_at in wanted],
    )
    return {(row["number"], row["due_at"]) for row in rows}


async def request(connection: Session, wanted: Sequence[tuple[int, date]], cause: str) -> None:
    """Ask for days to be looked at; what is asked for already stays asked for."""
    await connection.execute(
        "INSERT INTO closing.request (number, day, cause) "
        "SELECT n, d, $3 FROM unnest($1::int[], $2::date[]) AS k(n, d) "
        "ON CONFLICT (number, day) DO NOTHING",
        [number for number, _ in wanted],
        [on for _, on in wanted],
        cause,
    )


async def request_again(
    connection: Session, wanted: Sequence[tuple[int, date]], cause: str
) -> None:
    """Ask for those of `wanted` that were run before."""
    rows = await connection.fetch(
        "SELECT number, day FROM closing.day "
        "WHERE (number, day) IN (SELECT * FROM unnest($1::int[], $2::date[]))",
        [number for number, _ in wanted],
        [on for _, on in wanted],
    )
    await request(connection, [(row["number"], row["day"]) for row in rows], cause)


async def take_requests(connection: Session, *, rows_max: int) -> tuple[date, list[int]] | None:
    """Take the oldest day that was asked for, with its accounts; they are gone with the unit."""
    on: date | None = await connection.fetchval(
        "SELECT day FROM closing.request ORDER BY requested_at, day LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    if on is None:
        return None
    rows = await connection.fetch(
        "DELETE FROM closing.request WHERE (number, day) IN (SELECT number, day "
        "FROM closing.request WHERE day = $1 ORDER BY number LIMIT $2 FOR UPDATE SKIP LOCKED) "
        "RETURNING number",
        on,
        rows_max,
    )
    return on, sorted(row["number"] for row in rows)


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


def _snapshot(row: asyncpg.Record) -> Snapshot:
    return Snapshot(
        day=Day(
            number=row["number"],
            on=row["day"],
            state=DayState(row["state"]),
            version=row["version"],
            sequence=row["sequence"],
            figures=msgspec.json.decode(row["figures"], type=Figures),
        ),
        content=row["content"],
        corrects=row["corrects"],
        event_sequence=row["event_sequence"],
        inputs_through_at=row["inputs_through_at"],
        cut_off_at=row["cut_off_at"],
        tier=row["tier"],
        statement_origin=row["statement_origin"],
        calendar_version=row["calendar_version"],
    )


def _snapshot_row(made: Snapshot) -> tuple[object, ...]:
    figures = made.day.figures
    assert figures is not None, "a snapshot has figures"
    return (
        made.day.number,
        made.day.on,
        made.day.version,
        figures.sha256,
        figures.figures_sha256,
        made.corrects,
        made.content,
        made.event_sequence,
        made.inputs_through_at,
        made.cut_off_at,
        None if figures.proof is None else Decimal(figures.proof),
        made.tier,
        made.statement_origin,
        msgspec.json.encode(figures),
        made.calendar_version,
    )


def _action_row(taken: Taken) -> tuple[object, ...]:
    figures, signature = taken.day.figures, taken.signature
    assert figures is not None, "nothing happens to a day that was never run"
    return (
        taken.day.number,
        taken.day.on,
        taken.day.sequence,
        taken.action.value,
        taken.day.state.value,
        taken.day.version,
        figures.sha256,
        signature.actor,
        signature.reason,
        ", ".join(taken.waived),
        signature.approved_by,
        signature.at,
    )
