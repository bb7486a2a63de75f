"""The agent for `recon.positions`: keeps the rolling state of this worker's accounts in a table.

The table serves windows and trends; no verdict is read from it. So it keeps no position in the
book: it is restored from there at assignment, and goes on at the log's end.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import asyncpg
import msgspec
import structlog
from faust.types import AgentT, StreamT

from recon_streams.kernel.clock import utc_now
from recon_streams.log.partitioner import partition_of
from recon_streams.log.record import Batch, Record
from recon_streams.positions.directory import Directory
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.positions.rolling import PAST, Past, Rolling, push
from recon_streams.positions.status import status_pages
from recon_streams.runtime.batch_topic import BatchTopic, batches_of
from recon_streams.runtime.book_table import BookTable
from recon_streams.runtime.faust_app import ReconApp
from recon_streams.sweeps.store import past_points
from topics.positions import Position

TOPIC = "recon.positions"
_log = structlog.get_logger()
_DECODER = msgspec.json.Decoder(Position)

RollingTable = BookTable[Rolling, Position | Past]


def make_table(app: ReconApp) -> RollingTable:
    """Return the empty table of rolling positions, by scope."""
    return BookTable(app, "rolling-positions", push)


def attach(
    app: ReconApp, topic: BatchTopic, table: RollingTable, on_settled: Callable[[Batch], None]
) -> AgentT[None]:
    """Subscribe to `topic`; the agent lives as long as `app`."""

    async def rolling_positions(batches: StreamT[Batch]) -> None:
        """Keep the newest position and the last minutes of each account."""
        async for batch in batches_of(batches):
            for record in batch.records:
                _put(table, record)
            on_settled(batch)

    return app.agent(topic.channel, name="agents.rolling_positions")(rolling_positions)


def _put(table: RollingTable, record: Record) -> None:
    if record.key is None or record.value is None:
        return
    try:
        table.put(record.key.decode(), _DECODER.decode(record.value))
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Not written by us. No verdict is read from this table, so a stranger's record must not
        # stop a worker; the next record of the account takes its place.
        _log.error(
            "foreign_position", topic=record.topic, partition=record.partition, offset=record.offset
        )


async def restore(
    pool: asyncpg.Pool, table: RollingTable, owned: frozenset[int], partitions: int
) -> int:
    """Fill `table` with the accounts of the `owned` partitions; return how many were new to it.

    Runs beside the reading of news: values are absolute and versioned, so whichever of the two
    comes second changes nothing it should not.
    """

    def is_ours(scope: str) -> bool:
        return partition_of(scope.encode(), partitions) in owned

    table.forget(lambda scope: not is_ours(scope))
    directory = await DirectoryCache().current(pool)
    restored = 0
    now = utc_now()
    async for page in status_pages(pool, directory, now=now):
        ours = [each.position for each in page if is_ours(each.scope)]
        restored += table.restore(await _with_past(pool, directory, ours, now - PAST))
    return restored


async def _with_past(
    pool: asyncpg.Pool, directory: Directory, positions: Sequence[Position], since: datetime
) -> list[tuple[str, Past]]:
    """Return `positions` by scope, each with what sweeps saw of it; a drift outlives a restart."""
    accounts = [directory.by_ledger(each.account_id, each.currency) for each in positions]
    numbers = [account.number for account in accounts if account is not None]
    seen = await past_points(pool, numbers, since)
    return [
        (account.scope, Past(position=position, seen=seen.get(account.number, ())))
        for account, position in zip(accounts, positions, strict=True)
        if account is not None
    ]
