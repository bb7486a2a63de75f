"""Runs the days that were asked for: by ticks, or by something of them that came later."""

import asyncio
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from agents.patience import with_patience
from recon_streams.closing.matcher import Matcher
from recon_streams.closing.requests import LATE_DAYS_MAX, ask_for_changed, run_requested
from recon_streams.closing.run import DayResult
from recon_streams.kernel.calendars import Calendars
from recon_streams.kernel.clock import utc_now
from recon_streams.registry.calendar_store import put_in_force

# How often it is looked for what came later: a statement that is late has been late for a while.
_LOOK_EVERY_SECONDS: Final = 30.0

_log = structlog.get_logger()


async def run_days_for_ever(
    pool: asyncpg.Pool,
    calendars: Calendars,
    matcher: Matcher,
    *,
    every_seconds: float,
    retry_seconds: float,
) -> None:
    """Run what was asked for, again and again. Runs for ever; any number of workers may."""
    # Whoever has only the book counts days as this worker does.
    await with_patience(lambda: put_in_force(pool, calendars), retry_seconds)
    loop = asyncio.get_running_loop()
    look_at = loop.time()
    while True:
        if loop.time() >= look_at:
            look_at = loop.time() + _LOOK_EVERY_SECONDS
            since = utc_now().date() - timedelta(days=LATE_DAYS_MAX)
            changed = await with_patience(
                lambda since=since: ask_for_changed(pool, since=since),  # type: ignore[misc]  # mypy cannot type a default of a lambda
                retry_seconds,
            )
            if changed:
                _log.info("days_changed", count=len(changed))
        ran = await with_patience(
            lambda: run_requested(pool, calendars, matcher, now=utc_now()), retry_seconds
        )
        if ran.result is None:
            await asyncio.sleep(every_seconds)
        else:
            _say(ran.result)


def _say(result: DayResult) -> None:
    became: dict[str, int] = {}
    for each in result.accounts:
        became[each.became.value] = became.get(each.became.value, 0) + 1
    _log.info("day_run", on=result.on.isoformat(), report=result.report_id, **became)
