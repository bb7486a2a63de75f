"""A book without a log: batches go straight to the real commit, and only the book is measured."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import asyncpg

from agents.commit import commit_batch
from agents.intakes import make_intakes
from recon_streams.book.connection import open_pool
from recon_streams.book.intake import Intake
from recon_streams.book.migrate import migrate
from recon_streams.book.reading import read_batch
from recon_streams.log.record import Batch, Record
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.registry.definition import AccountDefinition
from recon_streams.registry.file import load_accounts
from recon_streams.testing.postgres import TestPostgres

BEGAN_AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Desk:
    """One partition of one topic, fed by hand."""

    def __init__(self, pool: asyncpg.Pool, topic: str) -> None:
        self.pool = pool
        self._topic = topic
        self._intake: Intake[Any] = make_intakes(DirectoryCache())[topic]
        self._offset = 0

    async def open(self) -> None:
        """Give the partition a position."""
        await self.pool.execute(
            "INSERT INTO book.stream (topic, part, first_offset, next_offset) VALUES ($1, 0, 0, 0)",
            self._topic,
        )

    async def take(self, values: Sequence[bytes]) -> float:
        """Read and commit `values` as one batch; return the seconds the transaction took."""
        first, self._offset = self._offset, self._offset + len(values)
        records = tuple(
            Record(self._topic, 0, first + n, b"k", value, (), self._arrived(first + n))
            for n, value in enumerate(values)
        )
        batch = Batch(self._topic, 0, first, self._offset, records)
        readings = await read_batch(self._intake, batch)
        began = perf_counter()
        await commit_batch(self.pool, self._intake, batch, readings)
        return perf_counter() - began

    def _arrived(self, offset: int) -> datetime:
        return BEGAN_AT + timedelta(milliseconds=offset)


@asynccontextmanager
async def book(registry: str) -> AsyncIterator[asyncpg.Pool]:
    """Yield a fresh book's pool, as the application's role, with the accounts of `registry`."""
    server = TestPostgres()
    await server.start()
    try:
        await asyncio.to_thread(migrate, server.dsn)
        pool = await open_pool(server.dsn)
        owner = await open_pool(server.dsn, as_app=False)
        await apply_registry(
            owner, _definitions(registry), source="bench", actor="bench", now=BEGAN_AT
        )
        await owner.close()
        yield pool
        await pool.close()
    finally:
        await server.remove()


def _definitions(registry: str) -> tuple[AccountDefinition, ...]:
    with TemporaryDirectory() as name:
        file = Path(name, "accounts.yaml")
        file.write_text(registry)
        return load_accounts(file)
