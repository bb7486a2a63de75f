"""The report of a day over all accounts: issued when the last is there, corrected by number."""

from collections.abc import Mapping
from datetime import date

import msgspec

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing import store
from recon_streams.closing.statement_of_day import figures_digest
from recon_streams.closing.store import Registered, Snapshot
from recon_streams.kernel.calendars import Calendars
from recon_streams.reports import store as reports
from recon_streams.reports.account_day import AccountDay
from recon_streams.reports.backing import backing_of
from recon_streams.reports.changes import changes_between
from recon_streams.reports.dataset import (
    EodDataset,
    dataset_from_bytes,
    report_id,
    series_of,
)

_DECODER = msgspec.json.Decoder(AccountDay)


async def issue(
    unit: UnitOfWork, calendars: Calendars, on: date, *, whole: bool = False
) -> str | None:
    """Issue the report of `on`, or a correction of it; return its id, None if there is no news.

    The first version waits for every account that has such a day, unless `whole` says that what is
    there is all there will be.
    """
    connection = unit.connection
    snapshots = await store.snapshots(connection, on)
    if not snapshots:
        return None
    first = _dataset(on, snapshots)
    last = await reports.latest(connection, series_of(first))
    if last is None:
        accounts = await store.registered(connection)
        if not whole and _waiting(calendars, accounts, snapshots, on=on):
            return None
        stored = await reports.put(unit, first)
        return stored.record.report_id
    content = await reports.read(connection, last.record.report_id)
    before = dataset_from_bytes(content)
    assert isinstance(before, EodDataset), "a series is of one kind"
    if _digests(before) == _digests(first):
        return None
    dataset = msgspec.structs.replace(
        first,
        version=before.version + 1,
        corrects=last.record.sha256,
        cause="later data",
        changes=changes_between(before, first),
    )
    await reports.put(unit, dataset)
    return report_id(dataset)


def _dataset(on: date, snapshots: Mapping[int, Snapshot]) -> EodDataset:
    days = [_DECODER.decode(snapshot.content) for snapshot in snapshots.values()]
    accounts = tuple(sorted(days, key=lambda day: (day.account_id, day.currency)))
    return EodDataset(
        on=on,
        inputs_through_at=min(snapshot.inputs_through_at for snapshot in snapshots.values()),
        accounts=accounts,
        backing=backing_of(accounts),
    )


def _digests(dataset: EodDataset) -> list[str]:
    return [figures_digest(day) for day in dataset.accounts]


def _waiting(
    calendars: Calendars,
    accounts: list[Registered],
    snapshots: Mapping[int, Snapshot],
    *,
    on: date,
) -> bool:
    """Return whether an account that has a day `on` was not run yet."""
    return any(
        account.number not in snapshots
        and calendars.named(account.definition.calendar).is_business_day(on)
        and not _began_later(calendars, account, on)
        for account in accounts
    )


def _began_later(calendars: Calendars, account: Registered, on: date) -> bool:
    definition = account.definition
    cut_off = calendars.named(definition.calendar).cut_off_at(
        on, cut_off=definition.statements.cut_off, zone=definition.time_zone
    )
    return cut_off <= account.began_at
