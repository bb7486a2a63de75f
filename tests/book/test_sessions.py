"""A process that was frozen in a transaction does not keep its locks from whoever takes over."""

import asyncio

import asyncpg
import pytest

from recon_streams.book.connection import connect, open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.sessions import end_stuck_sessions

pytestmark = pytest.mark.postgres


async def test_only_a_transaction_that_waits_for_its_client_is_ended(database: str) -> None:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    frozen, resting, working = [await connect(database) for _ in range(3)]
    stranger = await asyncpg.connect(database)
    for holder in (frozen, stranger):
        await holder.execute("BEGIN")
        await holder.execute("SELECT 1")
    await resting.execute("SELECT 1")
    under_way = asyncio.create_task(working.fetchval("SELECT 7 FROM pg_sleep(1.5)"))
    await asyncio.sleep(0.5)
    assert await end_stuck_sessions(pool) == 0, "a pause of half a second is none"
    assert await pool.fetchval("SELECT book.end_stuck_sessions(0)") == 1
    # The server's own word: what the client library raises depends on how far it had read.
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"
    async with asyncio.timeout(10):
        while await pool.fetchval(sessions, frozen.get_server_pid()):
            await asyncio.sleep(0.01)
    frozen.terminate()
    assert await resting.fetchval("SELECT 1") == 1
    assert await stranger.fetchval("SELECT 1") == 1
    assert await under_way == 7
    for each in (resting, working, stranger):
        await each.close()
    await pool.close()
