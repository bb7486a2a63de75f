"""One transaction of the book: everything a batch decides is committed together, or not at all."""

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final, Literal, Protocol, Self, TypeVar

import asyncpg

from recon_streams.book.bulk import Bulk, write_all
from recon_streams.log.record import OutgoingRecord

_OUTBOX: Final = Bulk.insert("book.outbox", {"topic": "text", "key": "bytea", "payload": "bytea"})
Isolation = Literal["read_committed", "repeatable_read"]
_NOTIFY: Final = "SELECT pg_notify('recon_outbox', '')"


class Ending(Protocol):
    """What is collected while a unit works, and decided once, when everything else is."""

    async def end(self, unit: "UnitOfWork") -> None:
        """Decide, and write with the unit; the commit follows."""
        ...


E = TypeVar("E", bound=Ending)


class UnitOfWork:
    """An open transaction, the rows it will write, and the messages that leave with it.

    Used as `async with UnitOfWork(pool) as unit:`; leaving normally writes what was collected and
    commits, leaving by an exception rolls back.
    """

    def __init__(self, pool: asyncpg.Pool, *, isolation: Isolation = "read_committed") -> None:
        """Take a connection from `pool` when entered.

        With `repeatable_read` all of it sees one state of the book; what somebody else changes
        meanwhile, and it wants to change too, fails with a serialization error.
        """
        self._pool = pool
        self._isolation: Isolation = isolation
        self._writes: dict[Bulk, list[tuple[Any, ...]]] = {}
        self._endings: dict[type[Any], Any] = {}

    async def __aenter__(self) -> Self:
        """Begin."""
        self.connection = await self._pool.acquire()
        try:
            self._transaction = self.connection.transaction(isolation=self._isolation)
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
                for ending in self._endings.values():
                    await ending.end(self)
                await self.flush()
                await self._transaction.commit()
            elif not self.connection.is_closed():
                await self._transaction.rollback()
        finally:
            await self._pool.release(self.connection)

    def publish(self, records: Iterable[OutgoingRecord]) -> None:
        """Send `records` once, and only if, this transaction commits; order per key is kept."""
        self.write(_OUTBOX, ((record.topic, record.key, record.value) for record in records))

    def at_end(self, kind: type[E]) -> E:
        """Return the one `kind` of this unit, whose `end` is awaited just before the commit.

        Whatever it locks is locked last, for a moment, and in one order.
        """
        ending: E = self._endings.setdefault(kind, kind())
        return ending

    def write(self, bulk: Bulk, rows: Iterable[tuple[Any, ...]]) -> None:
        """Collect `rows`; they are written by `flush`, and not seen by queries before it."""
        collected = self._writes.setdefault(bulk, [])
        collected.extend(rows)
        if not collected:
            del self._writes[bulk]

    async def flush(self) -> None:
        """Write what was collected, in as few round trips as can be."""
        if self._writes:
            writes, self._writes = self._writes, {}
            await write_all(self.connection, writes, _NOTIFY if _OUTBOX in writes else "")
