"""The SQL of the bank's entries: each payment once, who told it again, and what each day adds."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

import asyncpg
import msgspec

from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.positions.bank_record import BankRecord, EntryRow, Payment, PaymentKey

_ENTRY_TYPES: Final = {
    "number": "int",
    "sequence": "bigint",
    "part": "int",
    "arrived_on": "date",
    "booked_on": "date",
    "value_on": "date",
    "amount": "numeric",
    "net": "numeric",
    "uetr": "text",
    "servicer_reference": "text",
    "entry_reference": "text",
    "clearing_reference": "text",
    "end_to_end_id": "text",
    "batch_reference": "text",
    "counterparty": "text",
    "remittance": "text",
    "code": "text",
    "look": "bytea",
    "reversal": "boolean",
    "message": "text",
    "stated": "boolean",
    "origin": "text",
    "path": "text",
}
assert tuple(_ENTRY_TYPES)[1:] == EntryRow.__struct_fields__[1:], "a column for each field"

_ENTRY: Final = Bulk.insert("positions.bank_entry", _ENTRY_TYPES)
_CONFIRMATION: Final = Bulk.insert(
    "positions.entry_confirmation",
    {
        "number": "int",
        "sequence": "bigint",
        "part": "int",
        "arrived_on": "date",
        "message": "text",
        "booked_on": "date",
        "stated": "boolean",
        "withdraws": "boolean",
        "origin": "text",
        "path": "text",
    },
)
_DAY: Final = Bulk(
    "bank_day",
    (("number", "int"), ("day", "date"), ("net", "numeric")),
    "INSERT INTO positions.bank_day AS b (number, day, net) SELECT * FROM {rows} "
    "ON CONFLICT (number, day) DO UPDATE SET net = b.net + excluded.net",
)

# Who finds an entry gets its parts as well. By the key of each payment and of its partition, so
# that years of others are not looked at.
_PAYMENTS: Final = """
SELECT k.number, k.sequence, e.part, k.arrived_on, e.net, e.booked_on, e.message, e.stated,
    e.origin, e.path, c.booked_on AS stated_day, c.withdraws,
    c.origin AS stated_by, CASE WHEN e.stated THEN (
        SELECT true FROM positions.entry_confirmation AS a
        WHERE a.number = k.number AND a.sequence = k.sequence AND a.part = e.part
            AND a.arrived_on >= k.arrived_on AND NOT a.stated AND NOT a.withdraws LIMIT 1
    ) END AS announced
FROM unnest($1::int[], $2::bigint[], $3::int[], $4::date[])
    AS k(number, sequence, part, arrived_on)
CROSS JOIN LATERAL (
    SELECT part, net, booked_on, message, stated, origin, path FROM positions.bank_entry AS e
    WHERE e.number = k.number AND e.sequence = k.sequence AND k.part IN (0, e.part)
        AND e.arrived_on = k.arrived_on OFFSET 0
) AS e
LEFT JOIN LATERAL (
    SELECT booked_on, withdraws, origin FROM positions.entry_confirmation AS c
    WHERE c.number = k.number AND c.sequence = k.sequence AND c.part = e.part
        AND c.arrived_on >= k.arrived_on AND (c.stated OR c.withdraws)
    ORDER BY c.arrived_on DESC, c.withdraws DESC LIMIT 1
) AS c ON true
"""


async def make_months(pool: asyncpg.Pool, today: date) -> int:
    """Make the partitions of this month and the next two, if they are missing; return how many."""
    until = today + timedelta(days=62)
    made: int = await pool.fetchval("SELECT positions.make_months($1, $2)", today, until)
    return made


async def load_payments(
    connection: Session, places: Mapping[PaymentKey, date], bank: BankRecord
) -> None:
    """Load the payments in `places`, by the days of arrival of their rows; entries with parts."""
    keys = list(places)
    rows = await connection.fetch(
        _PAYMENTS,
        [number for number, _, _ in keys],
        [sequence for _, sequence, _ in keys],
        [part for _, _, part in keys],
        list(places.values()),
    )
    for row in rows:
        key = (row["number"], row["sequence"], row["part"])
        bank.learn_payment(key, payment_of(row))


def payment_of(row: Any) -> Payment:  # noqa: ANN401 - a record of the driver has no type
    """Return the payment in a row of entries with its last confirmation by the day's record."""
    is_confirmed = row["stated_day"] is not None
    return Payment(
        net=row["net"],
        day=row["stated_day"] if is_confirmed else row["booked_on"],
        arrived_on=row["arrived_on"],
        message=row["message"],
        origin=row["origin"],
        path=row["path"],
        stated=row["stated"] or is_confirmed,
        stated_by=row["stated_by"] or (row["origin"] if row["stated"] else None),
        withdrawn=bool(row["withdraws"]),
        announced=bool(row["announced"]),
    )


def write(unit: UnitOfWork, bank: BankRecord) -> None:
    """Write the entries and confirmations that a batch added, and what they add to their days."""
    unit.write(_ENTRY, (msgspec.structs.astuple(row) for row in bank.added_entries))
    unit.write(
        _CONFIRMATION,
        (
            (
                *row.payment,
                row.arrived_on,
                row.message,
                row.booked_on,
                row.stated,
                row.withdraws,
                row.origin,
                row.path,
            )
            for row in bank.added_confirmations
        ),
    )
    unit.write(_DAY, sorted((*key, net) for key, net in bank.added_days.items() if net))
