"""The SQL of statements: each as it was understood, the status it has now, and pages."""

from typing import Any, Final

from recon_streams.book.bulk import Bulk
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.positions.bank_record import BankRecord, StatementRow
from recon_streams.statements.pages import Page

_STATEMENT_TYPES: Final = {
    "number": "int",
    "origin": "text",
    "path": "text",
    "key": "bytea",
    "version": "int",
    "message": "text",
    "statement_id": "text",
    "electronic_sequence": "bigint",
    "legal_sequence": "bigint",
    "opening_on": "date",
    "closing_on": "date",
    "opening": "numeric",
    "opening_code": "text",
    "closing": "numeric",
    "closing_code": "text",
    "credits": "numeric",
    "debits": "numeric",
    "entry_count": "bigint",
    "difference": "numeric",
    "closing_at": "timestamptz",
    "created_at": "timestamptz",
    "content": "bytea",
    "status": "text",
    "arrived_at": "timestamptz",
}
_STATEMENT: Final = Bulk(
    "statement",
    tuple(_STATEMENT_TYPES.items()),
    f"INSERT INTO positions.statement ({', '.join(_STATEMENT_TYPES)}) "  # noqa: S608 - ours
    # One that was held comes again when it is replayed.
    "SELECT * FROM {rows} "
    "ON CONFLICT (number, origin, path) DO UPDATE SET status = excluded.status",
)
_STATUS: Final = Bulk(
    "statement_status",
    (("number", "int"), ("origin", "text"), ("path", "text"), ("status", "text")),
    "UPDATE positions.statement AS s SET status = r.status FROM {rows} AS r "
    "WHERE s.number = r.number AND s.origin = r.origin AND s.path = r.path",
)
_PAGE_TYPES: Final = {
    "number": "int",
    "key": "bytea",
    "page": "int",
    "last_page": "boolean",
    "content": "bytea",
    "opening": "numeric",
    "opening_code": "text",
    "opening_on": "date",
    "closing": "numeric",
    "closing_code": "text",
    "closing_on": "date",
    "credits": "numeric",
    "debits": "numeric",
    "entry_count": "bigint",
    "unannounced": "bigint",
    "unannounced_net": "numeric",
    "origin": "text",
    "path": "text",
    "arrived_at": "timestamptz",
}
_PAGE: Final = Bulk.insert("positions.statement_page", _PAGE_TYPES)


def write(unit: UnitOfWork, bank: BankRecord) -> None:
    """Write the statements and pages that a batch added, and the status of those it replaced."""
    unit.write(_STATEMENT, (_statement_row(row) for row in bank.added_statements))
    unit.write(
        _STATUS,
        ((number, link.origin, link.path, status) for number, link, status in bank.restated),
    )
    unit.write(
        _PAGE,
        ((number, key, *_page_columns(page)) for number, key, page in bank.added_pages),
    )


def _statement_row(row: StatementRow) -> tuple[Any, ...]:
    link, equation = row.link, row.equation
    return (
        row.account,
        link.origin,
        link.path,
        link.key,
        link.version,
        link.message,
        link.statement_id,
        link.electronic_sequence,
        link.legal_sequence,
        link.opening_on,
        link.closing_on,
        link.opening,
        link.opening_code,
        link.closing,
        link.closing_code,
        equation.booked_credits,
        equation.booked_debits,
        equation.booked_count,
        equation.difference,
        equation.closing_at,
        link.created_at,
        link.content,
        row.status,
        row.arrived_at,
    )


def _page_columns(page: Page) -> tuple[Any, ...]:
    return (
        page.number,
        page.is_last,
        page.content,
        page.opening,
        page.opening_code,
        page.opening_on,
        page.closing,
        page.closing_code,
        page.closing_on,
        page.credits,
        page.debits,
        page.entry_count,
        page.unannounced,
        page.unannounced_net,
        page.origin,
        page.path,
        page.arrived_at,
    )
