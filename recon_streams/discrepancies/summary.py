"""What is open, added up for reports by age, kind and severity; two roads to each total."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

import msgspec

from recon_streams.book.connection import Session
from recon_streams.discrepancies.deadline import Working, age_business_days, bucket_of
from recon_streams.discrepancies.finding import Kind
from recon_streams.kernel.money import ZERO, add, normal
from topics.alerts import Severity

Key = TypeVar("Key")

# What each discrepancy was like at the instant is read from its log, so that a report of yesterday
# does not tell what became of it today.
_OPEN_AT = """
SELECT d.id, d.number, d.kind, a.severity, a.amount, a.opened_at, a.due_at
FROM discrepancies.discrepancy AS d CROSS JOIN LATERAL (
    SELECT to_state, severity, amount, opened_at, due_at FROM discrepancies.action
    WHERE discrepancy = d.id AND at <= $2 ORDER BY sequence DESC LIMIT 1
) AS a
WHERE d.number = ANY($1::int[]) AND d.first_seen <= $2 AND a.to_state <> 'RESOLVED'
    AND (d.state <> 'RESOLVED' OR d.resolved_at > $2)
ORDER BY d.id
"""


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """One discrepancy that was open at an instant."""

    id: int
    account: int
    kind: Kind
    severity: Severity
    amount: Decimal | None
    opened_at: datetime
    due_at: datetime


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are and how much money they are about.

    Attributes:
        net: Sum of the signed amounts.
        gross: Sum of the amounts without signs: two discrepancies that cancel out are still two.
        overdue: How many of them are past their due time.
        without_amount: How many of them are about no amount.
    """

    count: int = 0
    net: Decimal = ZERO
    gross: Decimal = ZERO
    overdue: int = 0
    without_amount: int = 0


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """The sum over all of one bucket, kind and severity."""

    bucket: str
    kind: Kind
    severity: Severity
    sum: Sum


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What is open on one account at one instant, in the account's currency.

    Attributes:
        cells: In order of bucket, kind and severity; empty ones are left out.
    """

    account: int
    at: datetime
    cells: tuple[Cell, ...]
    by_bucket: dict[str, Sum]
    by_kind: dict[Kind, Sum]
    by_severity: dict[Severity, Sum]
    total: Sum


async def open_at(connection: Session, accounts: Collection[int], at: datetime) -> list[Open]:
    """Return what was open on `accounts`, by number, at the instant `at`, in order of their ids."""
    rows = await connection.fetch(_OPEN_AT, sorted(accounts), at)
    return [
        Open(
            id=row["id"],
            account=row["number"],
            kind=Kind(row["kind"]),
            severity=Severity(row["severity"]),
            amount=None if row["amount"] is None else normal(row["amount"]),
            opened_at=row["opened_at"],
            due_at=row["due_at"],
        )
        for row in rows
    ]


def summaries(
    found: Iterable[Open], *, at: datetime, workings: Mapping[int, Working]
) -> list[Summary]:
    """Return the summary of each account in `workings`, by number, in order of the numbers.

    Args:
        found: What was open at `at`, from `open_at`.
        at: The instant.
        workings: How each account counts its days; accounts are never added together.
    """
    by_account: dict[int, list[Open]] = {number: [] for number in sorted(workings)}
    for each in found:
        by_account[each.account].append(each)
    return [
        _summary(number, of_account, at, workings[number])
        for number, of_account in by_account.items()
    ]


def _summary(account: int, found: Collection[Open], at: datetime, working: Working) -> Summary:
    sums: dict[tuple[int, str, Kind, Severity], Sum] = {}
    for each in found:
        bucket = bucket_of(age_business_days(each.opened_at, at, working))
        cell = (bucket.days_min, bucket.name, each.kind, each.severity)
        sums[cell] = _plus(sums.get(cell, Sum()), _alone(each, at))
    cells = tuple(
        Cell(bucket=name, kind=kind, severity=severity, sum=sums[age, name, kind, severity])
        for age, name, kind, severity in sorted(sums)
    )
    summary = Summary(
        account=account,
        at=at,
        cells=cells,
        by_bucket=_by(cells, lambda cell: cell.bucket),
        by_kind=_by(cells, lambda cell: cell.kind),
        by_severity=_by(cells, lambda cell: cell.severity),
        total=_total(_alone(each, at) for each in found),
    )
    # The total was added from the discrepancies themselves; each of these from the cells.
    for sums_of in (summary.by_bucket, summary.by_kind, summary.by_severity):
        assert _total(sums_of.values()) == summary.total, "two roads lead to one total"
    return summary


def _by(cells: Iterable[Cell], key_of: Callable[[Cell], Key]) -> dict[Key, Sum]:
    found: dict[Key, Sum] = {}
    for cell in cells:
        key = key_of(cell)
        found[key] = _plus(found.get(key, Sum()), cell.sum)
    return found


def _alone(each: Open, at: datetime) -> Sum:
    amount = each.amount or ZERO
    return Sum(
        count=1,
        net=amount,
        gross=amount.copy_abs(),
        overdue=int(each.due_at <= at),
        without_amount=int(each.amount is None),
    )


def _total(sums: Iterable[Sum]) -> Sum:
    total = Sum()
    for each in sums:
        total = _plus(total, each)
    return total


def _plus(left: Sum, right: Sum) -> Sum:
    return Sum(
        count=left.count + right.count,
        net=normal(add(left.net, right.net)),
        gross=normal(add(left.gross, right.gross)),
        overdue=left.overdue + right.overdue,
        without_amount=left.without_amount + right.without_amount,
    )
