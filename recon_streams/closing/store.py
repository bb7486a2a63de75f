"""The SQL of days: the figures a day is made of, its snapshots, and what happened to it.

Everything is asked for many accounts at once. The caller's transaction sees one state of the book:
figures that were read a moment apart do not add up.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing.day import Day, DayState, Figures, Taken
from recon_streams.registry.definition import AccountDefinition, definition_from_bytes

# Neighbours of a day's statement in the chain: more of one day than this nobody sends.
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
        "approval_id": "bigint",
    },
)


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
        signature.approval_id,
    )
