"""The servers that tests meet: a real Apache Kafka and a real PostgreSQL, started once per run."""

import asyncio
import itertools
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from recon_streams.testing.kafka import ExternalKafka, TestKafka
from recon_streams.testing.kafka_jars import kafka_availability
from recon_streams.testing.postgres import TestPostgres

KAFKA_ADDRESS = "RECON_TEST_KAFKA"

_kafka_is_missing = pytest.StashKey[tuple[str, int]]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out what needs Kafka where none can be had; the end of the run says so."""
    concerned = [item for item in items if item.get_closest_marker("kafka")]
    if not concerned or os.environ.get(KAFKA_ADDRESS):
        return
    reason = kafka_availability()
    if reason is not None:
        config.stash[_kafka_is_missing] = reason, len(concerned)
        config.hook.pytest_deselected(items=concerned)
        items[:] = [item for item in items if item not in concerned]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if missing := config.stash.get(_kafka_is_missing, None):
        reason, count = missing
        terminalreporter.write_line(
            f"NO KAFKA: {count} tests did not run: {reason}", red=True, bold=True
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    # On a developer's machine a missing Java is a nuisance; in CI it would hide what it is for.
    if session.config.stash.get(_kafka_is_missing, None) and os.environ.get("CI") == "true":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestKafka | ExternalKafka]:
    """One broker for the whole run, or the one that RECON_TEST_KAFKA names."""
    if address := os.environ.get(KAFKA_ADDRESS):
        yield ExternalKafka(address)
        return
    server = TestKafka(tmp_path_factory.mktemp("kafka"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def postgres() -> Iterator[TestPostgres]:
    """One PostgreSQL for the whole run."""
    server = TestPostgres()
    asyncio.run(server.start())
    yield server
    asyncio.run(server.remove())


@pytest.fixture
async def database(postgres: TestPostgres) -> AsyncIterator[str]:
    """The DSN of a fresh and empty database, dropped afterwards with whoever is still in it."""
    name = f"t_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(postgres.dsn)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield postgres.dsn_of(name)
        if connection.is_closed():  # the test has restarted the server
            connection = await asyncpg.connect(postgres.dsn)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def make_directory() -> Iterator[Callable[[], Path]]:
    """Makes directories that any user can pass through, and with names short enough for a socket.

    Through what pytest makes, the user that runs an embedded PostgreSQL cannot pass.
    """
    with tempfile.TemporaryDirectory(prefix="recon-", ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o711)
        numbers = itertools.count(1)

        def make() -> Path:
            made = Path(place, str(next(numbers)))
            made.mkdir(mode=0o711)
            return made

        yield make
