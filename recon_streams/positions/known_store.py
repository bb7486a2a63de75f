"""The SQL of what recognises a payment: asked for the keys of a batch, written with it."""

from typing import Final

import msgspec

from recon_streams.book.connection import Session
from recon_streams.kernel.money import ZERO
from recon_streams.positions.identity import Mark, Rung
from recon_streams.positions.known import Known, SeenMark, SeenMovement, SeenReport

_REPORT: Final = ("number", "key", "content", "origin")
_MARK: Final = (
    "number",
    "digest",
    "ordinal",
    "rung",
    "sequence",
    "part",
    "strongest_rung",
    "strongest",
    "booked_on",
)
_MOVEMENT: Final = (
    "number",
    "movement_id",
    "content",
    "ledger_sequence",
    "amount",
    "reference",
    "names_payment",
    "sequence",
)


class Keys(msgspec.Struct, kw_only=True):
    """What a batch asks of the book, by account number."""

    accounts: set[int] = msgspec.field(default_factory=set)
    reports: set[tuple[int, bytes]] = msgspec.field(default_factory=set)
    marks: set[tuple[int, bytes]] = msgspec.field(default_factory=set)
    movements: set[tuple[int, str]] = msgspec.field(default_factory=set)
    ledger_sequences: set[tuple[int, int]] = msgspec.field(default_factory=set)
    references: set[tuple[int, str]] = msgspec.field(default_factory=set)
    anchors: set[tuple[int, int]] = msgspec.field(default_factory=set)


async def load_known(connection: Session, keys: Keys) -> Known:
    """Return what the book knows of `keys`. The accounts must be locked before."""
    known = Known()
    if keys.reports:
        await _load_reports(connection, keys, known)
    if keys.marks:
        await _load_marks(connection, keys, known)
    if keys.movements:
        await _load_movements(connection, keys, known)
    if keys.references:
        await _load_legs(connection, keys, known)
    if keys.anchors:
        await _load_moved_after(connection, keys, known)
    return known


async def write_known(connection: Session, known: Known) -> None:
    """Write what a batch added to `known`."""
    await _copy(connection, "report_seen", _REPORT, _report_rows(known))
    await _copy(connection, "payment_mark", _MARK, _mark_rows(known))
    await _copy(connection, "ledger_record", _MOVEMENT, _movement_rows(known))
    if known.added_bank_legs:
        legs = sorted((*key, amount) for key, amount in known.added_bank_legs.items())
        await connection.execute(
            "INSERT INTO positions.bank_leg AS b (number, reference, amount) "
            "SELECT * FROM unnest($1::int[], $2::text[], $3::numeric[]) "
            "ON CONFLICT (number, reference) DO UPDATE SET amount = b.amount + excluded.amount",
            *([leg[column] for leg in legs] for column in range(3)),
        )


async def _copy(
    connection: Session, table: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]
) -> None:
    if rows:
        await connection.copy_records_to_table(
            table, schema_name="positions", columns=columns, records=rows
        )


def _report_rows(known: Known) -> list[tuple[object, ...]]:
    return [
        (number, key, seen.content, seen.where)
        for (number, key), seen in known.added_reports.items()
    ]


def _mark_rows(known: Known) -> list[tuple[object, ...]]:
    return [
        (
            added.account,
            added.mark.digest,
            added.seen.ordinal,
            int(added.mark.rung),
            added.seen.sequence,
            added.seen.part,
            int(added.seen.strongest.rung),
            added.seen.strongest.digest,
            added.seen.booked_on,
        )
        for added in known.added_marks
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
        )
        for row in known.added_movements
    ]


async def _load_reports(connection: Session, keys: Keys, known: Known) -> None:
    rows = await connection.fetch(
        "SELECT number, key, content, origin FROM positions.report_seen "
        "JOIN unnest($1::int[], $2::bytea[]) AS k(number, key) USING (number, key)",
        [number for number, _ in keys.reports],
        [key for _, key in keys.reports],
    )
    for row in rows:
        seen = SeenReport(row["content"], row["origin"])
        known.reports[row["number"], row["key"]] = seen


