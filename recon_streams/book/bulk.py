"""Rows of several tables written at once: few by one statement, many by COPY.

A small batch spends its time on waiting for the database, so its rows go in one round trip. A
large one spends it on encoding rows, which COPY does in half the time.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from recon_streams.book.connection import Session

# From about here on COPY takes less of the processor.
COPY_ROWS_MIN: Final = 64


class Bulk(msgspec.Struct, frozen=True):
    """How the rows of one table are written.

    Attributes:
        name: Of the table, as a word; unlike any other in one statement.
        columns: Name and PostgreSQL type of each.
        statement: Writes what `{rows}` names, which has these columns.
        table: Schema and table if the statement is no more than an insert.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    statement: str
    table: tuple[str, str] | None = None

    @classmethod
    def insert(cls, table: str, columns: Mapping[str, str]) -> "Bulk":
        """Return a plain insert into `table`, named with its schema."""
        names = ", ".join(columns)
        statement = f"INSERT INTO {table} ({names}) SELECT * FROM {{rows}}"  # noqa: S608 - ours
        schema, _, name = table.partition(".")
        return cls(name, tuple(columns.items()), statement, (schema, name))


Rows = Sequence[tuple[Any, ...]]


async def write_all(connection: Session, writes: Mapping[Bulk, Rows], following: str) -> None:
    """Write the rows of every table, then do `following`, a SELECT.

    No part may rest on what another one writes.
    """
    few: dict[Bulk, Rows] = {}
    for bulk, rows in writes.items():
        if bulk.table is None or len(rows) < COPY_ROWS_MIN:
            few[bulk] = rows
            continue
        schema, table = bulk.table
        await connection.copy_records_to_table(
            table,
            schema_name=schema,
            columns=[name for name, _ in bulk.columns],
            records=rows,
        )
    if few:
        await connection.execute(statement_of(tuple(few), following), *_arguments_of(few))
    elif following:
        await connection.execute(following)


def _arguments_of(writes: Mapping[Bulk, Rows]) -> list[tuple[Any, ...]]:
    """Return the arguments of the statement for `writes`: one array for each column."""
    return [column for rows in writes.values() for column in zip(*rows, strict=True)]


# A program writes few combinations of tables; each is one prepared statement of the server.
@lru_cache(maxsize=64)
def statement_of(bulks: tuple[Bulk, ...], following: str) -> str:
    """Return the one statement that writes all `bulks`, then does `following`."""
    parts: list[str] = []
    place = 1
    for bulk in bulks:
        rows = f"{bulk.name}_rows"
        arrays = ", ".join(
            f"${number}::{kind}[]" for number, (_, kind) in enumerate(bulk.columns, start=place)
        )
        place += len(bulk.columns)
        names = ", ".join(name for name, _ in bulk.columns)
        parts += (
            f"{rows} ({names}) AS (SELECT * FROM unnest({arrays}))",  # noqa: S608 - ours
            f"{bulk.name} AS ({bulk.statement.format(rows=rows)})",
        )
    return f"WITH {', '.join(parts)} {following or 'SELECT'}"
