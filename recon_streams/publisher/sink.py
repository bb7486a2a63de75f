"""Where the outbox leads: another log, or the log table of the same database."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Protocol

import asyncpg

from recon_streams.book.connection import Session
from recon_streams.kernel import faultpoint
from recon_streams.log.port import LogWriter
from recon_streams.log.record import Appended, OutgoingRecord
from recon_streams.publisher import outbox
from recon_streams.publisher.screening import Withheld

Connection = Session | asyncpg.Pool
Append = Callable[[Sequence[OutgoingRecord]], Awaitable[list[Appended]]]


class Readying(Protocol):
    """What is done to messages before they leave."""

    async def screened(
        self, records: Sequence[OutgoingRecord]
    ) -> Sequence[OutgoingRecord | Withheld]:
        """Return `records` as they may leave, or in words why they must not."""
        ...

    async def prepare(self, records: Sequence[OutgoingRecord]) -> list[OutgoingRecord]:
        """Make ready what leaves: what the breaker says is signed, and denied in every copy."""
        ...


class AsTheyAre:
    """Nothing is held back and nothing signed: no reader of the breaker believes it."""

    async def screened(self, records: Sequence[OutgoingRecord]) -> Sequence[OutgoingRecord]:
        """See `Readying.screened`."""
        return records

    async def prepare(self, records: Sequence[OutgoingRecord]) -> list[OutgoingRecord]:
        """See `Readying.prepare`."""
        return list(records)


AS_THEY_ARE: Final = AsTheyAre()


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
        self, pool: asyncpg.Pool, *, rows_max: int, readying: Readying = AS_THEY_ARE
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
        self, pool: asyncpg.Pool, *, rows_max: int, readying: Readying = AS_THEY_ARE
    ) -> list[outbox.Waiting]:
        """Publish the oldest waiting messages."""
        found = await outbox.waiting(pool, rows_max=rows_max)
        if found:
            await _carry(pool, found, readying, self._writer.append)
        return found


class TableRelay:
    """To the log table of the same database: published and marked in one transaction, once."""

    def __init__(self, writer: TransactionalWriter) -> None:
        """Publish through `writer`."""
        self._writer = writer

    async def relay(
        self, pool: asyncpg.Pool, *, rows_max: int, readying: Readying = AS_THEY_ARE
    ) -> list[outbox.Waiting]:
        """Publish the oldest waiting messages."""
        async with pool.acquire() as connection, connection.transaction():
            # A publisher that lost its lock may not know it yet, and relay beside its heir.
            found = await outbox.waiting(connection, rows_max=rows_max, is_locking=True)
            if found:
                append = partial(self._writer.append_in, connection)
                await _carry(connection, found, readying, append)
        return found


async def _carry(
    connection: Connection, found: Sequence[outbox.Waiting], readying: Readying, append: Append
) -> None:
    screened = await readying.screened([item.record for item in found])
    leaving: list[outbox.Waiting] = []
    records: list[OutgoingRecord] = []
    withheld: dict[int, str] = {}
    for item, record in zip(found, screened, strict=True):
        if isinstance(record, Withheld):
            withheld[item.outbox_id] = record.words
        else:
            leaving.append(item)
            records.append(record)
    if records:
        places = await append(await readying.prepare(records))
        faultpoint.hit("after_publish_before_mark")
        await outbox.mark_published(connection, leaving, places)
    if withheld:
        await outbox.mark_withheld(connection, withheld)
