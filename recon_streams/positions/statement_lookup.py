"""The SQL that finds what a statement must be judged with: neighbours, days, entries, pages."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final, NamedTuple

from recon_streams.book.connection import Session
from recon_streams.kernel.money import subtract
from recon_streams.positions import version_lookup
from recon_streams.positions.bank_record import BankRecord, DayTotal
from recon_streams.positions.entry_store import payment_of
from recon_streams.positions.identity import NEAR
from recon_streams.statements.chain import Link

_LINK_COLUMNS: Final = (
    "s.number, s.origin, s.path, s.key, s.version, s.message, s.statement_id, "
    "s.electronic_sequence, s.legal_sequence, s.opening_on, s.closing_on, s.opening, "
    "s.opening_code, s.closing, s.closing_code, s.created_at, s.content, s.status"
)
# Whatever its own day holds, and the nearest day before and after it that is closed.
_LINKS: Final = f"""
SELECT {_LINK_COLUMNS} FROM unnest($1::int[], $2::date[], $3::text[]) AS k(number, day, message)
CROSS JOIN LATERAL (
    SELECT * FROM positions.statement AS s
    WHERE s.number = k.number AND s.closing_on = k.day AND s.message = k.message
        AND s.status IN ('ACCEPTED', 'UNBALANCED')
    UNION ALL SELECT * FROM (
        SELECT * FROM positions.statement AS s
        WHERE s.number = k.number AND s.message = k.message AND s.status = 'ACCEPTED'
            AND s.closing_on = (
                SELECT closing_on FROM positions.statement AS p
                WHERE p.number = k.number AND p.closing_on < k.day AND p.message = k.message
                    AND p.status = 'ACCEPTED' ORDER BY p.closing_on DESC LIMIT 1)
    ) AS before
    UNION ALL SELECT * FROM (
        SELECT * FROM positions.statement AS s
        WHERE s.number = k.number AND s.message = k.message AND s.status = 'ACCEPTED'
            AND s.closing_on = (
                SELECT closing_on FROM positions.statement AS p
                WHERE p.number = k.number AND p.closing_on > k.day AND p.message = k.message
                    AND p.status = 'ACCEPTED' ORDER BY p.closing_on LIMIT 1)
    ) AS after
) AS s
"""  # noqa: S608 - ours
_DAYS: Final = """
SELECT d.number, d.day, d.net FROM unnest($1::int[], $2::date[]) AS k(number, after)
CROSS JOIN LATERAL (
    SELECT number, day, net FROM positions.bank_day AS d
    WHERE d.number = k.number AND d.day > k.after OFFSET 0
) AS d
"""
_ENTRY_COLUMNS: Final = (
    "e.number, e.sequence, e.part, e.arrived_on, e.net, e.booked_on, e.message, e.stated, "
    "e.origin, e.path"
)
_UNCONFIRMED: Final = f"""
SELECT {_ENTRY_COLUMNS}, NULL::date AS stated_day, false AS withdraws,
    NULL AS stated_by, false AS announced
