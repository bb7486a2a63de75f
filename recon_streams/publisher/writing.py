"""Everything this publisher writes of scopes goes through here, one at a time, screened, signed."""

import asyncio
from collections.abc import Collection, Sequence

import asyncpg

from recon_streams.log.port import LogWriter
from recon_streams.log.record import OutgoingRecord
from recon_streams.publisher.announcing import Announcer
from recon_streams.publisher.listener import PublisherListener
from recon_streams.publisher.screening import Screen, Withheld
from recon_streams.publisher.sink import Relay


class BreakerWriter:
    """Relays, repairs and restates in turn.

    What was read from the book as the newest must not land on the log behind something newer that
    the relay has carried there meanwhile.
    """

    def __init__(
        self,
        *,
        relay: Relay,
        writer: LogWriter,
        readying: tuple[Screen, Announcer],
        listener: PublisherListener,
    ) -> None:
        """Carry the outbox with `relay` and write the rest with `writer`; tell `listener`."""
        self._relay = relay
        self._writer = writer
        self._screen, self._announcer = readying
        self._listener = listener
        self._withheld: set[OutgoingRecord] = set()
        self._lock = asyncio.Lock()

    def alone(self) -> asyncio.Lock:
        """Return what to hold while the newest records are read and written."""
        return self._lock

    async def relay_all(self, pool: asyncpg.Pool, *, rows_max: int) -> None:
        """Publish what waits in the outbox until nothing does."""
        while True:
            async with self._lock:
                sent = await self._relay.relay(pool, rows_max=rows_max, readying=self)
            if not sent:
                return
            self._listener.published([each for each in sent if each.record not in self._withheld])

    def take_withheld(self) -> set[str]:
        """Return the scopes of which messages were withheld since this was asked for the last time.

        Whatever was wrong with the message, what the book says of its scope is to be on the log.
        """
        withheld, self._withheld = self._withheld, set()
        return {(record.key or b"").decode(errors="replace") for record in withheld}

    async def screened(
        self, records: Sequence[OutgoingRecord]
    ) -> Sequence[OutgoingRecord | Withheld]:
        """See `Readying.screened`."""
        screened = await self._screen.of_outbox(records)
        self._withheld.update(
            record
            for record, ready in zip(records, screened, strict=True)
            if isinstance(ready, Withheld)
        )
        return screened

    async def prepare(self, records: Sequence[OutgoingRecord]) -> list[OutgoingRecord]:
        """See `Readying.prepare`."""
        return await self._announcer.prepare(records)

    async def append_repairs(self, records: Sequence[OutgoingRecord]) -> Collection[str]:
        """Write `records` because others stand last; return the scopes that must not be told of.

        The caller is alone.
        """
        written, withheld = await self._append(records)
        self._listener.repaired(written)
        return withheld

    async def append_restated(self, records: Sequence[OutgoingRecord]) -> None:
        """Write `records` because their turn has come; the caller is alone."""
        written, _ = await self._append(records)
        self._listener.restated(written)

    async def _append(self, records: Sequence[OutgoingRecord]) -> tuple[int, Collection[str]]:
        assert self._lock.locked(), "the newest is read and written in one go"
        unproven = await self._screen.of_book(records)
        free = [record for record in records if (record.key or b"").decode() not in unproven]
        if free:
            await self._writer.append(await self._announcer.prepare(free))
        return len(free), unproven.keys()
