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
from agents.consume import ConsumeParts, consume
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
        batch = _batch(self._topic, 0, first, values)
        readings = await read_batch(self._intake, batch)
        began = perf_counter()
        await commit_batch(self.pool, self._intake, batch, readings)
        return perf_counter() - began


async def drain(
    pool: asyncpg.Pool, topic: str, partitions: Sequence[Sequence[bytes]], *, batch_records: int
) -> None:
    """Take all of `partitions` into the book as a worker does, round robin, all of them durable."""
    await pool.executemany(
        "INSERT INTO book.stream (topic, part, first_offset, next_offset) VALUES ($1, $2, 0, 0)",
        [(topic, number) for number in range(len(partitions))],
    )
    parts = ConsumeParts(
        pool=pool,
        intake=make_intakes(DirectoryCache())[topic],
        on_committed=lambda _batch, _outcomes: None,
        on_settled=lambda _batch: None,
        retry_seconds=1,
    )
    await consume(parts, _round_robin(topic, partitions, batch_records))


async def _round_robin(
    topic: str, partitions: Sequence[Sequence[bytes]], batch_records: int
) -> AsyncIterator[Batch]:
    for first in range(0, max(map(len, partitions)), batch_records):
        for part, values in enumerate(partitions):
            if taken := values[first : first + batch_records]:
                yield _batch(topic, part, first, taken)


def _batch(topic: str, part: int, first: int, values: Sequence[bytes]) -> Batch:
    arrived = (BEGAN_AT + timedelta(milliseconds=first + n) for n in range(len(values)))
    records = tuple(
        Record(topic, part, first + n, b"k", value, (), at)
        for n, (value, at) in enumerate(zip(values, arrived, strict=True))
    )
    return Batch(topic, part, first, first + len(values), records)


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
