"""Runs the days that were asked for, one after another, each in a unit of its own."""

from datetime import date, datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing import queue_store
from recon_streams.closing.matcher import Matcher
from recon_streams.closing.run import DayResult, DayRun, run_day
from recon_streams.closing.turn import turn
from recon_streams.kernel.calendars import Calendars

# A thousand small accounts take a second or two; one unit holds no more of them.
ACCOUNTS_MAX: Final = 1_000
# So long a statement that comes late still makes its day run again by itself.
LATE_DAYS_MAX: Final = 60


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit did; `result` is None if nothing was asked for."""

    result: DayResult | None


async def ask_for_changed(pool: asyncpg.Pool, *, since: date) -> list[tuple[int, date]]:
    """Ask for days from `since` on of which something came after they were run; return them."""
    async with UnitOfWork(pool) as unit:
        changed = await queue_store.changed_days(
            unit.connection, since=since, rows_max=ACCOUNTS_MAX
        )
        if changed:
            await queue_store.request(unit.connection, changed, "something of it came later")
        return changed


async def run_requested(
    pool: asyncpg.Pool, calendars: Calendars, matcher: Matcher, *, now: datetime
) -> Ran:
    """Run the day that was asked for first, unless somebody else is at it.

    What fails leaves what was asked for.
    """
    try:
        return await _run_first(pool, calendars, matcher, now)
    except asyncpg.LockNotAvailableError:
        return Ran(result=None)


async def _run_first(
    pool: asyncpg.Pool, calendars: Calendars, matcher: Matcher, now: datetime
) -> Ran:
    async with turn(pool, wait=False) as unit:
        taken = await queue_store.take_requests(unit.connection, rows_max=ACCOUNTS_MAX)
        if taken is None:
            return Ran(result=None)
        on, numbers = taken
        wanted = DayRun(
            on=on,
            accounts=tuple(numbers),
            at=now,
            run=f"eod {on.isoformat()} at {now.isoformat()}",
        )
        return Ran(result=await run_day(unit, calendars, matcher, wanted))
