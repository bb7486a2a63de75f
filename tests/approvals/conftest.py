"""What the tests of approvals share: people with keys, and a desk over a real book."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

# This folder is not a package; its helpers are modules beside the tests.
sys.path.append(str(Path(__file__).parent))

from approval_people import Office

from recon_streams.book.connection import connect, open_pool
from recon_streams.book.migrate import migrate


@pytest.fixture
async def office(database: str) -> AsyncIterator[Office]:
    """A book, the operators of an installation, and a notebook that takes two people to change."""
    await asyncio.to_thread(migrate, database)
    owner = await connect(database)
    await owner.execute(
        "CREATE TABLE notebook (page text PRIMARY KEY, facts text NOT NULL, done integer NOT NULL);"
        "GRANT ALL ON notebook TO recon_app"
    )
    pool = await open_pool(database)
    yield Office(pool, owner)
    await pool.close()
    await owner.close()
