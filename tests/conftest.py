"""The servers that tests meet: a real Apache Kafka and a real PostgreSQL, started once per run."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from recon_streams.testing.kafka import TestKafka
from recon_streams.testing.kafka_jars import kafka_availability

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


class ExternalKafka:
    """A Kafka that somebody else runs: it has an address and is not ours to stop."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap


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


class TestPostgres:
    """A PostgreSQL on a socket in a directory of its own, which nobody else may enter."""

    __test__ = False

    def __init__(self) -> None:
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_major)
        if not installed:
            pytest.fail("no PostgreSQL installed under /usr/lib/postgresql")
        self._programs = installed[-1].parent
        # Not below pytest's directory: a socket's path has room for a hundred characters.
        self._home = Path(tempfile.mkdtemp(prefix="recon-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user: str | None = None
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._as_user = next(u.pw_name for u in pwd.getpwall() if u.pw_name in _USERS)
            shutil.chown(self._home, self._as_user)
        self._run("initdb", "-A", "trust", "-U", "recon", "-E", "UTF8", "--locale=C.UTF-8", "-k")
        self.dsn = self.dsn_of("postgres")

    def dsn_of(self, database: str) -> str:
        return f"postgresql://recon@/{database}?host={self._home}"

    def start(self) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._home),
            "max_connections": "100",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        with (self._home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._home / "data", *options],
                user=self._as_user,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        deadline = time.monotonic() + 30
        while subprocess.run(
            [self._programs / "pg_isready", "-q", "-h", self._home], check=False
        ).returncode:
            assert time.monotonic() < deadline, (self._home / "server.log").read_text()[-500:]
            time.sleep(0.05)

    def stop(self) -> None:
        assert self._process is not None
        # A fast shutdown: clients are put out, what was committed is safe.
        self._process.send_signal(2)
        self._process.wait(30)

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._home)

    def _run(self, program: str, *options: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self._home / "data", *options],
            user=self._as_user,
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )


_USERS = ("postgres", "nobody")


def _major(program: Path) -> int:
    return int(program.parent.parent.name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[TestPostgres]:
    """One PostgreSQL for the whole run."""
    server = TestPostgres()
    server.start()
    yield server
    server.remove()


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
