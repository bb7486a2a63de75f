"""Where the outbox leads: another log, or the log table of the same database."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import asyncpg

from recon_streams.book.connection import Session
from recon_streams.kernel import faultpoint
from recon_streams.log.port import LogWriter
from recon_streams.log.record import Appended, OutgoingRecord
from recon_streams.publisher import outbox

# Makes records ready: what the breaker says is signed, and denied in every copy before.
Prepare = Callable[[Sequence[OutgoingRecord]], Awaitable[list[OutgoingRecord]]]


async def as_they_are(records: Sequence[OutgoingRecord]) -> list[OutgoingRecord]:
    """Return `records` unsigned: no reader of the breaker believes them."""
    return list(records)


class TransactionalWriter(Protocol):
    """A log that lives in the same database and can append inside a transaction of it."""

    async def append_in(
        self, connection: Session, records: Sequence[OutgoingRecord]
    ) -> list[Appended]:
        """Append `records`; they exist once the transaction of `connection` commits."""
        ...


class Relay(Protocol):
    """Carries waiting messages to the log and notes where they went."""

    async def relay(
        self, pool: asyncpg.Pool, *, rows_max: int, prepare: Prepare = as_they_are
    ) -> list[outbox.Waiting]:
        """Publish the oldest waiting messages and return them; an empty list if none wait."""
        ...


class LogRelay:
    """To a log elsewhere: publish, then mark. A death between the two publishes again.

    That is harmless: every message carries its version (epoch and seq, version, ids), and readers
    keep the highest. The other order would lose it.
    """

    def __init__(self, writer: LogWriter) -> None:
        """Publish through `writer`."""
        self._writer = writer

    async def relay(
        self, pool: asyncpg.Pool, *, rows_max: int, prepare: Prepare = as_they_are
    ) -> list[outbox.Waiting]:
        """Publish the oldest waiting messages."""
        found = await outbox.waiting(pool, rows_max=rows_max)
        if found:
            places = await self._writer.append(await prepare([item.record for item in found]))
            faultpoint.hit("after_publish_before_mark")
            await outbox.mark_published(pool, found, places)
        return found


class TableRelay:
    """To the log table of the same database: published and marked in one transaction, once."""

    def __init__(self, writer: TransactionalWriter) -> None:
        """Publish through `writer`."""
        self._writer = writer

    async def relay(
        self, pool: asyncpg.Pool, *, rows_max: int, prepare: Prepare = as_they_are
    ) -> list[outbox.Waiting]:
        """Publish the oldest waiting messages."""
        async with pool.acquire() as connection, connection.transaction():
            # A publisher that lost its lock may not know it yet, and relay beside its heir.
            found = await outbox.waiting(connection, rows_max=rows_max, is_locking=True)
            if found:
                ready = await prepare([item.record for item in found])
                places = await self._writer.append_in(connection, ready)
                faultpoint.hit("after_publish_before_mark")
                await outbox.mark_published(connection, found, places)
        return found
