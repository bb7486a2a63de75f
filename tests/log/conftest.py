"""The two logs behind one face, so that every promise is put to both."""

from collections.abc import AsyncIterator
from importlib.resources import files

import asyncpg
import pytest

from recon_streams.testing.kafka import ExternalKafka, TestKafka
from recon_streams.testing.logs import KafkaLog, Log, PostgresLog
from recon_streams.testing.postgres import TestPostgres


@pytest.fixture
async def kafka_log(kafka: TestKafka | ExternalKafka) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(kafka.bootstrap, kafka if isinstance(kafka, TestKafka) else None)
    await log.open()
    yield log
    await log.close()


@pytest.fixture
async def postgres_log(postgres: TestPostgres, database: str) -> AsyncIterator[PostgresLog]:
    async with asyncpg.create_pool(database, min_size=1, max_size=8) as pool:
        schema = files("recon_streams.log").joinpath("postgres_schema.sql").read_text("utf-8")
        await pool.execute(schema)
        log = PostgresLog(pool, database, postgres)
        await log.open()
        yield log
        await log.close()


@pytest.fixture(
    params=[
        pytest.param("kafka", marks=pytest.mark.kafka),
        pytest.param("postgres", marks=pytest.mark.postgres),
    ]
)
def log(request: pytest.FixtureRequest) -> Log:
    found: Log = request.getfixturevalue(f"{request.param}_log")
    return found
