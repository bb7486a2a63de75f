"""Where reports are kept: each version once, as bytes, and never changed."""

from collections.abc import Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.reports.dataset import (
    Dataset,
    dataset_bytes,
    dataset_from_bytes,
    digest_of,
    kind_of,
    report_id,
    series_of,
)
from recon_streams.reports.record import day_of, message_of, record_of, window_of
from recon_streams.reports.totals import require_ties
from topics.reports import ReportKind, ReportRecord

_INSERT = (
    "INSERT INTO reports.report (report_id, series, kind, day, window_from, window_until, scope, "
    "version, sha256, corrects, record, dataset) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
    "ON CONFLICT (report_id) DO NOTHING RETURNING true"
)


class StoredReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report that is in the book.

    Attributes:
        record: What it is of, its hash and totals.
        stored_at: When it was stored, by the database's clock.
        is_new: Whether this call stored it.
    """

    record: ReportRecord
    stored_at: datetime
    is_new: bool = False


class ReportConflict(Exception):
    """A report that would change or skip a version; the message says which and how."""


class NoSuchReport(Exception):
    """No report has this id."""

    def __init__(self, identity: str) -> None:
        super().__init__(f"no report is called {identity}; `recon-streams report list` names all")


class ReportAltered(Exception):
    """The bytes that are kept do not have the hash that is kept: somebody changed one of them."""

    def __init__(self, identity: str, *, kept: str, found: str) -> None:
        super().__init__(f"{identity} was altered: its hash is {kept}, its bytes have {found}")


async def put(unit: UnitOfWork, dataset: Dataset) -> StoredReport:
    """Store and publish `dataset` with `unit`; the same one again changes nothing.

    Raises:
        TotalsDisagree: a total of it does not tie. Nothing of it may be stored.
        ReportConflict: the id is taken by other bytes, or the version does not follow on the one it
            says it corrects.
    """
    require_ties(dataset)
    content = dataset_bytes(dataset)
    # What could not be read back would be found out years later, by an auditor.
    assert dataset_from_bytes(content) == dataset, "a dataset is what its bytes say"
    record = record_of(dataset, content, digest_of(content))
    await _require_following(unit.connection, dataset, record)
    is_new = bool(await unit.connection.fetchval(_INSERT, *_row(dataset, record, content)))
    stored = await latest(unit.connection, series_of(dataset), version=dataset.version)
    assert stored is not None, "it was stored just now, or was there before"
    if stored.record.sha256 != record.sha256:
        raise ReportConflict(
            f"{record.report_id} is {stored.record.sha256} and is never changed; "
            f"{record.sha256} would be another version of it"
        )
    if is_new:
        unit.publish((message_of(dataset, record, content),))
    return msgspec.structs.replace(stored, is_new=is_new)


async def latest(
    where: asyncpg.Pool | Session, series: str, *, version: int | None = None
) -> StoredReport | None:
    """Return the newest version of a report, or the one asked for; None if there is none.

    Args:
        where: The book.
        series: What all versions share: `series_of` a dataset, such as `eod-2026-11-20`.
        version: Which; the newest by default.
    """
    row = await where.fetchrow(
        "SELECT record, stored_at FROM reports.report "
        "WHERE series = $1 AND ($2::integer IS NULL OR version = $2) "
        "ORDER BY version DESC LIMIT 1",
        series,
        version,
    )
    return None if row is None else _stored(row)


async def find(
    where: asyncpg.Pool | Session,
    *,
    kind: ReportKind | None = None,
    since: date | None = None,
    until: date | None = None,
    rows_max: int = 1_000,
) -> Sequence[StoredReport]:
    """Return what reports there are, the newest first; `since` and `until` are both inclusive."""
    rows = await where.fetch(
        "SELECT record, stored_at FROM reports.report "
        "WHERE ($1::text IS NULL OR kind = $1) AND ($2::date IS NULL OR day >= $2) "
        "AND ($3::date IS NULL OR day <= $3) "
        "ORDER BY day DESC, window_from DESC NULLS FIRST, series, version DESC LIMIT $4",
        kind,
        since,
        until,
        rows_max,
    )
    return [_stored(row) for row in rows]


async def read(where: asyncpg.Pool | Session, identity: str) -> bytes:
    """Return the dataset's bytes, proven to have the hash that was stored with them.

    Raises:
        NoSuchReport: no report has this id.
        ReportAltered: they do not have it.
    """
    row = await where.fetchrow(
        "SELECT sha256, dataset FROM reports.report WHERE report_id = $1", identity
    )
    if row is None:
        raise NoSuchReport(identity)
    content: bytes = row["dataset"]
    if (found := digest_of(content)) != row["sha256"]:
        raise ReportAltered(identity, kept=row["sha256"], found=found)
    return content


async def _require_following(connection: Session, dataset: Dataset, record: ReportRecord) -> None:
    """Refuse a correction of anything but the version right before it."""
    if dataset.version == 1:
        return
    before = await latest(connection, series_of(dataset), version=dataset.version - 1)
    if before is None:
        raise ReportConflict(f"{record.report_id} would correct a version that is not there")
    if before.record.sha256 != dataset.corrects:
        raise ReportConflict(
            f"{record.report_id} corrects {dataset.corrects}, "
            f"but the version before it is {before.record.sha256}"
        )


def _row(dataset: Dataset, record: ReportRecord, content: bytes) -> tuple[object, ...]:
    window_from, window_until = window_of(dataset)
    return (
        report_id(dataset),
        series_of(dataset),
        kind_of(dataset),
        day_of(dataset),
        window_from,
        window_until,
        dataset.scope,
        dataset.version,
        record.sha256,
        dataset.corrects,
        msgspec.json.encode(record),
        content,
    )


def _stored(row: asyncpg.Record) -> StoredReport:
    return StoredReport(
        record=msgspec.json.decode(row["record"], type=ReportRecord), stored_at=row["stored_at"]
    )
