"""Keeps the book and its log from growing for ever, and makes room for the months that come."""

import asyncio
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from agents.intakes import input_topics
from agents.logs import Logs
from recon_streams.alerts.retention import forget
from recon_streams.book import streams
from recon_streams.kernel.clock import utc_now
from recon_streams.positions.entry_store import make_months

EVERY_SECONDS: Final = 600.0

_log = structlog.get_logger()


async def keep_log_for_ever(
    pool: asyncpg.Pool, logs: Logs, *, every_seconds: float = EVERY_SECONDS
) -> None:
    """Delete what is too old and make room, again and again. Runs for ever."""
    while True:
        try:
            await keep_months(pool)
            await keep_log(pool, logs)
        except (TimeoutError, asyncpg.QueryCanceledError, asyncpg.DeadlockDetectedError) as error:
            # The book is not away: there was too much to do, and the next time is soon enough.
            _log.error("upkeep_unfinished", reason=type(error).__name__)
        await asyncio.sleep(every_seconds)


async def keep_months(pool: asyncpg.Pool) -> int:
    """Make the partitions that entries of the next months go to; return how many were missing."""
    made = await make_months(pool, utc_now().date())
    if made:
        _log.info("months_made", partitions=made)
    return made


async def keep_log(pool: asyncpg.Pool, logs: Logs) -> int:
    """Delete what is too old now, but no input that the book does not have; return how many.

    A log that keeps itself is left alone.
    """
    if logs.upkeep is None:
        return 0
    reached = await streams.positions(pool)
    # After a long standstill all that waits is old. A partition that nobody has met stays whole.
    keep_from = {
        partition: reached[partition].next_offset if partition in reached else 0
        for partition in await logs.probe.partitions(input_topics())
    }
    deleted = await logs.upkeep(utc_now(), keep_from)
    if deleted:
        _log.info("log_trimmed", records=deleted)
    return deleted


async def keep_alerts_for_ever(
    pool: asyncpg.Pool, *, kept_days: int, every_seconds: float = EVERY_SECONDS
) -> None:
    """Let go of what happened to alerts before `kept_days`, again and again. Runs for ever."""
    while True:
        try:
            await keep_alerts(pool, kept_days=kept_days)
        except (TimeoutError, asyncpg.QueryCanceledError, asyncpg.DeadlockDetectedError) as error:
            _log.error("alerts_not_let_go", reason=type(error).__name__)
        await asyncio.sleep(every_seconds)


async def keep_alerts(pool: asyncpg.Pool, *, kept_days: int) -> int:
    """Delete what happened to alerts that are over, and is older; return how many rows."""
    deleted = await forget(pool, utc_now() - timedelta(days=kept_days))
    if deleted:
        _log.info("alerts_let_go", rows=deleted)
    return deleted
