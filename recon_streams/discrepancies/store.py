"""The SQL of discrepancies: found by their cause, locked in one order, and the log of each."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from recon_streams.book.bulk import Bulk, write_all
from recon_streams.book.connection import Session
from recon_streams.discrepancies.action import (
    Found,
    ProvenGone,
    ReasonCode,
    action_text,
    kind_of,
)
from recon_streams.discrepancies.change import Change, Discrepancy, Said, Taken, order_of
from recon_streams.discrepancies.deadline import Working
from recon_streams.discrepancies.finding import Cause, Kind, Source
from recon_streams.discrepancies.life import Life
from recon_streams.discrepancies.messages import Named
from recon_streams.kernel.calendars import Calendars
from recon_streams.kernel.money import normal
from recon_streams.registry.calendar_store import calendars_in_force
from recon_streams.registry.definition import definition_from_bytes
from topics.alerts import Severity
from topics.discrepancies import DiscrepancyState as State

_LIFE_TYPES: Final = {
    "version": "int",
    "state": "text",
    "severity": "text",
    "owner": "text",
    "opened_at": "timestamptz",
    "first_seen": "timestamptz",
    "last_seen": "timestamptz",
    "occurrences": "int",
    "reopenings": "int",
    "amount": "numeric",
    "facts": "jsonb",
    "belongs_on": "date",
    "due_at": "timestamptz",
    "snoozed_until": "timestamptz",
    "resolved_at": "timestamptz",
    "reason_code": "text",
    "reason": "text",
    "is_alerted": "boolean",
}
_LIFE: Final = ", ".join(_LIFE_TYPES)
COLUMNS: Final = f"d.id, d.kind, d.number, d.subject, {', '.join(f'd.{c}' for c in _LIFE_TYPES)}"
_NEW_TYPES: Final = {"kind": "text", "number": "int", "subject": "text", **_LIFE_TYPES}
# The same order for everybody, so that two who find the same causes wait for each other instead
# of for ever.
_INSERT: Final = (
    f"INSERT INTO discrepancies.discrepancy ({', '.join(_NEW_TYPES)}) SELECT * FROM unnest("  # noqa: S608 - ours
    + ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(_NEW_TYPES.values(), start=1))
    + f") AS n ({', '.join(_NEW_TYPES)}) ORDER BY number, kind, subject "
    "ON CONFLICT (number, kind, subject) DO NOTHING RETURNING id, kind, number, subject"
)
_UPDATE: Final = Bulk(
    "discrepancy",
    (("id", "bigint"), *_LIFE_TYPES.items()),
    "UPDATE discrepancies.discrepancy AS d SET "  # noqa: S608 - ours
    + ", ".join(f"{column} = r.{column}" for column in _LIFE_TYPES)
    + " FROM {rows} AS r WHERE d.id = r.id",
)
_ACTION: Final = Bulk.insert(
    "discrepancies.action",
    {
        "discrepancy": "bigint",
        "sequence": "int",
        "kind": "text",
        "at": "timestamptz",
        "actor": "text",
        "source": "text",
        "evidence": "text",
        "reason_code": "text",
        "reason": "text",
        "from_state": "text",
        "to_state": "text",
        "severity": "text",
        "amount": "numeric",
        "opened_at": "timestamptz",
        "due_at": "timestamptz",
        "body": "jsonb",
    },
)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What the register must know of an account: its names, and how its bank counts days."""

    named: Named
    working: Working


async def accounts(where: Session | asyncpg.Pool, numbers: Collection[int]) -> dict[int, Account]:
    """Return the accounts with these numbers, by number."""
    rows = await where.fetch(
        "SELECT a.number, a.account_id, a.currency, v.definition "
        "FROM positions.account AS a CROSS JOIN LATERAL (SELECT definition "
        "FROM positions.account_version AS v WHERE v.number = a.number "
        "ORDER BY version DESC LIMIT 1) AS v WHERE a.number = ANY($1::int[])",
        sorted(numbers),
    )
    calendars = await calendars_in_force(where)
    return {row["number"]: _account(row, calendars) for row in rows}


async def ids_of(connection: Session, causes: Iterable[Cause]) -> dict[Cause, int]:
    """Return the ids of those of `causes` that were found before. Locks nothing."""
    wanted = list(causes)
    if not wanted:
        return {}
    rows = await connection.fetch(
        "SELECT d.id, d.kind, d.number, d.subject "
        "FROM unnest($1::int[], $2::text[], $3::text[]) AS k(number, kind, subject) "
        "CROSS JOIN LATERAL (SELECT id, kind, number, subject FROM discrepancies.discrepancy AS d "
        "WHERE d.number = k.number AND d.kind = k.kind AND d.subject = k.subject OFFSET 0) AS d",
        *(list(column) for column in zip(*map(order_of, wanted), strict=True)),
    )
    return {_cause(row): row["id"] for row in rows}


async def numbers_of(connection: Session, ids: Collection[int]) -> dict[int, int]:
    """Return the number of the account that each of `ids` is of. Locks nothing."""
    rows = await connection.fetch(
        "SELECT id, number FROM discrepancies.discrepancy WHERE id = ANY($1)", sorted(ids)
    )
    return {row["id"]: row["number"] for row in rows}


async def insert(connection: Session, lives: Mapping[Cause, Life]) -> dict[Cause, int]:
    """Write discrepancies that are new; return the ids of those that nobody else wrote meanwhile.

    Waits for others who are about to write the same ones.
    """
    if not lives:
        return {}
    rows = [(c.kind.value, c.account, c.subject, *_life_row(lives[c])) for c in lives]
    columns = (list(column) for column in zip(*rows, strict=True))
    return {_cause(row): row["id"] for row in await connection.fetch(_INSERT, *columns)}


