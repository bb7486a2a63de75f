"""The SQL of the schedule: what is planned by which definition, and what is due."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.registry.definition import definition_from_bytes
from recon_streams.schedule.row import Row, Version

# Two schedulers would do no harm, but one is enough.
_LOCK: Final = 0x7265636F6E07

_MOVE: Final = Bulk(
    "due",
    (
        ("kind", "text"),
        ("subject", "text"),
        ("number", "int"),
        ("registry_version", "int"),
        ("after", "timestamptz"),
        ("due_at", "timestamptz"),
    ),
    "INSERT INTO schedule.due (kind, subject, number, registry_version, after, due_at) "
    "SELECT * FROM {rows} ON CONFLICT (kind, subject) DO UPDATE SET "
    "registry_version = excluded.registry_version, after = excluded.after, "
    "due_at = excluded.due_at",
)


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """Since when a kind is here, and through which registry it is planned."""

    born_at: datetime
    registry_version: int


async def try_lock(connection: Session) -> bool:
    """Return whether this transaction is the one that may move the schedule."""
    taken: bool = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK)
    return taken


async def kinds(connection: Session, wanted: Collection[str], *, now: datetime) -> dict[str, Kind]:
    """Return the kinds in `wanted`; those that are new here are born `now`."""
    await connection.execute(
        "INSERT INTO schedule.kind (kind, born_at) SELECT unnest($1::text[]), $2 "
        "ON CONFLICT (kind) DO NOTHING",
        list(wanted),
        now,
    )
    rows = await connection.fetch(
        "SELECT kind, born_at, registry_version FROM schedule.kind WHERE kind = ANY($1)",
        list(wanted),
    )
    return {
        row["kind"]: Kind(born_at=row["born_at"], registry_version=row["registry_version"])
        for row in rows
    }


async def planned(connection: Session, kind: str, version: int) -> None:
    """Note that every account of registry `version` is planned for `kind`."""
    await connection.execute(
        "UPDATE schedule.kind SET registry_version = $2 WHERE kind = $1", kind, version
    )


async def newest_registry(connection: Session) -> int:
    """Return the version of the registry in force."""
    version: int = await connection.fetchval(
        "SELECT coalesce(max(version), 0) FROM positions.registry_version"
    )
    return version


async def versions_after(connection: Session, version: int, until: int) -> list[Version]:
    """Return what the registry said after `version` and up to `until`, oldest first."""
    return await _versions(connection, "v.version > $1 AND v.version <= $2", version, until)


async def versions_since(connection: Session, known: Mapping[int, int]) -> dict[int, list[Version]]:
    """Return the definitions of each account from the given version on, oldest first."""
    found: dict[int, list[Version]] = {number: [] for number in known}
    for each in await _versions(
        connection,
        "EXISTS (SELECT FROM unnest($1::int[], $2::int[]) AS k(number, since) "
        "WHERE k.number = v.number AND v.version >= k.since)",
        list(known),
        list(known.values()),
    ):
        found[each.number].append(each)
    return found


async def rows_of(connection: Session, kind: str, numbers: Collection[int]) -> dict[int, Row]:
    """Return what is planned for these accounts."""
    rows = await connection.fetch(
        "SELECT d.* FROM unnest($2::int[]) AS k(number) JOIN positions.account a USING (number) "
        "JOIN schedule.due d ON d.kind = $1 "
        "AND d.subject = 'account:' || a.account_id || ':' || a.currency",
        kind,
        list(numbers),
    )
    return {row["number"]: Row(**dict(row)) for row in rows}


async def common_kinds(connection: Session, wanted: Collection[str]) -> set[str]:
    """Return which of the kinds in `wanted` are planned for the whole installation."""
    rows = await connection.fetch(
        "SELECT kind FROM schedule.due WHERE kind = ANY($1) AND number IS NULL", list(wanted)
    )
    return {row["kind"] for row in rows}


async def is_anything_due(pool: asyncpg.Pool, wanted: Collection[str], *, now: datetime) -> bool:
    """Return whether a round would find something to do."""
    found: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT FROM schedule.due WHERE due_at <= $1 AND kind = ANY($2)) "
        "OR (SELECT count(*) < cardinality($2) OR min(registry_version) < "
        "(SELECT coalesce(max(version), 0) FROM positions.registry_version) "
        "FROM schedule.kind WHERE kind = ANY($2))",
        now,
        list(wanted),
    )
    return found


async def due_rows(
    connection: Session, wanted: Collection[str], *, now: datetime, rows_max: int
) -> list[Row]:
    """Return what is due by `now`, the oldest first."""
    rows = await connection.fetch(
        "SELECT * FROM schedule.due WHERE due_at <= $1 AND kind = ANY($2) "
        "ORDER BY due_at, kind, subject LIMIT $3 FOR UPDATE",
        now,
        list(wanted),
        rows_max,
    )
    return [Row(**dict(row)) for row in rows]


def write(unit: UnitOfWork, rows: Sequence[Row]) -> None:
    """Plan `rows`, in the place of what was planned for the same."""
    unit.write(
        _MOVE,
        (
            (row.kind, row.subject, row.number, row.registry_version, row.after, row.due_at)
            for row in rows
        ),
    )


async def _versions(connection: Session, condition: str, *values: object) -> list[Version]:
    rows = await connection.fetch(
        "SELECT v.number, v.version, v.definition, r.applied_at "  # noqa: S608 - ours
        "FROM positions.account_version v JOIN positions.registry_version r USING (version) "
        f"WHERE {condition} ORDER BY v.version, v.number",
        *values,
    )
    return [
        Version(
            number=row["number"],
            version=row["version"],
            applied_at=row["applied_at"],
            definition=definition_from_bytes(row["definition"]),
        )
        for row in rows
    ]
