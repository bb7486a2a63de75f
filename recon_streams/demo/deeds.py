"""What somebody does on the scripted day: has accounts swept, runs the bank's day."""

import asyncio
from datetime import date, datetime
from typing import Final

import asyncpg

from recon_streams.closing.by_matching import ByMatching
from recon_streams.closing.rules_in_force import RulesInForce
from recon_streams.closing.run import DayRun, run_day
from recon_streams.closing.turn import turn
from recon_streams.kernel.calendars import Calendars
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.positions.status import read_status
from recon_streams.sweeps.status import SweepStatus, decided_of, request_sweeps, sweeps_of

_SWEEP_SECONDS_MAX: Final = 20.0
_POLL_SECONDS: Final = 0.05
_ATTEMPTS: Final = 5


async def sweep(pool: asyncpg.Pool, request_id: str, *, now: datetime) -> list[SweepStatus]:
    """Have every account swept by the worker, and return what it found."""
    directory = await DirectoryCache().current(pool)
    accounts = []
    for each in await read_status(pool, directory, now=now):
        account = directory.by_ledger(each.position.account_id, each.position.currency)
        assert account is not None, "what has a status is registered"
        accounts.append(account)
    await request_sweeps(pool, accounts, request_id, now=now)
    async with asyncio.timeout(_SWEEP_SECONDS_MAX):
        while await decided_of(pool, request_id) < len(accounts):  # noqa: ASYNC110 - the worker decides
            await asyncio.sleep(_POLL_SECONDS)
    return await sweeps_of(pool, request_id)


async def run_bank_day(pool: asyncpg.Pool, on: date, *, now: datetime) -> None:
    """Run the day `on` of every account and issue its report."""
    wanted = DayRun(on=on, accounts=None, at=now, run=f"eod {on} at {now}", whole=True)
    for attempt in range(_ATTEMPTS):
        try:
            async with turn(pool) as unit:
                await run_day(unit, Calendars(), ByMatching(RulesInForce()), wanted)
        except asyncpg.SerializationError:
            # The worker may run the same day, because something of it has come.
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return
