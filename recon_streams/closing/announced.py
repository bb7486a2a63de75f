"""What a bank announced for a day whose statement does not hold it: known, and not in its balance.

An announcement counts as booked while nothing better is known. Once the record of its day is there,
that is better: what it does not hold is not at the bank, whatever was announced.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

import msgspec

from recon_streams.book.connection import Session
from recon_streams.kernel.money import ZERO, add, normal
from recon_streams.matching.items import ItemKey


@unique
class Partner(StrEnum):
    """Where the ledger's movement of an announced entry is."""

    NONE = "NONE"  # the ledger has none
    HERE = "HERE"  # of the day or before
    LATER = "LATER"  # of a later day


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """One announced entry that the statement of its day does not hold; `amount` as announced."""

    key: ItemKey
    on: date
    amount: Decimal
    reference: str
    partner: Partner


class NotStated(msgspec.Struct, frozen=True, kw_only=True):
    """All of them of one account, with count and sum by partner as the database adds them up."""

    entries: tuple[Announced, ...] = ()
    totals: dict[Partner, tuple[int, Decimal]] = {}

    @property
    def amount(self) -> Decimal:
        """Return the sum of all of them."""
        found = ZERO
        for _, amount in self.totals.values():
            found = add(found, amount)
        return found


# The days of a statement are those since the one it joins; of one that joins none, its own. What
# was announced for days between is in a statement that is missing, and in the balance after it.
# Days are compared as sums first, so that only entries of days that do not agree are read.
_FOUND: Final = """
WITH stated AS (
    SELECT k.number, s.closing_on, sum(s.credits - s.debits) AS net, array_agg(s.opening) AS opened,
        array_agg(s.closing) AS closed,
        min(s.opening_on + (s.opening_code = 'PRCD' AND s.opening_on < s.closing_on)::int) AS first
    FROM unnest($1::int[], $2::date[], $3::text[]) AS k(number, day, message)
    JOIN positions.statement AS s ON s.number = k.number AND s.message = k.message
        AND s.closing_on <= k.day AND s.status = 'ACCEPTED'
    GROUP BY k.number, s.closing_on
), joined AS (
    SELECT *, lag(closing_on) OVER w AS before_on, lag(closed) OVER w AS before_closed,
        max(closing_on) OVER (PARTITION BY number) AS newest
    FROM stated WINDOW w AS (PARTITION BY number ORDER BY closing_on)
), span AS (
    SELECT j.number, j.closing_on AS last, j.net, k.day,
        CASE WHEN opened && before_closed THEN before_on + 1
            ELSE greatest(coalesce(first, j.closing_on), before_on + 1) END AS first
    FROM joined AS j JOIN unnest($1::int[], $2::date[]) AS k(number, day) USING (number)
    WHERE j.newest = k.day
), apart AS (
    SELECT s.* FROM span AS s CROSS JOIN LATERAL (
        SELECT coalesce(sum(b.net), 0) AS net FROM positions.bank_day AS b
        WHERE b.number = s.number AND b.day BETWEEN s.first AND s.last) AS b
    WHERE b.net <> s.net
), entry AS (
    SELECT e.number, e.sequence, e.part, e.booked_on, e.net,
        coalesce(e.end_to_end_id, e.servicer_reference, e.uetr, '') AS reference,
        CASE WHEN m.last_on IS NULL THEN 'NONE' WHEN m.last_on <= a.day THEN 'HERE'
            ELSE 'LATER' END AS partner
    FROM apart AS a JOIN positions.bank_entry AS e ON e.number = a.number
        AND e.booked_on BETWEEN a.first AND a.last AND e.net <> 0 AND NOT e.stated
    LEFT JOIN matching.match AS m ON m.number = e.number AND m.bank_sequence = e.sequence
        AND m.bank_part = e.part AND m.released_by IS NULL
    WHERE NOT EXISTS (SELECT FROM positions.entry_confirmation AS c WHERE c.number = e.number
        AND c.sequence = e.sequence AND c.part = e.part AND c.stated)
)
"""
_ENTRIES: Final = f"{_FOUND} SELECT * FROM entry ORDER BY number, booked_on, sequence, part"  # noqa: S608 - ours
_TOTALS: Final = f"""{_FOUND}
SELECT number, partner, count(*) AS n, sum(net) AS net FROM entry GROUP BY 1, 2
"""  # noqa: S608 - ours


async def announced_not_stated(
    connection: Session, asked: Mapping[int, tuple[date, str]]
) -> dict[int, NotStated]:
    """Return by account what was announced through a day and is in none of its statements.

    Args:
        connection: Reads only.
        asked: By account number the day, and the message that is the record of a day. Of an
            account without such a message of that day nothing is found: nothing is known better.
    """
    given = (
        list(asked),
        [on for on, _ in asked.values()],
        [message for _, message in asked.values()],
    )
    entries: dict[int, list[Announced]] = {}
    for row in await connection.fetch(_ENTRIES, *given):
        found = Announced(
            key=ItemKey(row["sequence"], row["part"]),
            on=row["booked_on"],
            amount=normal(row["net"]),
            reference=row["reference"],
            partner=Partner(row["partner"]),
        )
        entries.setdefault(row["number"], []).append(found)
    if not entries:
        return {}
    totals: dict[int, dict[Partner, tuple[int, Decimal]]] = {}
    for row in await connection.fetch(_TOTALS, *given):
        sums = totals.setdefault(row["number"], {})
        sums[Partner(row["partner"])] = (row["n"], normal(row["net"]))
    return {
        number: NotStated(entries=tuple(found), totals=totals.get(number, {}))
        for number, found in entries.items()
    }
