"""What the tests of days share: a book that knows no account, and one of an account."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

# This folder is not a package; its helpers are modules beside the tests.
sys.path.append(str(Path(__file__).parent))

from closing_stories import OPENING, PARTITIONS, REGISTRY, Story

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.streams import open_positions
from recon_streams.kernel.calendars import Calendars


@pytest.fixture
async def unregistered(database: str) -> AsyncIterator[Story]:
    """A book that knows no account yet."""
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    offsets = await open_positions(pool, dict.fromkeys(PARTITIONS.values(), 0))
    yield Story(database, pool, Calendars(), offsets)
    await pool.close()


@pytest.fixture
async def story(unregistered: Story) -> Story:
    """One account that begins on the 16th, a Monday, with 1000 on both sides."""
    await unregistered.registered(REGISTRY + OPENING)
    return unregistered
