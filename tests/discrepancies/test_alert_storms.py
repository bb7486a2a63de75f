"""On-call hears of a thousand equal troubles once, and of each that may be lost otherwise."""

import asyncio
import random
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import msgspec
import pytest

from recon_streams.alerts.keeper import KeeperTerms, keep
from recon_streams.alerts.storm import TOLD_MAX
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Kind, Source
from recon_streams.discrepancies.register import note
from topics.alerts import Alert

pytestmark = pytest.mark.postgres

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
STORM = "storm:STATEMENT_MISSING"


def late(number: int, kind: Kind = Kind.STATEMENT_MISSING, amount: str | None = None) -> Finding:
    cause = Cause(kind=kind, account=1 + number % 3, subject=f"day {number}")
    money = None if amount is None else Decimal(amount)
    return Finding(cause=cause, source=Source.CLOSING, amount=money)


class OnCall:
    """What somebody sees who keeps the last alert of each key."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.runs = 0
        self.read = 0
        self.paged: list[Alert] = []
        self.firing: dict[str, Alert] = {}

    async def hears(self, found: Iterable[Finding] = (), gone: Iterable[Finding] = ()) -> None:
        """Let a check find some and prove others gone, and read what was sent."""
        self.runs += 1
        cleared = [Cleared(cause=f.cause, source=f.source, proof={"a": "b"}) for f in gone]
        async with UnitOfWork(self.pool) as unit:
            await note(unit, list(found), cleared, at=AT, evidence=f"run {self.runs}")
        await keep(self.pool, {}, KeeperTerms(), now=AT)
        rows = await self.pool.fetch(
            "SELECT outbox_id, payload FROM book.outbox WHERE topic = 'recon.alerts' "
            "AND outbox_id > $1 ORDER BY outbox_id",
            self.read,
        )
        alerts = [msgspec.json.decode(row["payload"], type=Alert) for row in rows]
        self.read = rows[-1]["outbox_id"] if rows else self.read
        self.paged = [
            each for each in alerts if each.dedup_key.startswith(("discrepancy:", "storm:"))
        ]
        for each in self.paged:
            if each.action == "trigger":
                self.firing[each.dedup_key] = each
            else:
                self.firing.pop(each.dedup_key, None)

    async def open_ids(self, kind: Kind = Kind.STATEMENT_MISSING) -> set[str]:
        rows = await self.pool.fetch(
            "SELECT id FROM discrepancies.discrepancy WHERE is_alerted AND kind = $1", kind.value
        )
        return {f"discrepancy:{row['id']}" for row in rows}


async def test_a_bank_that_is_late_for_all_accounts_is_one_alert(pool: asyncpg.Pool) -> None:
    on_call = OnCall(pool)
    await on_call.hears(late(n) for n in range(400))
    (only,) = on_call.paged
    assert (only.dedup_key, only.action, only.alert_class) == (
        STORM, "trigger", "ALERT_STORM",
    )  # fmt: skip
    assert only.scope is None
    records = await pool.fetchval(
        "SELECT count(*) FROM book.outbox WHERE topic = 'recon.discrepancies'"
    )
    assert records == 400, "the queue has each of them"


async def test_as_many_as_somebody_can_read_are_told_one_by_one(pool: asyncpg.Pool) -> None:
    on_call = OnCall(pool)
    await on_call.hears(late(n) for n in range(TOLD_MAX))
    assert on_call.firing.keys() == await on_call.open_ids()


async def test_what_is_not_backed_is_told_in_every_storm(pool: asyncpg.Pool) -> None:
    on_call = OnCall(pool)
    kind = Kind.BALANCE_MISMATCH
    await on_call.hears(late(n, kind, "5") for n in range(100))
    await on_call.hears([late(100, kind, "-5")])
    assert [each.severity for each in on_call.paged] == ["critical"]


async def test_another_kind_has_its_own_weather(pool: asyncpg.Pool) -> None:
    on_call = OnCall(pool)
    await on_call.hears(late(n) for n in range(100))
    await on_call.hears([late(1, Kind.CONTINUITY_BROKEN)])
    assert [each.alert_class for each in on_call.paged] == ["CONTINUITY_BROKEN"]


async def test_after_the_storm_each_that_is_left_is_told(pool: asyncpg.Pool) -> None:
    on_call = OnCall(pool)
    await on_call.hears(late(n) for n in range(100))
    await on_call.hears(gone=[late(n) for n in range(97)])
    assert on_call.firing.keys() == await on_call.open_ids()
    assert len(on_call.firing) == 3
    await on_call.hears(gone=[late(n) for n in range(97, 100)])
    assert not on_call.firing


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_comes_and_goes_on_call_knows_of_everything_alone_or_together(
    pool: asyncpg.Pool, seed: int
) -> None:
    weather = random.Random(seed)
    on_call, there = OnCall(pool), set[int]()
    for _ in range(12):
        comes = set(weather.sample(range(150), weather.randrange(40)))
        goes = set(weather.sample(sorted(there), weather.randrange(len(there) + 1))) - comes
        await on_call.hears([late(n) for n in comes], [late(n) for n in goes])
        there = there - goes | comes
        told = on_call.firing.keys() - {STORM}
        assert told <= await on_call.open_ids(), "nothing fires that is over"
        if len(there) <= TOLD_MAX:
            assert on_call.firing.keys() == await on_call.open_ids()
        else:
            assert STORM in on_call.firing


async def test_two_who_end_the_last_of_a_storm_at_once_end_the_storm(pool: asyncpg.Pool) -> None:
    on_call = OnCall(pool)
    await on_call.hears(late(n) for n in range(TOLD_MAX + 2))
    noted = [asyncio.Event(), asyncio.Event()]
    may_commit = asyncio.Event()

    async def end(number: int) -> None:
        gone = Cleared(cause=late(number).cause, source=Source.CLOSING, proof={"a": "b"})
        async with UnitOfWork(pool) as unit:
            await note(unit, [], [gone], at=AT, evidence="run 2")
            noted[number].set()
            await may_commit.wait()

    async with asyncio.TaskGroup() as both:
        both.create_task(end(0))
        await noted[0].wait()
        both.create_task(end(1))
        await noted[1].wait()
        may_commit.set()
    await on_call.hears()
    assert STORM not in on_call.firing
    assert on_call.firing.keys() == await on_call.open_ids()
