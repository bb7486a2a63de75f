"""What the tests of the breaker's desk share: a book, its people, and the desks."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

# This folder is not a package; its helpers are modules beside the tests.
sys.path.append(str(Path(__file__).parent))

from desk_books import Book

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.positions.invariants import InvariantChecks


@pytest.fixture
async def book(database: str) -> AsyncIterator[Book]:
    """Return a book with two accounts; at the end it must be in agreement with itself."""
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    made = Book(pool)
    await made.begin()
    yield made
    broken = await InvariantChecks(pool).violations()
    assert {name: count for name, count in broken.items() if count} == {}
    await pool.close()
