"""The schedule on a real PostgreSQL, killed again and again: each instant once, none skipped."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from agents.instants import make_planners
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.kernel.faultpoint import EXIT_CODE
from recon_streams.positions.registry_store import apply_registry
from recon_streams.registry.calendar_file import load_calendars
from recon_streams.registry.definition import AccountDefinition, AccountSweep, BankAccount
from recon_streams.runtime.settings import load_settings
from recon_streams.schedule.scheduler import emit_due
from topics.ticks import Tick

pytestmark = pytest.mark.postgres

# The night in which clocks in Europe go forward.
START = datetime(2026, 3, 29, 0, 10, tzinfo=UTC)
KINDS = ("sweep", "window", "escalation")

_CHILD = """
import asyncio, sys
from datetime import datetime, timedelta
from agents.instants import make_planners
from recon_streams.book.connection import open_pool
from recon_streams.registry.calendar_file import load_calendars
from recon_streams.runtime.settings import load_settings
from recon_streams.schedule.scheduler import emit_due

async def main():
    dsn, start, minutes = sys.argv[1], datetime.fromisoformat(sys.argv[2]), int(sys.argv[3])
    planners = make_planners(load_settings(None, {}).sweeps, load_calendars())
    planners = [each for each in planners if each.kind in ("sweep", "window", "escalation")]
    pool = await open_pool(dsn)
    for minute in range(0, minutes + 1, 20):
        now = start + timedelta(minutes=minute)
        while await emit_due(pool, planners, now=now, rows_max=3):
            pass
    await pool.close()

asyncio.run(main())
"""


def definition(name: str, every: int = 30) -> AccountDefinition:
    return AccountDefinition(
        account_id=name,
        currency="AED",
        scale=2,
        bank_accounts=(BankAccount(identification=f"BANK-{name}"),),
        sweep=AccountSweep(every_minutes=every),
        time_zone="Europe/Berlin",
    )


class Book:
    """A book whose registry was applied at an instant of the test."""

    def __init__(self, pool: asyncpg.Pool, owner: asyncpg.Pool, dsn: str) -> None:
        self.pool = pool
        self.owner = owner
        self.dsn = dsn
        self.planners = [
            each
            for each in make_planners(load_settings(None, {}).sweeps, load_calendars())
            if each.kind in KINDS
        ]

    async def apply(self, at: datetime, *accounts: AccountDefinition) -> None:
        change = await apply_registry(self.pool, accounts, source="t", actor="t", now=at)
        await self.owner.execute(
            "UPDATE positions.registry_version SET applied_at = $1 WHERE version = $2",
            at,
            change.version,
        )

    async def emit(self, now: datetime, rows_max: int = 500) -> int:
        count = 0
        while found := await emit_due(self.pool, self.planners, now=now, rows_max=rows_max):
            count += found
        return count

    async def ticks(self, kind: str) -> list[tuple[str, datetime]]:
        rows = await self.pool.fetch(
            "SELECT key, payload FROM book.outbox WHERE topic = 'recon.ticks' ORDER BY outbox_id"
        )
        found = []
        for row in rows:
            tick: Any = msgspec.json.decode(row["payload"], type=Tick)
            if type(tick).__struct_config__.tag == kind:
                found.append((row["key"].decode(), tick.due_at))
        return found


@pytest.fixture
async def book(database: str) -> AsyncIterator[Book]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    owner = await open_pool(database, as_app=False)
    yield Book(pool, owner, database)
    await pool.close()
    await owner.close()


def every(minutes: int, start: datetime, end: datetime) -> list[datetime]:
    at = start.replace(minute=0, second=0)
    found = []
    while at <= end:
        if at > start:
            found.append(at)
        at += timedelta(minutes=minutes)
    return found


async def test_a_schedule_that_stood_still_emits_every_instant_in_order_a_few_at_a_time(
    book: Book,
) -> None:
    await book.emit(START)
    await book.apply(START, definition("A"), definition("B", 60))
    end = START + timedelta(hours=6)
    await book.emit(end, rows_max=2)
    ticks = await book.ticks("sweep")
    assert [at for _, at in ticks] == sorted(at for _, at in ticks)
    assert [at for key, at in ticks if key == "account:A:AED"] == every(30, START, end)
    assert [at for key, at in ticks if key == "account:B:AED"] == every(60, START, end)
    assert len(await book.ticks("window")) == 12
    assert {key for key, _ in await book.ticks("escalation")} == {"all"}
    assert await book.emit(end) == 0


async def test_a_change_moves_what_is_due_after_it_and_nothing_before(book: Book) -> None:
    await book.emit(START)
    await book.apply(START, definition("A", 30))
    changed_at = START + timedelta(hours=2)
    await book.apply(changed_at, definition("A", 15))
    end = START + timedelta(hours=3)
    await book.emit(end)
    found = [at for _, at in await book.ticks("sweep")]
    assert found == [*every(30, START, changed_at), *every(15, changed_at, end)]


async def test_what_was_due_before_a_kind_was_there_is_not_made_up_for(book: Book) -> None:
    await book.apply(START - timedelta(days=400), definition("A"))
    await book.emit(START)
    assert await book.ticks("sweep") == []
    await book.emit(START + timedelta(minutes=20))
    assert len(await book.ticks("sweep")) == 1


async def test_killed_between_and_inside_its_transactions_it_skips_and_repeats_nothing(
    book: Book,
) -> None:
    await book.emit(START)
    await book.apply(START, definition("A"), definition("B", 15), definition("C", 60))
    end = START + timedelta(hours=5)
    kills = 0
    for number in range(1, 200):
        place = ("before_ticks_commit", "after_ticks_commit")[number % 2]
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", _CHILD, book.dsn, START.isoformat(), "300"],
            env={**os.environ, "RECON_FAULTPOINT": f"{place}:{2 + number * 7 % 19}"},
            check=False,
            capture_output=True,
        )
        if done.returncode == 0:
            break
        assert done.returncode == EXIT_CODE, done.stderr
        kills += 1
    assert kills >= 3
    ticks = await book.ticks("sweep")
    for name, minutes in (("A", 30), ("B", 15), ("C", 60)):
        own = [at for key, at in ticks if key == f"account:{name}:AED"]
        assert own == every(minutes, START, end)
    assert len(await book.ticks("window")) == len(set(await book.ticks("window"))) == 10


async def test_two_schedulers_at_once_emit_each_instant_once(book: Book) -> None:
    await book.emit(START)
    await book.apply(START, *(definition(f"A-{number}") for number in range(20)))
    end = START + timedelta(hours=2)
    # Whoever finds the other at work has nothing to do, and comes again.
    for _ in range(100):
        one = emit_due(book.pool, book.planners, now=end, rows_max=7)
        other = emit_due(book.pool, book.planners, now=end, rows_max=7)
        if not any(await asyncio.gather(one, other)):
            break
    ticks = await book.ticks("sweep")
    assert len(ticks) == len(set(ticks)) == 20 * 4