async def _load_marks(connection: Session, keys: Keys, known: Known) -> None:
    rows = await connection.fetch(
        "SELECT number, digest, ordinal, sequence, part, strongest_rung, strongest, booked_on "
        "FROM positions.payment_mark "
        "JOIN unnest($1::int[], $2::bytea[]) AS k(number, digest) USING (number, digest) "
        "ORDER BY number, digest, ordinal",
        [number for number, _ in keys.marks],
        [digest for _, digest in keys.marks],
    )
    for row in rows:
        seen = SeenMark(
            ordinal=row["ordinal"],
            sequence=row["sequence"],
            part=row["part"],
            strongest=Mark(Rung(row["strongest_rung"]), row["strongest"]),
            booked_on=row["booked_on"],
        )
        known.marks.setdefault((row["number"], row["digest"]), []).append(seen)


async def _load_movements(connection: Session, keys: Keys, known: Known) -> None:
    rows = await connection.fetch(
        "SELECT number, movement_id, content, ledger_sequence, sequence "
        "FROM positions.ledger_record "
        "JOIN unnest($1::int[], $2::text[]) AS k(number, movement_id) USING (number, movement_id) "
        "UNION SELECT number, movement_id, content, ledger_sequence, sequence "
        "FROM positions.ledger_record "
        "JOIN unnest($3::int[], $4::bigint[]) AS s(number, ledger_sequence) "
        "USING (number, ledger_sequence)",
        [number for number, _ in keys.movements],
        [movement_id for _, movement_id in keys.movements],
        [number for number, _ in keys.ledger_sequences],
        [sequence for _, sequence in keys.ledger_sequences],
    )
    for row in rows:
        number, movement_id = row["number"], row["movement_id"]
        known.movements[number, movement_id] = SeenMovement(
            content=row["content"], sequence=row["sequence"]
        )
        known.ledger_sequences[number, row["ledger_sequence"]] = movement_id


async def _load_legs(connection: Session, keys: Keys, known: Known) -> None:
    asked = (
        [number for number, _ in keys.references],
        [reference for _, reference in keys.references],
    )
    rows = await connection.fetch(
        "SELECT number, reference, amount FROM positions.bank_leg "
        "JOIN unnest($1::int[], $2::text[]) AS k(number, reference) USING (number, reference)",
        *asked,
    )
    known.bank_legs.update({(row["number"], row["reference"]): row["amount"] for row in rows})
    rows = await connection.fetch(
        "SELECT number, reference, sum(amount) AS amount, "
        "max(ledger_sequence) FILTER (WHERE names_payment) AS named "
        "FROM positions.ledger_record "
        "JOIN unnest($1::int[], $2::text[]) AS k(number, reference) USING (number, reference) "
        "GROUP BY number, reference",
        *asked,
    )
    for row in rows:
        known.ledger_legs[row["number"], row["reference"]] = row["amount"]
        if row["named"] is not None:
            known.named[row["number"], row["reference"]] = row["named"]


async def _load_moved_after(connection: Session, keys: Keys, known: Known) -> None:
    rows = await connection.fetch(
        "SELECT number, anchor, coalesce(sum(r.amount), 0) AS amount "
        "FROM unnest($1::int[], $2::bigint[]) AS k(number, anchor) "
        "LEFT JOIN positions.ledger_record AS r USING (number) "
        "WHERE r.ledger_sequence > k.anchor GROUP BY number, anchor",
        [number for number, _ in keys.anchors],
        [anchor for _, anchor in keys.anchors],
    )
    known.moved_after.update(dict.fromkeys(keys.anchors, ZERO))
    known.moved_after.update({(row["number"], row["anchor"]): row["amount"] for row in rows})
