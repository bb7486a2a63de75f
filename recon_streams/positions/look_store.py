"""The SQL that finds payments by their looks, where no reference finds them."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from recon_streams.book.connection import Session
from recon_streams.positions import entry_store
from recon_streams.positions.bank_record import PaymentKey
from recon_streams.positions.identity import NEAR, Mark, Rung
from recon_streams.positions.known import Known


class Look(NamedTuple):
    """How an entry looks, asked about only if none of its marks is known."""

    number: int
    day: date
    looks: tuple[bytes, ...]
    marks: tuple[bytes, ...]


async def load(connection: Session, looks: Iterable[Look], known: Known) -> None:
    """Load the payments that look like entries which none of their marks finds."""
    asked = list(
        {
            (look.number, digest, look.day)
            for look in looks
            # An entry that a reference finds needs no look, and there may be thousands like it.
            if not any((look.number, mark) in known.marks for mark in look.marks)
            for digest in look.looks
        }
    )
    rows = await connection.fetch(
        "SELECT e.*, c.rungs, c.digests "
        "FROM unnest($1::int[], $2::bytea[], $3::date[]) AS k(number, look, since) "
        "CROSS JOIN LATERAL (SELECT number, look, sequence, arrived_on, booked_on "
        "FROM positions.bank_entry AS e WHERE e.number = k.number AND e.look = k.look "
        "AND e.arrived_on >= k.since ORDER BY sequence OFFSET 0) AS e "
        "CROSS JOIN LATERAL (SELECT array_agg(rung) AS rungs, array_agg(digest) AS digests "
        "FROM positions.payment_mark AS c WHERE c.number = e.number "
        "AND c.sequence = e.sequence AND c.part = 0 OFFSET 0) AS c",
        [number for number, _, _ in asked],
        [look for _, look, _ in asked],
        [day - NEAR for _, _, day in asked],
    )
    places: dict[PaymentKey, date] = {}
    for row in rows:
        number, sequence = row["number"], row["sequence"]
        look = Mark(Rung.COMPOSITE, row["look"])
        places[number, sequence, 0] = row["arrived_on"]
        known.learn_look(number, look, sequence, row["booked_on"])
        known.carried[number, sequence, 0].update(
            Mark(Rung(rung), digest)
            for rung, digest in zip(row["rungs"] or (), row["digests"] or (), strict=True)
        )
    if places:
        await entry_store.load_payments(connection, places, known.bank)
