"""One transaction of the book: everything a batch decides is committed together, or not at all."""

from collections.abc import Iterable
from types import TracebackType
from typing import Self

import asyncpg

from recon_streams.log.record import OutgoingRecord


class UnitOfWork:
    """An open transaction and the messages that leave with it.

    Used as `async with UnitOfWork(pool) as unit:`; leaving normally writes the outbox and
    commits, leaving by an exception rolls back.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        """Take a connection from `pool` when entered."""
        self._pool = pool
        self._outgoing: list[OutgoingRecord] = []

    async def __aenter__(self) -> Self:
        """Begin."""
        self.connection = await self._pool.acquire()
        try:
            self._transaction = self.connection.transaction()
            await self._transaction.start()
        except BaseException:
            await self._pool.release(self.connection)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Commit, or roll back if an exception is passing through."""
        try:
            if kind is None:
                await self._write_outbox()
                await self._transaction.commit()
            elif not self.connection.is_closed():
                await self._transaction.rollback()
        finally:
            await self._pool.release(self.connection)

    def publish(self, records: Iterable[OutgoingRecord]) -> None:
        """Send `records` once, and only if, this transaction commits; order per key is kept."""
        self._outgoing.extend(records)

    async def _write_outbox(self) -> None:
        if self._outgoing:
            await self.connection.copy_records_to_table(
                "outbox",
                schema_name="book",
                columns=("topic", "key", "payload"),
                records=[(record.topic, record.key, record.value) for record in self._outgoing],
            )
            await self.connection.execute("NOTIFY recon_outbox")
