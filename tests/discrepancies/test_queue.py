"""What people see of discrepancies, how they are added up, and that spoiled ones are noticed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.book.connection import open_pool
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.action import Assigned, ReasonCode, Reopened, Resolved, Snoozed
from recon_streams.discrepancies.deadline import Working
from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Kind, Source
from recon_streams.discrepancies.gauges import read_gauges
from recon_streams.discrepancies.invariants import ROW_IS_FOLD, DiscrepancyChecks
from recon_streams.discrepancies.queue import Wanted, read, read_one
from recon_streams.discrepancies.register import act, note
from recon_streams.discrepancies.summary import Open, Sum, open_at, summaries
from recon_streams.kernel.calendars import Calendars
from recon_streams.runtime.metrics import Metrics
from topics.alerts import Severity

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
WEEKDAYS = Calendars().named(None)
UTC_DAYS = Working(days=WEEKDAYS, zone=ZoneInfo("UTC"))


def finding(
    subject: str, amount: str | None = "1", kind: Kind = Kind.MISSING_TXN, account: int = 3
) -> Finding:
    return Finding(
        cause=Cause(kind=kind, account=account, subject=subject),
        source=Source.MATCHING,
        amount=None if amount is None else Decimal(amount),
    )


@pytest.fixture
async def busy(pool: asyncpg.Pool) -> asyncpg.Pool:
    """Five discrepancies: 1 critical, 2 assigned, 3 asleep, 4 resolved, 5 of another account."""
    findings = [
        finding("a", "-5", Kind.BALANCE_MISMATCH),
        finding("b", "2.5"),
        finding("c"),
        finding("d", "7"),
        finding("e", None, Kind.STATEMENT_MISSING, account=2),
    ]
    async with UnitOfWork(pool) as unit:
        for number, each in enumerate(findings):
            await note(unit, [each], [], at=AT, evidence=f"run {number}")
        at = AT + timedelta(hours=1)
        await act(unit, [2], Assigned(at=at, actor="ana", owner="ben"))
        until = AT + timedelta(days=10)
        await act(unit, [3], Snoozed(at=at, actor="ana", until=until, reason="r"))
        code = ReasonCode.EXPLAINED
        await act(unit, [4], Resolved(at=at, actor="ana", reason_code=code, reason="a fee"))
    return pool


in_the_book = pytest.mark.postgres


@in_the_book
async def test_the_most_urgent_stands_first_and_what_sleeps_or_ended_is_left_out(
    busy: asyncpg.Pool,
) -> None:
    now = AT + timedelta(days=5)

    async def ids(**wanted: Any) -> list[int]:
        return [each.id for each in await read(busy, Wanted(**wanted), now=now)]

    assert await ids() == [1, 5, 2]
    assert await ids(asleep=True) == [1, 5, 2, 3]
    assert await ids(resolved=True) == [1, 5, 2, 3, 4]
    assert await ids(kind=Kind.MISSING_TXN) == [2]
    assert await ids(account_id="SAFE-ZMW") == [5]
    assert await ids(severity=Severity.CRITICAL) == [1]
    assert await ids(owner="ben") == [2]
    assert await ids(past_due=True) == [1, 5]
    assert await ids(bucket="2-5") == [1, 5, 2]
    assert await ids(bucket="6-10") == []
    assert [each.id for each in await read(busy, Wanted(), now=now, rows_max=1)] == [1]
    woken = await read(busy, Wanted(), now=AT + timedelta(days=10))
    assert [each.id for each in woken] == [1, 5, 2, 3]


@in_the_book
async def test_one_is_shown_with_all_that_happened_to_it(busy: asyncpg.Pool) -> None:
    found = await read_one(busy, 4, now=AT + timedelta(days=90))
    assert found is not None
    listed, story = found
    assert (listed.account_id, listed.amount, listed.state) == ("SAFE-EUR", "7", "RESOLVED")
    assert (listed.reason_code, listed.age_business_days) == ("EXPLAINED", 0), "it ages no more"
    assert [(each.actor, each.kind, each.to_state) for each in story] == [
        ("recon-streams", "found", "OPEN"),
        ("ana", "resolved", "RESOLVED"),
    ]
    assert (story[0].source, story[0].evidence, story[1].reason) == ("MATCHING", "run 3", "a fee")
    assert await read_one(busy, 99, now=AT) is None


@in_the_book
async def test_the_gauge_counts_what_is_open(busy: asyncpg.Pool) -> None:
    assert await read_gauges(busy) == {
        ("BALANCE_MISMATCH", "critical"): 1,
        ("MISSING_TXN", "warning"): 2,
        ("STATEMENT_MISSING", "error"): 1,
    }
    metrics = Metrics()
    line = 'recon_discrepancies_open{kind="MISSING_TXN",severity="warning"}'
    assert f"{line} 0.0" in metrics.exposition().decode(), "there from the start"
    metrics.set_discrepancies(await read_gauges(busy))
    assert f"{line} 2.0" in metrics.exposition().decode()


@in_the_book
async def test_a_summary_of_an_instant_knows_nothing_of_what_came_after(
    busy: asyncpg.Pool,
) -> None:
    async def open_ids(at: datetime) -> list[int]:
        async with busy.acquire() as connection:
            return [each.id for each in await open_at(connection, [2, 3], at)]

    assert await open_ids(AT - timedelta(seconds=1)) == []
    assert await open_ids(AT) == [1, 2, 3, 4, 5]
    hour = AT + timedelta(hours=1)
    assert await open_ids(hour) == [1, 2, 3, 5]
    async with UnitOfWork(busy) as unit:
        await act(unit, [4], Reopened(at=AT + timedelta(hours=2), actor="ana", reason="r"))
        proof = Cleared(cause=finding("b").cause, source=Source.MATCHING, proof={})
        await note(unit, [], [proof], at=AT + timedelta(hours=2), evidence="run 9")
        worse = finding("c", "-9")
        await note(unit, [worse], [], at=AT + timedelta(hours=3), evidence="run 10")
    assert await open_ids(hour) == [1, 2, 3, 5]
    assert await open_ids(AT + timedelta(hours=2)) == [1, 3, 4, 5]
    async with busy.acquire() as connection:
        then = await open_at(connection, [3], hour)
        now = await open_at(connection, [3], AT + timedelta(hours=3))
    assert [each.amount for each in then] == [Decimal(-5), Decimal("2.5"), Decimal(1)]
    assert [each.amount for each in now] == [Decimal(-5), Decimal(-9), Decimal(7)]
    (summary,) = summaries(then, at=hour, workings={3: UTC_DAYS})
    assert summary.total == Sum(count=3, net=Decimal("-1.5"), gross=Decimal("8.5"))
    assert summary.by_kind[Kind.MISSING_TXN].net == Decimal("3.5")
    assert list(summary.by_bucket) == ["0-1"]


@in_the_book
async def test_a_discrepancy_that_is_not_the_fold_of_its_actions_is_found(
    busy: asyncpg.Pool, database: str
) -> None:
    # One row at a time: rounds go on where the last one ended, and begin again.
    checks = DiscrepancyChecks(busy, actions_a_round=1)

    async def round_of_all() -> int:
        return sum([(await checks.violations())[ROW_IS_FOLD] or 0 for _ in range(6)])

    assert await round_of_all() == 0
    await busy.execute("UPDATE discrepancies.discrepancy SET occurrences = 9 WHERE id = 2")
    assert await round_of_all() == 1
    owner = await open_pool(database, as_app=False)
    await owner.execute("DELETE FROM discrepancies.action WHERE discrepancy IN (1, 4)")
    await owner.close()
    assert await round_of_all() == 3
    assert (await DiscrepancyChecks(busy).violations())[ROW_IS_FOLD] == 3


@in_the_book
async def test_the_program_cannot_rewrite_what_happened(busy: asyncpg.Pool) -> None:
    for statement in (
        "DELETE FROM discrepancies.action",
        "UPDATE discrepancies.action SET reason = ''",
        "DELETE FROM discrepancies.discrepancy",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await busy.execute(statement)


OPEN = st.builds(
    Open,
    id=st.integers(1),
    account=st.integers(1, 3),
    kind=st.sampled_from(Kind),
    severity=st.sampled_from(Severity),
    amount=st.none() | st.decimals(-(10**12), 10**12, places=8),
    opened_at=st.integers(0, 60).map(lambda days: AT - timedelta(days=days)),
    due_at=st.integers(-5, 5).map(lambda days: AT + timedelta(days=days)),
)


@given(st.lists(OPEN, max_size=30))
def test_every_discrepancy_is_in_one_cell_and_all_totals_agree(found: list[Open]) -> None:
    made = summaries(found, at=AT, workings=dict.fromkeys((1, 2, 3), UTC_DAYS))
    assert [each.account for each in made] == [1, 2, 3]
    assert sum(each.total.count for each in made) == len(found)
    for each in made:
        mine = [open_ for open_ in found if open_.account == each.account]
        amounts = [open_.amount for open_ in mine if open_.amount is not None]
        assert each.total.net == sum(amounts)
        assert each.total.gross == sum(map(abs, amounts))
        assert each.total.without_amount == len(mine) - len(amounts)
        for sums in (each.by_bucket, each.by_kind, each.by_severity):
            assert sum(s.count for s in sums.values()) == len(mine)
            assert sum(s.net for s in sums.values()) == each.total.net
        assert sum(cell.sum.gross for cell in each.cells) == each.total.gross
