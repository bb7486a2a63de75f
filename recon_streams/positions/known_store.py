"""The SQL of what recognises a payment: asked for the keys of a batch, written with it.

Every look-up goes key by key, spelled as LATERAL with OFFSET 0 so that the planner cannot turn it
into a join: a server keeps the plan it made while a table was small, and that plan read the whole
table, longer with every batch.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.money import ZERO
from recon_streams.positions import (
    entry_store,
    look_store,
    lump_store,
    statement_lookup,
    statement_store,
)
from recon_streams.positions.bank_record import PaymentKey
from recon_streams.positions.identity import Mark, Rung, mark_of_members
from recon_streams.positions.known import Known, SeenMark, SeenMovement, SeenReport
from recon_streams.positions.look_store import Look
from recon_streams.positions.lumps import LumpKey
from recon_streams.positions.statement_lookup import StatementKey

_REPORT: Final = Bulk.insert(
    "positions.report_seen",
    {"number": "int", "key": "bytea", "content": "bytea", "origin": "text", "became": "text"},
)
_MARK: Final = Bulk.insert(
    "positions.payment_mark",
    {
        "number": "int",
        "digest": "bytea",
        "ordinal": "int",
        "rung": "smallint",
        "sequence": "bigint",
        "part": "int",
        "booked_on": "date",
        "arrived_on": "date",
    },
)
_MOVEMENT: Final = Bulk.insert(
    "positions.ledger_record",
    {
        "number": "int",
        "movement_id": "text",
        "content": "bytea",
        "ledger_sequence": "bigint",
        "amount": "numeric",
        "reference": "text",
        "names_payment": "boolean",
        "sequence": "bigint",
        "kind": "text",
        "occurred_at": "timestamptz",
        "uetr": "text",
        "bank_reference": "text",
        "batch_reference": "text",
    },
)
_LEG: Final = Bulk(
    "bank_leg",
    (("number", "int"), ("reference", "text"), ("amount", "numeric")),
    "INSERT INTO positions.bank_leg AS b (number, reference, amount) SELECT * FROM {rows} "
    "ON CONFLICT (number, reference) DO UPDATE SET amount = b.amount + excluded.amount",
)


class Keys(msgspec.Struct, kw_only=True):
    """What a batch asks of the book, by account number."""

    accounts: set[int] = msgspec.field(default_factory=set)
    reports: set[tuple[int, bytes]] = msgspec.field(default_factory=set)
    marks: set[tuple[int, bytes]] = msgspec.field(default_factory=set)
    looks: list[Look] = msgspec.field(default_factory=list)
    movements: set[tuple[int, str]] = msgspec.field(default_factory=set)
    ledger_sequences: set[tuple[int, int]] = msgspec.field(default_factory=set)
    references: set[tuple[int, str]] = msgspec.field(default_factory=set)
    anchors: set[tuple[int, int]] = msgspec.field(default_factory=set)
    statements: set[StatementKey] = msgspec.field(default_factory=set)
    pages: set[tuple[int, bytes]] = msgspec.field(default_factory=set)
    lumps: set[LumpKey] = msgspec.field(default_factory=set)
    totals: set[tuple[int, date]] = msgspec.field(default_factory=set)


async def load_known(connection: Session, keys: Keys) -> Known:  # noqa: C901 - one by one
    """Return what the book knows of `keys`. The accounts must be locked before."""
    known = Known()
    if keys.reports:
        await _load_reports(connection, keys, known)
    if keys.marks:
        await _load_marks(connection, keys, known)
    if keys.looks:
        await look_store.load(connection, keys.looks, known)
    if keys.lumps:
        await lump_store.load(connection, keys.lumps, known.lumps)
    if keys.movements:
        await _load_movements(connection, keys, known)
    if keys.references:
        await _load_legs(connection, keys, known)
    if keys.anchors:
        await _load_moved_after(connection, keys, known)
    if keys.pages:
        await statement_lookup.load_pages(connection, keys.pages, known.bank)
    if keys.statements:
        await statement_lookup.load(connection, keys.statements, known.bank)
    if keys.totals:
        await statement_lookup.load_totals(connection, keys.totals, known.bank)
    return known


def write_known(unit: UnitOfWork, known: Known) -> None:
    """Write what a batch added to `known`."""
    unit.write(_REPORT, _report_rows(known))
    unit.write(_MARK, known.added_marks)
    unit.write(_MOVEMENT, _movement_rows(known))
    entry_store.write(unit, known.bank)
    statement_store.write(unit, known.bank)
    unit.write(_LEG, sorted((*key, amount) for key, amount in known.added_bank_legs.items()))


def _report_rows(known: Known) -> list[tuple[object, ...]]:
    return [
        (number, key, seen.content, seen.where, seen.became.value)
        for (number, key), seen in known.added_reports.items()
    ]


def _movement_rows(known: Known) -> list[tuple[object, ...]]:
    return [
        (
            row.account,
            row.movement_id,
            row.content,
            row.ledger_sequence,
            row.amount,
            row.reference,
            row.names_payment,
            row.sequence,
            row.kind,
            row.occurred_at,
            row.uetr,
            row.bank_reference,
            row.batch_reference,
        )
        for row in known.added_movements
    ]


async def _load_reports(connection: Session, keys: Keys, known: Known) -> None:
    rows = await connection.fetch(
        "SELECT k.number, k.key, r.content, r.origin, r.became "
        "FROM unnest($1::int[], $2::bytea[]) AS k(number, key) CROSS JOIN LATERAL ("
        "SELECT content, origin, became FROM positions.report_seen AS r "
        "WHERE r.number = k.number AND r.key = k.key OFFSET 0) AS r",
        *_columns(keys.reports),
    )
    for row in rows:
        seen = SeenReport(row["content"], row["origin"], Disposition(row["became"]))
        known.reports[row["number"], row["key"]] = seen


async def _load_marks(connection: Session, keys: Keys, known: Known) -> None:
    rows = await connection.fetch(
        "SELECT m.*, c.rungs, c.digests FROM unnest($1::int[], $2::bytea[]) AS k(number, digest) "
        "CROSS JOIN LATERAL (SELECT number, digest, ordinal, sequence, part, booked_on, arrived_on "
        "FROM positions.payment_mark AS m "
        "WHERE m.number = k.number AND m.digest = k.digest ORDER BY ordinal OFFSET 0) AS m "
        "CROSS JOIN LATERAL (SELECT array_agg(rung) AS rungs, array_agg(digest) AS digests "
        "FROM positions.payment_mark AS c WHERE c.number = m.number "
        "AND c.sequence = m.sequence AND c.part = m.part OFFSET 0) AS c",
        *_columns(keys.marks),
    )
    places: dict[PaymentKey, date] = {}
    for row in rows:
        number, sequence, part = row["number"], row["sequence"], row["part"]
        if row["arrived_on"] is not None:
            places[number, sequence, part] = row["arrived_on"]
        seen = SeenMark(row["ordinal"], sequence, part, row["booked_on"])
        known.marks.setdefault((number, row["digest"]), []).append(seen)
        known.carried[number, sequence, part] = {
            Mark(Rung(rung), digest)
            for rung, digest in zip(row["rungs"], row["digests"], strict=True)
        }
    if places:
        await entry_store.load_payments(connection, places, known.bank)
        await _load_members(connection, places, known)


async def _load_members(
    connection: Session, places: Mapping[PaymentKey, date], known: Known
) -> None:
    """Load the payments that were known before the batch came which is the sum of them."""
    batches = {
        mark_of_members(number, sequence).digest: (number, sequence)
        for number, sequence, part in places
        if not part
    }
    rows = await connection.fetch(
        "SELECT m.* FROM unnest($1::int[], $2::bytea[]) AS k(number, digest) CROSS JOIN LATERAL ("
        "SELECT number, digest, sequence, part, arrived_on FROM positions.payment_mark AS m "
        "WHERE m.number = k.number AND m.digest = k.digest OFFSET 0) AS m",
        [number for number, _ in batches.values()],
        list(batches),
    )
    members: dict[PaymentKey, date] = {}
    for row in rows:
        key = (row["number"], row["sequence"], row["part"])
        known.bank.learn_part(batches[row["digest"]], key)
        if row["arrived_on"] is not None and key not in known.bank.payments:
            members[key] = row["arrived_on"]
    if members:
        await entry_store.load_payments(connection, members, known.bank)


async def _load_movements(connection: Session, keys: Keys, known: Known) -> None:
    rows = await connection.fetch(
        "SELECT r.* FROM unnest($1::int[], $2::text[]) AS k(number, movement_id) "
        "CROSS JOIN LATERAL (SELECT number, movement_id, content, ledger_sequence, sequence "
        "FROM positions.ledger_record AS r "
        "WHERE r.number = k.number AND r.movement_id = k.movement_id OFFSET 0) AS r "
        "UNION SELECT r.* FROM unnest($3::int[], $4::bigint[]) AS k(number, ledger_sequence) "
        "CROSS JOIN LATERAL (SELECT number, movement_id, content, ledger_sequence, sequence "
        "FROM positions.ledger_record AS r "
        "WHERE r.number = k.number AND r.ledger_sequence = k.ledger_sequence OFFSET 0) AS r",
        *_columns(keys.movements),
        *_columns(keys.ledger_sequences),
    )
    for row in rows:
        number, movement_id = row["number"], row["movement_id"]
        known.movements[number, movement_id] = SeenMovement(
            content=row["content"], sequence=row["sequence"]
        )
        known.ledger_sequences[number, row["ledger_sequence"]] = movement_id


async def _load_legs(connection: Session, keys: Keys, known: Known) -> None:
    asked = _columns(keys.references)
    rows = await connection.fetch(
        "SELECT k.number, k.reference, b.amount "
        "FROM unnest($1::int[], $2::text[]) AS k(number, reference) CROSS JOIN LATERAL ("
        "SELECT amount FROM positions.bank_leg AS b "
        "WHERE b.number = k.number AND b.reference = k.reference OFFSET 0) AS b",
        *asked,
    )
    known.bank_legs.update({(row["number"], row["reference"]): row["amount"] for row in rows})
    rows = await connection.fetch(
        "SELECT k.number, k.reference, r.amount, r.named "
        "FROM unnest($1::int[], $2::text[]) AS k(number, reference) CROSS JOIN LATERAL ("
        "SELECT sum(amount) AS amount, "
        "max(ledger_sequence) FILTER (WHERE names_payment) AS named "
        "FROM positions.ledger_record AS r "
        "WHERE r.number = k.number AND r.reference = k.reference) AS r "
        "WHERE r.amount IS NOT NULL",
        *asked,
    )
    for row in rows:
        known.ledger_legs[row["number"], row["reference"]] = row["amount"]
        if row["named"] is not None:
            known.named[row["number"], row["reference"]] = row["named"]


def _columns(keys: Iterable[tuple[Any, ...]]) -> tuple[list[Any], list[Any]]:
    pairs = list(keys)
    return [first for first, _ in pairs], [second for _, second in pairs]


async def _load_moved_after(connection: Session, keys: Keys, known: Known) -> None:
    rows = await connection.fetch(
        "SELECT number, anchor, coalesce(sum(r.amount), 0) AS amount "
        "FROM unnest($1::int[], $2::bigint[]) AS k(number, anchor) "
        "LEFT JOIN positions.ledger_record AS r USING (number) "
        "WHERE r.ledger_sequence > k.anchor GROUP BY number, anchor",
        *_columns(keys.anchors),
    )
    known.moved_after.update(dict.fromkeys(keys.anchors, ZERO))
    known.moved_after.update({(row["number"], row["anchor"]): row["amount"] for row in rows})
