"""The SQL that finds single lines by day and amount: those that name no payment."""

from collections.abc import Collection
from typing import Final

from recon_streams.book.connection import Session
from recon_streams.kernel.money import normal
from recon_streams.positions.identity import NEAR
from recon_streams.positions.lumps import Lump, LumpKey, Lumps

# Key by key, and only of the partitions in which such a line can stand.
_LUMPS: Final = """
SELECT e.* FROM unnest($1::int[], $2::date[], $3::numeric[], $4::date[])
    AS k(number, day, amount, since)
CROSS JOIN LATERAL (
    SELECT number, sequence, part, booked_on, amount, origin FROM positions.bank_entry AS e
    WHERE e.number = k.number AND e.booked_on = k.day AND e.amount = k.amount
        AND e.arrived_on >= k.since AND e.part = 0 AND e.net = e.amount AND e.uetr IS NULL
        AND e.end_to_end_id IS NULL AND e.code <> 'WITHDRAWN'
    LIMIT 10 OFFSET 0
) AS e
"""


async def load(connection: Session, keys: Collection[LumpKey], lumps: Lumps) -> None:
    """Load the lines that `keys` ask about."""
    asked = list(keys)
    for key in asked:
        lumps.learn(key)
    rows = await connection.fetch(
        _LUMPS,
        [key.number for key in asked],
        [key.day for key in asked],
        [key.amount for key in asked],
        [key.day - NEAR for key in asked],
    )
    for row in rows:
        key = LumpKey(row["number"], row["booked_on"], normal(row["amount"]))
        payment = (row["number"], row["sequence"], row["part"])
        lumps.learn(key, Lump(payment, row["booked_on"], row["origin"]))
