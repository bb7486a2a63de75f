"""Says again, now and then, what is true of every scope: signed by the key that is in force."""

import asyncio
import math
from collections.abc import Sequence
from typing import Final

import asyncpg
import structlog

from recon_streams.log.errors import RecordRefused
from recon_streams.log.record import OutgoingRecord
from recon_streams.publisher import newest
from recon_streams.publisher.writing import BreakerWriter

_log = structlog.get_logger()

# Each stays on the log for a day until it is compacted away, and whoever joins reads it.
RECORDS_PER_SECOND_MAX: Final = 10


async def restate_for_ever(
    pool: asyncpg.Pool, writer: BreakerWriter, *, every_seconds: float, scopes: int
) -> None:
    """Write the record of every scope again within `every_seconds`. Runs for ever.

    It is spread over the time, and never faster than `RECORDS_PER_SECOND_MAX`: with more scopes
    than that allows it takes longer.

    Args:
        pool: The book.
        writer: Writes them.
        every_seconds: How long one pass takes.
        scopes: How many there are, roughly; later passes count for themselves.
    """
    loop = asyncio.get_running_loop()
    while True:
        # A pass begins with the wait: what was just repaired need not be said again.
        rows_max = min(RECORDS_PER_SECOND_MAX, max(1, math.ceil(scopes / every_seconds)))
        began_at, scopes = loop.time(), 0
        last: str | None = ""
        while last is not None:
            await asyncio.sleep(1)
            async with writer.alone():
                last, records = await newest.page(pool, after=last, rows_max=rows_max)
                if records:
                    await _restate(writer, records)
            scopes += rows_max if last is not None else len(records)
        await asyncio.sleep(max(0.0, began_at + every_seconds - loop.time()))


async def _restate(writer: BreakerWriter, records: Sequence[OutgoingRecord]) -> None:
    try:
        await writer.append_restated(records)
    except RecordRefused as refusal:
        # Their turn comes again; whoever lends asks the same log, and says why there is no lease.
        _log.error("restatement_refused", reason=refusal.reason)