async def lock(connection: Session, ids: Collection[int]) -> dict[int, Discrepancy]:
    """Return the discrepancies with these ids, locked in sorted order until the unit ends."""
    if not ids:
        return {}
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM unnest($1::bigint[]) AS k(id) CROSS JOIN LATERAL "  # noqa: S608 - ours
        "(SELECT * FROM discrepancies.discrepancy AS d WHERE d.id = k.id OFFSET 0 FOR UPDATE) AS d",
        sorted(ids),
    )
    return {row["id"]: discrepancy_of(row) for row in rows}


async def lock_overdue(connection: Session, *, now: datetime, rows_max: int) -> list[Discrepancy]:
    """Return discrepancies whose time is up, locked; those that others hold are left to them."""
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM discrepancies.discrepancy AS d "  # noqa: S608 - ours
        "WHERE d.state IN ('OPEN', 'ASSIGNED') AND d.due_at <= $1 "
        "AND (d.snoozed_until IS NULL OR d.snoozed_until <= $1) "
        "ORDER BY d.due_at LIMIT $2 FOR UPDATE SKIP LOCKED",
        now,
        rows_max,
    )
    return [discrepancy_of(row) for row in rows]


async def said(connection: Session, ids: Collection[int], evidence: str) -> dict[int, set[Said]]:
    """Return what was said before of this evidence, by the discrepancies of `ids`, all locked."""
    found: dict[int, set[Said]] = {}
    if not ids:
        return found
    rows = await connection.fetch(
        "SELECT a.discrepancy, a.source, a.is_proof FROM unnest($1::bigint[]) AS k(id) "
        "CROSS JOIN LATERAL (SELECT discrepancy, source, kind = 'proven_gone' AS is_proof "
        "FROM discrepancies.action AS a WHERE a.discrepancy = k.id AND a.evidence = $2 "
        "AND a.source = ANY($3::text[]) OFFSET 0) AS a",
        sorted(ids),
        evidence,
        [source.value for source in Source],
    )
    for row in rows:
        found.setdefault(row["discrepancy"], set()).add((Source(row["source"]), row["is_proof"]))
    return found


async def write(connection: Session, changes: Sequence[Change]) -> None:
    """Append what was taken to the logs, and keep what it led to.

    Written at once and not with the rest of the unit: who asks again in the same unit must see it.
    """
    writes: dict[Bulk, Sequence[tuple[Any, ...]]] = {
        _UPDATE: [
            (change.now.id, *_life_row(change.now.life))
            for change in changes
            if change.before is not None
        ],
        _ACTION: [_action_row(change.now.id, step) for change in changes for step in change.taken],
    }
    await write_all(connection, {bulk: rows for bulk, rows in writes.items() if rows}, "")


def discrepancy_of(row: asyncpg.Record) -> Discrepancy:
    """Return what the columns of a row say."""
    return Discrepancy(
        id=row["id"],
        cause=_cause(row),
        life=Life(
            version=row["version"],
            state=State(row["state"]),
            severity=Severity(row["severity"]),
            opened_at=row["opened_at"],
            first_seen=row["first_seen"],
            last_seen=row["last_seen"],
            due_at=row["due_at"],
            occurrences=row["occurrences"],
            reopenings=row["reopenings"],
            owner=row["owner"],
            amount=None if row["amount"] is None else normal(row["amount"]),
            facts=json.loads(row["facts"]),
            on=row["belongs_on"],
            snoozed_until=row["snoozed_until"],
            resolved_at=row["resolved_at"],
            reason_code=None if row["reason_code"] is None else ReasonCode(row["reason_code"]),
            reason=row["reason"],
            is_alerted=row["is_alerted"],
        ),
    )


def _cause(row: asyncpg.Record) -> Cause:
    return Cause(kind=Kind(row["kind"]), account=row["number"], subject=row["subject"])


def _account(row: asyncpg.Record, calendars: Calendars) -> Account:
    definition = definition_from_bytes(row["definition"])
    return Account(
        named=Named(account_id=row["account_id"], currency=row["currency"]),
        working=Working(
            days=calendars.as_known(definition.calendar), zone=ZoneInfo(definition.time_zone)
        ),
    )


def _life_row(life: Life) -> tuple[Any, ...]:
    return (
        life.version,
        life.state.value,
        life.severity.value,
        life.owner,
        life.opened_at,
        life.first_seen,
        life.last_seen,
        life.occurrences,
        life.reopenings,
        life.amount,
        json.dumps(life.facts, ensure_ascii=False),
        life.on,
        life.due_at,
        life.snoozed_until,
        life.resolved_at,
        None if life.reason_code is None else life.reason_code.value,
        life.reason,
        life.is_alerted,
    )


def _action_row(discrepancy: int, step: Taken) -> tuple[Any, ...]:
    before, action, life = step.before, step.action, step.after
    check = action if isinstance(action, Found | ProvenGone) else None
    code = getattr(action, "reason_code", None)
    return (
        discrepancy,
        life.version,
        kind_of(action),
        action.at,
        action.actor,
        None if check is None else check.source.value,
        None if check is None else check.evidence,
        None if code is None else code.value,
        getattr(action, "reason", None),
        None if before is None else before.state.value,
        life.state.value,
        life.severity.value,
        life.amount,
        life.opened_at,
        life.due_at,
        action_text(action),
    )
