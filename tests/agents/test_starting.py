"""Taking over partitions: what goes wrong beside the reading is heard."""

import asyncio

import asyncpg
import pytest

from agents import rolling_positions
from agents.intakes import make_intakes
from agents.logs import topic_plans
from agents.parts import WorkerParts
from agents.starting import Starting
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.log.postgres_admin import PostgresAdmin
from recon_streams.log.postgres_probe import PostgresProbe
from recon_streams.log.postgres_reader import PostgresGroupPlan, PostgresReader
from recon_streams.log.record import TopicPartition
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.runtime.faust_app import make_app

pytestmark = pytest.mark.postgres

NEWS = frozenset({TopicPartition(rolling_positions.TOPIC, 0)})


async def test_a_table_that_cannot_be_filled_is_heard(database: str) -> None:
    async def leave(_: BaseException) -> None:
        raise AssertionError

    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database, as_app=False)
    await PostgresAdmin(pool).apply(topic_plans(partitions=1))
    await pool.execute("DROP SCHEMA positions CASCADE")
    probe = PostgresProbe(pool)
    directories = DirectoryCache()
    parts = WorkerParts(
        pool=pool,
        reader=PostgresReader(pool, PostgresGroupPlan(group="recon"), probe),
        probe=probe,
        intakes=make_intakes(directories),
        directories=directories,
    )
    table = rolling_positions.make_table(make_app("test", leave))
    starting = Starting(parts, table)
    assert await starting.positions_of(NEWS, frozenset()) == dict.fromkeys(NEWS, 0)
    with pytest.raises(asyncpg.UndefinedTableError):
        await asyncio.wait_for(starting.watch(), 10)
    await pool.close()
