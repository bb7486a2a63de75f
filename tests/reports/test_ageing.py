"""What is open is counted as of an instant, and says as of which."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from recon_streams.discrepancies.deadline import Working
from recon_streams.discrepancies.finding import Kind
from recon_streams.discrepancies.summary import Open
from recon_streams.kernel.calendars import Calendars
from recon_streams.reports.ageing import open_by_age
from topics.alerts import Severity

FRIDAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MONDAY = FRIDAY + timedelta(days=3)


def _open(kind: Kind, *, opened_at: datetime, amount: str | None) -> Open:
    return Open(
        id=1,
        account=1,
        kind=kind,
        severity=Severity.ERROR,
        amount=None if amount is None else Decimal(amount),
        opened_at=opened_at,
        due_at=opened_at + timedelta(days=1),
    )


def _working() -> Working:
    return Working(days=Calendars().named(None), zone=UTC)


def test_what_is_open_is_added_up_by_age_and_kind_and_names_its_instant() -> None:
    found = [
        _open(Kind.MISSING_TXN, opened_at=FRIDAY, amount="-35"),
        _open(Kind.MISSING_TXN, opened_at=FRIDAY, amount="5.5"),
        _open(Kind.BALANCE_MISMATCH, opened_at=FRIDAY - timedelta(days=2), amount="1"),
    ]
    rows = open_by_age(found, MONDAY, _working())
    assert [(row.bucket, row.kind, row.count, row.amount) for row in rows] == [
        ("0-1", "MISSING_TXN", 2, "-29.5"),
        ("2-5", "BALANCE_MISMATCH", 1, "1"),
    ]
    assert {row.counted_at for row in rows} == {MONDAY}


def test_a_sum_over_something_without_an_amount_is_no_sum() -> None:
    found = [
        _open(Kind.MISSING_TXN, opened_at=FRIDAY, amount="1"),
        _open(Kind.MISSING_TXN, opened_at=FRIDAY, amount=None),
    ]
    (row,) = open_by_age(found, FRIDAY, _working())
    assert (row.count, row.amount, row.overdue) == (2, None, 0)
    assert msgspec.json.encode(row.counted_at) == b'"2026-11-20T12:00:00Z"'
