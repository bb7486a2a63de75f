"""Matches follow the bank: a statement that gives another day than the notification moves it.

Without this, a match over the end of a day would be explained by a day that no longer holds.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from recon_streams.book.connection import Session

# The day of a confirmation's arrival may lie before the run that did not see it yet.
_DAYS_BACK: Final = 7

_MOVE: Final = """
WITH told AS (
    SELECT DISTINCT ON (c.number, c.sequence, c.part) c.number, c.sequence, c.part, c.booked_on
    FROM positions.entry_confirmation AS c JOIN matching.progress AS p USING (number)
    WHERE c.number = ANY($1) AND c.arrived_on >= $2
        AND c.stated AND NOT c.withdraws AND c.booked_on IS NOT NULL
    ORDER BY c.number, c.sequence, c.part, c.arrived_on DESC, c.booked_on DESC
), moved AS (
    UPDATE matching.match AS m SET bank_on = t.booked_on FROM told AS t
    WHERE m.number = t.number AND m.bank_sequence = t.sequence AND m.bank_part = t.part
        AND m.released_by IS NULL AND m.bank_on <> t.booked_on
    RETURNING m.number, m.match_id
) SELECT DISTINCT number, match_id FROM moved
"""
_LAST: Final = """
UPDATE matching.match AS m SET last_on = l.last_on FROM (
    SELECT number, match_id, max(greatest(bank_on, ledger_on)) AS last_on FROM matching.match
    WHERE number = ANY($1) AND match_id = ANY($2) GROUP BY number, match_id) AS l
WHERE m.number = l.number AND m.match_id = l.match_id AND m.match_id = ANY($2)
    AND m.last_on <> l.last_on
"""


async def follow_statements(connection: Session, numbers: Sequence[int], today: date) -> None:
    """Move the days of matched bank items to those of statements that came since the last run.

    Args:
        connection: Of the unit that holds the accounts' locks.
        numbers: The accounts.
        today: The UTC day of the run, if no run was before it.
    """
    since = await connection.fetchval(
        "SELECT min(coalesce(confirmed_on, $2)) FROM matching.progress WHERE number = ANY($1)",
        numbers,
        today,
    )
    if since is None:
        return  # nothing was matched yet
    rows = await connection.fetch(_MOVE, numbers, date.fromordinal(since.toordinal() - _DAYS_BACK))
    if rows:
        await connection.execute(_LAST, numbers, sorted({row["match_id"] for row in rows}))
