"""What is open on one account, added up by age and kind: the same way in every report. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from recon_streams.discrepancies.deadline import (
    BUCKETS,
    Working,
    age_business_days,
    bucket_of,
)
from recon_streams.discrepancies.summary import Open
from recon_streams.kernel.money import amount_text
from recon_streams.reports.parts import OpenDiscrepancies
from recon_streams.reports.totals import total


def open_by_age(
    found: Iterable[Open], at: datetime, working: Working
) -> tuple[OpenDiscrepancies, ...]:
    """Return what was open at `at`, the youngest first, each row with the instant it is true for.

    Args:
        found: What was open on one account at `at`.
        at: The instant.
        working: How the account counts its days.
    """
    cells: dict[tuple[int, str], list[tuple[Open, int]]] = {}
    order = {bucket.name: place for place, bucket in enumerate(BUCKETS)}
    for each in found:
        age = age_business_days(each.opened_at, at, working)
        cells.setdefault((order[bucket_of(age).name], each.kind.value), []).append((each, age))
    return tuple(
        _cell(BUCKETS[place].name, kind, cells[place, kind], at) for place, kind in sorted(cells)
    )


def _cell(
    bucket: str, kind: str, found: Sequence[tuple[Open, int]], at: datetime
) -> OpenDiscrepancies:
    amounts = [each.amount for each, _ in found]
    known = [amount for amount in amounts if amount is not None]
    return OpenDiscrepancies(
        kind=kind,
        bucket=bucket,
        count=len(found),
        overdue=sum(1 for each, _ in found if each.due_at <= at),
        oldest_business_days=max(age for _, age in found),
        amount=amount_text(total(known)) if len(known) == len(amounts) else None,
        counted_at=at.astimezone(UTC),
    )
