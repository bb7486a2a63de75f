"""The SQL that finds what one version of a statement holds and another one does not."""

from datetime import date
from typing import Any, Final

from recon_streams.book.connection import Session
from recon_streams.positions.bank_record import BankRecord
from recon_streams.positions.entry_store import payment_of
from recon_streams.statements.chain import Link
from recon_streams.statements.pages import Page

# Of payments whose last word came from `others` nothing needs to be known: they hold them.
_HELD: Final = """
SELECT e.number, e.sequence, e.part, e.arrived_on, e.net, e.booked_on, e.message, e.stated,
    e.origin, e.path, c.booked_on AS stated_day, c.withdraws, c.origin AS stated_by,
    false AS announced, e.place, c.place AS place_again
FROM (SELECT *, origin || ' ' || split_part(path, '/', 1) AS place FROM positions.bank_entry
    WHERE number = $1 AND booked_on BETWEEN $2 AND $3 AND code <> 'WITHDRAWN' OFFSET 0) AS e
LEFT JOIN LATERAL (
    SELECT booked_on, withdraws, origin, origin || ' ' || split_part(path, '/', 1) AS place
    FROM positions.entry_confirmation AS c
    WHERE c.number = e.number AND c.sequence = e.sequence AND c.part = e.part
        AND c.arrived_on >= e.arrived_on AND (c.stated OR c.withdraws)
    ORDER BY c.arrived_on DESC, c.withdraws DESC LIMIT 1
) AS c ON true
WHERE ((e.stated AND e.place = ANY($4::text[])) OR c.place = ANY($6::text[]))
    AND NOT coalesce(c.place = ANY($5::text[]), false)
"""


async def load(
    connection: Session,
    asked: tuple[int, bytes | None],
    link: Link,
    days: tuple[date, date],
    bank: BankRecord,
) -> None:
    """Load what only one of two versions holds.

    Args:
        connection: To the book.
        asked: The account, and the key of the pages of the version that is being decided; None if
            it is not in pages.
        link: The version that counts.
        days: The first and the last day on which entries of both may stand.
        bank: Where to put it.
    """
    number, pages = asked
    await _load_pages_of(connection, number, link, bank)
    theirs = _names(bank.places_of(number, link.origin, link.path))
    own_pages = bank.pages.get((number, pages), {}) if pages is not None else {}
    own = [f"{page.origin} {page.path}" for page in own_pages.values()]
    await _load(connection, (number, *days, theirs, own, theirs), bank)
    if own:
        # What the pages told first; they may turn out to be the older version.
        await _load(connection, (number, *days, own, theirs, []), bank)


async def _load(connection: Session, arguments: tuple[Any, ...], bank: BankRecord) -> None:
    wanted = set(arguments[3])
    for row in await connection.fetch(_HELD, *arguments):
        key = (row["number"], row["sequence"], row["part"])
        bank.payments.setdefault(key, payment_of(row))
        place = row["place_again"] if row["place_again"] in wanted else row["place"]
        origin, _, path = place.partition(" ")
        bank.told.setdefault((row["number"], origin, path), set()).add(key)


async def _load_pages_of(connection: Session, number: int, link: Link, bank: BankRecord) -> None:
    """Load all pages of the statement that the page at `link` completed, if it is one."""
    rows = await connection.fetch(
        "SELECT p.* FROM positions.statement_page AS p WHERE p.number = $1 AND p.key = ("
        "SELECT key FROM positions.statement_page WHERE number = $1 AND origin = $2 AND path = $3)",
        number,
        link.origin,
        link.path,
    )
    for row in rows:
        bank.learn_page(number, row["key"], page_of_row(row))


def page_of_row(row: Any) -> Page:  # noqa: ANN401 - a record of the driver has no type
    """Return the page in a row of pages."""
    return Page(
        number=row["page"],
        is_last=row["last_page"],
        **{name: row[name] for name in Page.__struct_fields__[2:]},
    )


def _names(places: list[tuple[str, str]]) -> list[str]:
    return [f"{origin} {path}" for origin, path in places]
