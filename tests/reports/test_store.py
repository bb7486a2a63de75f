"""A report is stored once and never changed; what follows on it is a numbered correction."""

from collections.abc import Callable
from datetime import date

import asyncpg
import msgspec
import pytest

from recon_streams.book.connection import open_pool
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.reports import store
from recon_streams.reports.changes import changes_between
from recon_streams.reports.dataset import EodDataset, IntradayDataset, dataset_bytes, digest_of
from recon_streams.reports.record import RECORD_BYTES_MAX, message_of, record_of
from recon_streams.reports.totals import TotalsDisagree
from topics.reports import ReportKind, ReportRecord

pytestmark = pytest.mark.postgres


async def _put(book: asyncpg.Pool, dataset: EodDataset | IntradayDataset) -> store.StoredReport:
    async with UnitOfWork(book) as unit:
        return await store.put(unit, dataset)


async def _published(book: asyncpg.Pool) -> list[ReportRecord]:
    rows = await book.fetch("SELECT payload FROM book.outbox WHERE topic = 'recon.reports'")
    return [msgspec.json.decode(row["payload"], type=ReportRecord) for row in rows]


async def test_a_report_is_stored_and_published_with_the_transaction(
    book: asyncpg.Pool, eod: EodDataset, intraday: IntradayDataset
) -> None:
    stored = await _put(book, eod)
    await _put(book, intraday)
    assert stored.is_new
    assert await store.read(book, "eod-2026-11-20-v1") == dataset_bytes(eod)
    first, second = await _published(book)
    assert first.dataset is not None
    assert digest_of(first.dataset.encode()) == first.sha256 == stored.record.sha256
    assert first.worst_tier.value == "CRITICAL"
    assert [row.unexplained_total for row in first.totals] == ["0", "450", "0"]
    assert second.report_id == "intraday-20261120T080000Z-20261120T083000Z-v1"


async def test_the_same_report_again_changes_and_publishes_nothing(
    book: asyncpg.Pool, eod: EodDataset
) -> None:
    first = await _put(book, eod)
    again = await _put(book, eod)
    assert not again.is_new
    assert again.record == first.record
    assert len(await _published(book)) == 1


async def test_other_bytes_under_the_same_name_are_refused(
    book: asyncpg.Pool, eod: EodDataset
) -> None:
    await _put(book, eod)
    with pytest.raises(store.ReportConflict, match="never changed"):
        await _put(book, msgspec.structs.replace(eod, cause="edited"))
    assert len(await _published(book)) == 1


async def test_a_correction_follows_on_the_version_it_names(
    book: asyncpg.Pool, eod: EodDataset, corrected: Callable[[EodDataset, str], EodDataset]
) -> None:
    first = await _put(book, eod)
    with pytest.raises(store.ReportConflict, match="the version before it is"):
        await _put(book, corrected(eod, "0" * 64))
    second = await _put(book, corrected(eod, first.record.sha256))
    assert second.record.corrects == first.record.sha256
    with pytest.raises(store.ReportConflict, match="not there"):
        await _put(book, msgspec.structs.replace(corrected(eod, "0" * 64), version=4))
    newest = await store.latest(book, "eod-2026-11-20")
    assert newest is not None
    assert newest.record.version == 2
    assert await store.latest(book, "eod-2026-11-21") is None


async def test_a_report_whose_totals_do_not_tie_leaves_nothing(
    book: asyncpg.Pool, eod: EodDataset
) -> None:
    wrong = msgspec.structs.replace(eod.accounts[1], proof="1")
    with pytest.raises(TotalsDisagree):
        await _put(
            book,
            msgspec.structs.replace(eod, accounts=(eod.accounts[0], wrong, *eod.accounts[2:])),
        )
    assert await store.find(book) == []


async def test_reports_are_found_by_kind_and_day(
    book: asyncpg.Pool, eod: EodDataset, intraday: IntradayDataset
) -> None:
    await _put(book, eod)
    await _put(book, intraday)
    friday, saturday = date(2026, 11, 20), date(2026, 11, 21)
    assert len(await store.find(book, since=friday, until=friday)) == 2
    assert len(await store.find(book, kind=ReportKind.EOD)) == 1
    assert await store.find(book, since=saturday) == []


async def test_the_program_cannot_change_a_report_and_the_database_holds_its_hash(
    book: asyncpg.Pool, database: str, eod: EodDataset
) -> None:
    await _put(book, eod)
    for statement in ("UPDATE reports.report SET scope = 'x'", "DELETE FROM reports.report"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await book.execute(statement)
    owner = await open_pool(database, as_app=False)
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute("UPDATE reports.report SET dataset = dataset || ' '::bytea")
    await owner.execute("ALTER TABLE reports.report DROP CONSTRAINT report_check")
    await owner.execute("UPDATE reports.report SET dataset = dataset || ' '::bytea")
    await owner.close()
    with pytest.raises(store.ReportAltered, match="was altered"):
        await store.read(book, "eod-2026-11-20-v1")


async def test_a_report_that_nobody_made_is_named(book: asyncpg.Pool) -> None:
    with pytest.raises(store.NoSuchReport, match="eod-1999-01-01-v1"):
        await store.read(book, "eod-1999-01-01-v1")


def test_a_dataset_too_large_for_a_record_is_left_out_and_its_hash_stays(eod: EodDataset) -> None:
    day = eod.accounts[1]
    long = msgspec.structs.replace(day.items[0], reason="x" * RECORD_BYTES_MAX)
    large = msgspec.structs.replace(day, items=(long, *day.items[1:]))
    dataset = msgspec.structs.replace(eod, accounts=(eod.accounts[0], large, *eod.accounts[2:]))
    content = dataset_bytes(dataset)
    message = message_of(dataset, record_of(dataset, content, digest_of(content)), content)
    assert message.value is not None
    assert len(message.value) < RECORD_BYTES_MAX
    record = msgspec.json.decode(message.value, type=ReportRecord)
    assert record.dataset is None
    assert (record.sha256, record.dataset_bytes) == (digest_of(content), len(content))


def test_what_changed_is_told_figure_by_figure(eod: EodDataset) -> None:
    day = msgspec.structs.replace(eod.accounts[1], bank_closing="5002501", proof="1")
    after = msgspec.structs.replace(eod, accounts=(eod.accounts[0], day, eod.accounts[2]))
    found = [(c.account_id, c.what, c.before, c.after) for c in changes_between(eod, after)]
    assert found[:2] == [
        ("AE-SAFEGUARDING", "bank", "5002500", "5002501"),
        ("AE-SAFEGUARDING", "unexplained", "0", "1"),
    ]
    assert ("ZM-FLOAT", "account", "in the report", None) in found
    assert changes_between(eod, eod) == ()
