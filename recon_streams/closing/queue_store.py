"""The SQL of days that are to be looked at: asked for by ticks, and by what came later."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final

from recon_streams.book.connection import Session

# Neighbours of a day's statement in the chain: more of one day than this nobody sends.
_CHANGED_DAYS: Final = """
SELECT d.number, d.day FROM closing.day AS d
JOIN closing.snapshot AS s ON s.number = d.number AND s.day = d.day AND s.version = d.version
JOIN positions.account_state AS a ON a.number = d.number
WHERE d.day >= $1
    AND (
        (SELECT max(arrived_at) FROM positions.statement AS p WHERE p.number = d.number
            AND p.closing_on = d.day AND p.status = 'ACCEPTED')
            IS DISTINCT FROM d.looked_statement_at
        OR a.version > d.looked_sequence AND (
            EXISTS (SELECT FROM positions.ledger_record AS l
                WHERE l.number = d.number AND l.sequence > d.looked_sequence AND l.amount <> 0
                    AND l.occurred_at < s.cut_off_at)
            OR EXISTS (SELECT FROM positions.bank_entry AS b
                WHERE b.number = d.number AND b.sequence > d.looked_sequence AND b.net <> 0
                    AND b.booked_on <= d.day)
        )
    )
ORDER BY d.day, d.number LIMIT $2
"""


async def changed_days(
    connection: Session, *, since: date, rows_max: int
) -> list[tuple[int, date]]:
    """Return days from `since` on that were run, and of which something came after that.

    Their statement is another one now, or is there at last; or an entry or a movement of them, or
    of a day before, was recorded since.
    """
    rows = await connection.fetch(_CHANGED_DAYS, since, rows_max)
    return [(row["number"], row["day"]) for row in rows]


async def note_ticks(
    connection: Session, keys: Collection[tuple[int, datetime]]
) -> set[tuple[int, datetime]]:
    """Note ticks, each an account and its instant; return those that were not noted before."""
    wanted = set(keys)
    rows = await connection.fetch(
        "INSERT INTO closing.tick (number, due_at) "
        "SELECT * FROM unnest($1::int[], $2::timestamptz[]) ON CONFLICT DO NOTHING "
        "RETURNING number, due_at",
        [number for number, _ in wanted],
        [due_at for _, due_at in wanted],
    )
    return {(row["number"], row["due_at"]) for row in rows}


async def request(connection: Session, wanted: Sequence[tuple[int, date]], cause: str) -> None:
    """Ask for days to be looked at; what is asked for already stays asked for."""
    await connection.execute(
        "INSERT INTO closing.request (number, day, cause) "
        "SELECT n, d, $3 FROM unnest($1::int[], $2::date[]) AS k(n, d) "
        "ON CONFLICT (number, day) DO NOTHING",
        [number for number, _ in wanted],
        [on for _, on in wanted],
        cause,
    )


async def request_again(
    connection: Session, wanted: Sequence[tuple[int, date]], cause: str
) -> None:
    """Ask for those of `wanted` that were run before."""
    rows = await connection.fetch(
        "SELECT number, day FROM closing.day "
        "WHERE (number, day) IN (SELECT * FROM unnest($1::int[], $2::date[]))",
        [number for number, _ in wanted],
        [on for _, on in wanted],
    )
    await request(connection, [(row["number"], row["day"]) for row in rows], cause)


async def take_requests(connection: Session, *, rows_max: int) -> tuple[date, list[int]] | None:
    """Take the oldest day that was asked for, with its accounts; they are gone with the unit."""
    on: date | None = await connection.fetchval(
        "SELECT day FROM closing.request ORDER BY requested_at, day LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    if on is None:
        return None
    rows = await connection.fetch(
        "DELETE FROM closing.request WHERE (number, day) IN (SELECT number, day "
        "FROM closing.request WHERE day = $1 ORDER BY number LIMIT $2 FOR UPDATE SKIP LOCKED) "
        "RETURNING number",
        on,
        rows_max,
    )
    return on, sorted(row["number"] for row in rows)
