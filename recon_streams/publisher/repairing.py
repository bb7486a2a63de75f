"""Writes the newest record of a scope again wherever another one stands last on the log."""

from typing import Final

import asyncpg

from recon_streams.log.record import OutgoingRecord
from recon_streams.publisher import newest
from recon_streams.publisher.lease import LeaseRefusal
from recon_streams.publisher.tail import BreakerTail
from recon_streams.publisher.writing import BreakerWriter

_ROUNDS_MAX: Final = 3
_NEVER: Final = (0, 0)


class Repairer:
    """Holds the log's last words against the book."""

    def __init__(self, pool: asyncpg.Pool, tail: BreakerTail, writer: BreakerWriter) -> None:
        """Read the log with `tail` and the book with `pool`; write with `writer`."""
        self._pool = pool
        self._tail = tail
        self._writer = writer

    async def compare_all(self) -> None:
        """Suspect every scope of which the log does not say what the book does."""
        await self._tail.catch_up()
        # The book is read after the log: what it lacks then was never decided in it.
        known = await newest.states(self._pool)
        self._tail.suspect(
            [s for s, state in known.items() if self._tail.last.get(s) != state.version]
        )

    async def look(self) -> LeaseRefusal | None:
        """Read what was appended, and put right what stands last and does not count.

        Returns why no lease may follow, or None if the log says what the book does.
        """
        await self._tail.catch_up()
        for _ in range(_ROUNDS_MAX):
            if not self._tail.suspects:
                return None
            if await self._repair():
                return LeaseRefusal.LOG_AHEAD
            await self._tail.catch_up()
        return LeaseRefusal.LOG_CONTRADICTS if self._tail.suspects else None

    async def _repair(self) -> bool:
        """Write what the book says of the suspects; return whether the log knows more of one."""
        suspects = self._tail.suspects
        is_ahead = False
        async with self._writer.alone():
            found = await newest.records_of(self._pool, suspects)
            lower: list[OutgoingRecord] = []
            for scope in suspects:
                # Not in the book, or about to be said by the outbox: nothing to do here.
                state, record = found.get(scope, (None, None))
                if state is None or record is None:
                    self._tail.settle(scope, None)
                    continue
                last = self._tail.last.get(scope, _NEVER)
                if last > state.version:
                    is_ahead = True
                    continue
                self._tail.settle(scope, state.version)
                if last < state.version:
                    lower.append(record)
            if lower:
                await self._writer.append_repairs(lower)
        return is_ahead
