"""What the book committed about breakers, and when it could first be seen there.

Instants are nanoseconds of the machine's monotonic clock, which every process shares.
"""

import asyncio
import contextlib
import threading
import time
from typing import Final

import asyncpg
import msgspec
from typing_extensions import override

from recon_streams.log.postgres_topics import UNREACHABLE

_POLL_SECONDS: Final = 0.01


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a scope, and when it was first seen in the book."""

    scope: str
    epoch: int
    state: str
    reason: str
    seen_ns: int


class Commits(threading.Thread):
    """Watches the book for changes of breakers; silent while the book is away."""

    def __init__(self, dsn: str) -> None:
        """Watch the book at `dsn`."""
        super().__init__(daemon=True, name="commits")
        self._dsn = dsn
        self._ending = threading.Event()
        self._known: dict[tuple[str, int], Committed] = {}

    @override
    def run(self) -> None:
        """Watch until told to end."""
        asyncio.run(self._watch())

    def end(self) -> None:
        """End and wait for it."""
        self._ending.set()
        self.join(20)

    def of(self, scope: str) -> list[Committed]:
        """Return the changes of `scope` so far, in order."""
        found = [each for each in list(self._known.values()) if each.scope == scope]
        return sorted(found, key=lambda each: each.epoch)

    def all(self) -> list[Committed]:
        """Return every change so far."""
        return list(self._known.values())

    async def _watch(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(*UNREACHABLE, asyncpg.PostgresError):
                connection = await asyncpg.connect(self._dsn, timeout=2, command_timeout=2)
                try:
                    while not self._ending.is_set():
                        await self._look(connection)
                        await asyncio.sleep(_POLL_SECONDS)
                finally:
                    connection.terminate()
            await asyncio.sleep(_POLL_SECONDS)

    async def _look(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        rows = await connection.fetch(
            "SELECT scope, epoch, to_state, reason FROM breaker.transition"
        )
        seen_ns = time.monotonic_ns()
        for row in rows:
            self._known.setdefault(
                (row["scope"], row["epoch"]),
                Committed(
                    scope=row["scope"],
                    epoch=row["epoch"],
                    state=row["to_state"],
                    reason=row["reason"],
                    seen_ns=seen_ns,
                ),
            )
