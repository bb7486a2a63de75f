"""A report as others are told of it: its hash, its totals, and the dataset where it fits."""

from datetime import UTC, date, datetime
from typing import Final

import msgspec

from recon_streams.log.record import OutgoingRecord
from recon_streams.reports.backing import worst_of
from recon_streams.reports.dataset import (
    Dataset,
    EodDataset,
    IntradayDataset,
    kind_of,
    report_id,
    series_of,
)
from recon_streams.reports.parts import Backing
from topics.reports import ReportKind, ReportRecord, ReportTotals

REPORTS: Final = "recon.reports"
# Brokers refuse batches above 1,048,588 bytes unless told otherwise, and copies of the topic may
# live on brokers nobody told. The rest is room for the envelope of a batch.
RECORD_BYTES_MAX: Final = 900_000

_ENCODER: Final = msgspec.json.Encoder()


def record_of(dataset: Dataset, content: bytes, sha256: str) -> ReportRecord:
    """Return the record of `dataset`, without the dataset itself."""
    window_from, window_until = window_of(dataset)
    return ReportRecord(
        report_id=report_id(dataset),
        kind=ReportKind(kind_of(dataset)),
        on=day_of(dataset),
        window_from=window_from,
        window_until=window_until,
        scope=dataset.scope,
        version=dataset.version,
        sha256=sha256,
        corrects=dataset.corrects,
        inputs_through_at=dataset.inputs_through_at,
        totals=tuple(_totals(each) for each in dataset.backing),
        worst_tier=worst_of([each.worst_tier for each in dataset.backing]),
        dataset_bytes=len(content),
    )


def message_of(dataset: Dataset, record: ReportRecord, content: bytes) -> OutgoingRecord:
    """Return what is published: `record`, with the dataset if all of it fits into one record."""
    value = _ENCODER.encode(record)
    # Quoting only makes the dataset longer, so one that is too long is not quoted to find out.
    if len(value) + len(content) <= RECORD_BYTES_MAX:
        whole = _ENCODER.encode(msgspec.structs.replace(record, dataset=content.decode()))
        if len(whole) <= RECORD_BYTES_MAX:
            value = whole
    return OutgoingRecord(REPORTS, series_of(dataset).encode(), value)


def day_of(dataset: Dataset) -> date:
    """Return the day a report is filed under."""
    if isinstance(dataset, EodDataset):
        return dataset.on
    return dataset.window_from.astimezone(UTC).date()


def window_of(dataset: Dataset) -> tuple[datetime | None, datetime | None]:
    """Return start and end of the window; None for a day."""
    if isinstance(dataset, IntradayDataset):
        return dataset.window_from, dataset.window_until
    return None, None


def _totals(backing: Backing) -> ReportTotals:
    return ReportTotals(
        currency=backing.currency,
        accounts=backing.accounts,
        without_figure=len(backing.without_figure),
        ledger=backing.ledger,
        bank=backing.bank,
        difference=backing.difference,
        shortages=len(backing.shortages),
        shortage_total=backing.shortage_total,
        surplus_total=backing.surplus_total,
        unexplained_total=backing.unexplained_total,
        worst_tier=backing.worst_tier,
    )
