"""What the tests of matching share: a migrated book, and items in few words."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings

# This folder is not a package; its helpers are modules beside the tests.
sys.path.append(str(Path(__file__).parent))

from matching_books import Books

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate

# The same examples in every run: a red build must be red again when somebody looks.
settings.register_profile("lawful", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("lawful")


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """Return a pool of a migrated book, with the application's rights."""
    await asyncio.to_thread(migrate, database)
    opened = await open_pool(database, size_max=4)
    yield opened
    await opened.close()


@pytest.fixture
async def books(pool: asyncpg.Pool, database: str) -> Books:
    """Return books with one account of euros and nothing in them."""
    made = Books(pool, database)
    await made.open(1)
    return made
