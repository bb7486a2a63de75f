"""A report as CSV (RFC 4180): one table, a row for each figure, that a spreadsheet may open safely.

A spreadsheet runs a cell that begins like a formula, and references come from strangers. So a text
cell that begins with `=`, `+`, `-` or `@` (also in their full-width forms), or with a tab or a line
break, gets an apostrophe before it; and so does such a character after a semicolon or tab inside a
cell, because a spreadsheet set to another separator cuts there. Columns of figures hold only what
was checked to be a number, and stay numbers: `-12.50` is no formula, and sums must work.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from recon_streams.reports.csv_rows import (
    COLUMNS,
    MIXED,
    NUMBERS,
    Row,
    row_of_change,
    rows_of_day,
    rows_of_window,
)
from recon_streams.reports.dataset import (
    Dataset,
    EodDataset,
    dataset_from_bytes,
    digest_of,
    period_of,
    report_id,
)
from recon_streams.reports.parts import Backing

_KNOWN: Final = frozenset(COLUMNS)
BOM: Final = "\ufeff"
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# Where a cell begins, or might be cut to begin, and what must not follow there.
_FORMULA: Final = re.compile(r"(^|[;\t\r\n])(?= *[=+\-@\uff1d\uff0b\uff0d\uff20])")
_BREAKS: Final = ("\t", "\r", "\n")


def as_csv(content: bytes, *, with_bom: bool = False) -> str:
    """Return the report as CSV, its hash in every row.

    Args:
        content: The bytes of the dataset.
        with_bom: Begin with a byte order mark. Excel needs it to read names and references as
            UTF-8; programs may stumble over it.
    """
    dataset = dataset_from_bytes(content)
    heading: Row = {
        "report_id": report_id(dataset),
        "sha256": digest_of(content),
        "period": period_of(dataset),
        "version": dataset.version,
    }
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(dataset):
        whole = heading | row
        assert whole.keys() <= _KNOWN, "a cell has a column"
        writer.writerow([_cell(column, whole.get(column)) for column in COLUMNS])
    return (BOM if with_bom else "") + text.getvalue()


def harmless(text: str) -> str:
    """Return `text` so that no spreadsheet takes it, or a part of it, for a formula."""
    guarded = _FORMULA.sub(r"\1'", text)
    return f"'{guarded}" if guarded.startswith(_BREAKS) else guarded


def _cell(column: str, value: str | int | None) -> str:
    if value is None:
        return ""
    text = str(value)
    if column in NUMBERS:
        assert _NUMBER.fullmatch(text), f"{column} is a column of numbers"
        return text
    if column in MIXED and _NUMBER.fullmatch(text):
        return text
    return harmless(text)


def _rows(dataset: Dataset) -> Iterator[Row]:
    for backing in dataset.backing:
        yield from _rows_of_backing(backing)
    for change in dataset.changes:
        yield row_of_change(change)
    if isinstance(dataset, EodDataset):
        for day in dataset.accounts:
            yield from rows_of_day(day)
    else:
        for window in dataset.accounts:
            yield from rows_of_window(window)


def _rows_of_backing(backing: Backing) -> Iterator[Row]:
    figures = (
        ("bank", backing.bank, "booked at the bank, all accounts"),
        ("ledger", backing.ledger, "tokens in circulation, all accounts"),
        ("difference", backing.difference, "bank less ledger, all accounts"),
        ("surplus_total", backing.surplus_total, "the differences above zero"),
        ("shortage_total", backing.shortage_total, "the differences below zero"),
        ("unexplained_total", backing.unexplained_total, "explained by nothing, without sign"),
    )
    has_figure = len(backing.without_figure) < backing.accounts
    for kind, amount, label in figures:
        yield {
            "currency": backing.currency,
            "section": "backing",
            "kind": kind,
            "label": label if has_figure else f"{label}: none has a balance to compare",
            "amount": amount if has_figure else None,
            "tier": backing.worst_tier,
            "count": backing.accounts,
        }
    for short in backing.shortages:
        yield {
            "account_id": short.account_id,
            "currency": backing.currency,
            "section": "shortage",
            "label": "the bank is short of the ledger by this; no surplus makes up for it",
            "amount": short.difference,
            "tier": short.tier,
        }