FROM unnest($1::int[], $2::date[], $3::date[]) AS k(number, first, last)
CROSS JOIN LATERAL (
    SELECT * FROM positions.bank_entry AS e
    WHERE e.number = k.number AND e.booked_on BETWEEN k.first AND k.last AND NOT e.stated
        AND e.net <> 0 AND NOT EXISTS (
            SELECT FROM positions.entry_confirmation AS c
            WHERE c.number = e.number AND c.sequence = e.sequence AND c.part = e.part
                AND c.arrived_on >= e.arrived_on AND c.stated)
    OFFSET 0
) AS e
"""  # noqa: S608 - ours


class StatementKey(NamedTuple):
    """A statement the book is asked about.

    `first_on` is the first day it is about, if known; `is_record` whether it may close its day;
    `page` the statement it is a page of, its number, and whether that is the last.
    """

    number: int
    closing_on: date
    message: str
    content: bytes
    first_on: date | None
    is_record: bool
    page: tuple[bytes, int, bool] | None


async def load(connection: Session, keys: Iterable[StatementKey], bank: BankRecord) -> None:
    """Load what stands beside each statement, what its days hold, and what came after them."""
    asked = list(keys)
    rows = await connection.fetch(
        _LINKS,
        [key.number for key in asked],
        [key.closing_on for key in asked],
        [key.message for key in asked],
    )
    for row in rows:
        bank.learn_links(row["number"], [_link_of(row)])
    await _load_days(connection, asked, bank)
    records = [key for key in asked if key.is_record]
    closing = _that_may_close(records, bank)
    if closing:
        await _load_unconfirmed(connection, closing, bank)
        for key in closing:
            await _load_versions(connection, key, bank)


def _that_may_close(records: list[StatementKey], bank: BankRecord) -> list[StatementKey]:
    """Return those that can be whole after this batch: of hundreds of pages only the last come."""
    numbers: dict[tuple[int, bytes], set[int]] = {}
    lasts: dict[tuple[int, bytes], int] = {}
    for key in records:
        if key.page is None:
            continue
        name, number, is_last = key.page
        place = (key.number, name)
        known = bank.pages.get(place, {})
        numbers.setdefault(place, set(known)).add(number)
        for each, last in (*((n, page.is_last) for n, page in known.items()), (number, is_last)):
            if last:
                lasts[place] = each
    whole = {place for place, last in lasts.items() if len(numbers[place]) >= last}
    return [key for key in records if key.page is None or (key.number, key.page[0]) in whole]


async def load_pages(
    connection: Session, keys: Iterable[tuple[int, bytes]], bank: BankRecord
) -> None:
    """Load the pages that are there of each statement."""
    pairs = list(keys)
    rows = await connection.fetch(
        "SELECT p.* FROM unnest($1::int[], $2::bytea[]) AS k(number, key) CROSS JOIN LATERAL ("
        "SELECT * FROM positions.statement_page AS p "
        "WHERE p.number = k.number AND p.key = k.key OFFSET 0) AS p",
        [number for number, _ in pairs],
        [key for _, key in pairs],
    )
    for row in rows:
        bank.learn_page(row["number"], row["key"], version_lookup.page_of_row(row))


async def load_totals(
    connection: Session, keys: Iterable[tuple[int, date]], bank: BankRecord
) -> None:
    """Load what messages said each day moved in all."""
    pairs = list(keys)
    rows = await connection.fetch(
        "SELECT s.* FROM unnest($1::int[], $2::date[]) AS k(number, day) CROSS JOIN LATERAL ("
        "SELECT number, closing_on, credits, debits, message, origin, arrived_at "
        "FROM positions.statement AS s WHERE s.number = k.number AND s.closing_on = k.day "
        "AND s.closing_code = 'INFO' ORDER BY arrived_at OFFSET 0) AS s",
        [number for number, _ in pairs],
        [day for _, day in pairs],
    )
    for row in rows:
        total = DayTotal(
            day=row["closing_on"],
            net=subtract(row["credits"], row["debits"]),
            message=row["message"],
            origin=row["origin"],
        )
        bank.totals.setdefault((row["number"], row["closing_on"]), []).append(total)


async def _load_days(connection: Session, asked: list[StatementKey], bank: BankRecord) -> None:
    after: dict[int, date] = {}
    for key in asked:
        after[key.number] = min(key.closing_on, after.get(key.number, key.closing_on))
    rows = await connection.fetch(_DAYS, list(after), list(after.values()))
    for row in rows:
        bank.days.setdefault(row["number"], {})[row["day"]] = row["net"]


async def _load_unconfirmed(
    connection: Session, asked: list[StatementKey], bank: BankRecord
) -> None:
    rows = await connection.fetch(
        _UNCONFIRMED,
        [key.number for key in asked],
        [key.first_on or key.closing_on - NEAR for key in asked],
        [key.closing_on for key in asked],
    )
    for row in rows:
        payment_key = (row["number"], row["sequence"], row["part"])
        payment = bank.payments.setdefault(payment_key, payment_of(row))
        bank.unconfirmed.setdefault(row["number"], {})[payment_key] = payment


async def _load_versions(connection: Session, key: StatementKey, bank: BankRecord) -> None:
    """Load what the statements hold of which the one asked about is another version."""
    for link in bank.links.get(key.number, ()):
        is_other = link.closing_on == key.closing_on and link.content != key.content
        if not is_other or link.status != "ACCEPTED":
            continue
        pages = None if key.page is None else key.page[0]
        first_on = min(key.first_on or key.closing_on, link.opening_on or link.closing_on)
        days = (first_on - NEAR, key.closing_on + NEAR)
        await version_lookup.load(connection, (key.number, pages), link, days, bank)


def _link_of(row: Any) -> Link:  # noqa: ANN401 - a record of the driver has no type
    return Link(**{name: row[name] for name in Link.__struct_fields__})
