"""Writes the newest record of a scope again wherever another one stands last on the log."""

from typing import Final

import asyncpg
import structlog

from recon_streams.log.errors import RecordRefused
from recon_streams.log.record import OutgoingRecord
from recon_streams.publisher import newest
from recon_streams.publisher.lease import LeaseRefusal
from recon_streams.publisher.tail import BreakerTail, Version
from recon_streams.publisher.writing import BreakerWriter
from topics.breaker import BreakerState

_log = structlog.get_logger()

_ROUNDS_MAX: Final = 3
_NEVER: Final = (0, 0)


class Repairer:
    """Holds the log's last words against the book."""

    def __init__(self, pool: asyncpg.Pool, tail: BreakerTail, writer: BreakerWriter) -> None:
        """Read the log with `tail` and the book with `pool`; write with `writer`."""
        self._pool = pool
        self._tail = tail
        self._writer = writer
        self._told: dict[str, Version] = {}

    async def compare_all(self) -> None:
        """Suspect every scope of which the log does not say what the book does."""
        await self._tail.catch_up()
        # The book is read after the log: what it lacks then was never decided in it.
        known = await newest.states(self._pool)
        self._tail.suspect(
            [
                scope
                for scope, state in known.items()
                if self._tail.last.get(scope) != state.version
                or self._tail.proven.get(scope, _NEVER) > state.version
            ]
        )

    async def look(self) -> LeaseRefusal | None:
        """Read what was appended, and put right what stands last and does not count.

        Returns why no lease may follow, or None if the log says what the book does.
        """
        withheld = self._writer.take_withheld()
        await self._tail.catch_up()
        self._tail.suspect(withheld)
        if self._tail.is_cut:
            self._tail.is_cut = False
            await self.compare_all()
        for _ in range(_ROUNDS_MAX):
            if not self._tail.suspects:
                return None
            try:
                refused = await self._repair()
            except RecordRefused as refusal:
                # What should have been written is found again by comparing all.
                self._tail.is_cut = True
                _log.error("repair_refused", reason=refusal.reason)
                return LeaseRefusal.LOG_REFUSES
            if refused is not None:
                return refused
            await self._tail.catch_up()
        return LeaseRefusal.LOG_CONTRADICTS if self._tail.suspects else None

    async def _repair(self) -> LeaseRefusal | None:
        """Write what the book says of the suspects; return what cannot be put right."""
        suspects = self._tail.suspects
        refused: LeaseRefusal | None = None
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
                # Readers that have met it believe nothing lower, whatever stands last by now. So
                # this ends when the book has passed it, and in no other way.
                if (proven := self._tail.proven.get(scope, _NEVER)) > state.version:
                    refused = LeaseRefusal.LOG_AHEAD
                    self._tell(scope, proven, state.version)
                    continue
                self._tail.settle(scope, state.version)
                # Of one number there is one record: what stands there may not say another thing.
                is_other = self._tail.states.get(scope) is not state.state
                if last < state.version or is_other:
                    lower.append(record)
            if lower:
                for scope in await self._writer.append_repairs(lower):
                    # Whoever reads a denial goes on denying; whoever reads that it may be paid from
                    # must not.
                    if self._tail.states.get(scope) is BreakerState.CLOSED:
                        self._tail.suspect([scope])
                        refused = refused or LeaseRefusal.RELEASE_UNPROVEN
        return refused

    def _tell(self, scope: str, on_log: Version, in_book: Version) -> None:
        if self._told.get(scope) != in_book:
            self._told[scope] = in_book
            _log.error("log_ahead", scope=scope, epoch_on_log=on_log[0], epoch_in_book=in_book[0])
