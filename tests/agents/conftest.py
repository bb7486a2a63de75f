"""Installations that bad input is put into: a worker process, a book, and a log of either kind."""

import asyncio
import itertools
import os
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from agents.intakes import input_topics
from agents.logs import Logs, kafka_logs, postgres_logs, topic_plans
from recon_streams.book.audit import Flaw, InputFlaw, audit_inputs
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.partitioner import partition_of
from recon_streams.log.record import Headers, OutgoingRecord, TopicPartition
from recon_streams.positions.registry_store import apply_registry
from recon_streams.registry.file import load_accounts
from recon_streams.testing.kafka import TestKafka
from recon_streams.testing.postgres import TestPostgres
from recon_streams.testing.storm import Process, process
from recon_streams.testing.traffic import Plan, Traffic

PARTITIONS = 2
_NUMBERS = itertools.count(0, 10_000)
# Low enough that a message above it is quick to make.
MESSAGE_BYTES_MAX = 11_000_000
SETTLING_SECONDS = 8
_ENVIRONMENT = {
    "RECON__TOPICS__REPLICATION_FACTOR": "1",
    "RECON__TOPICS__MIN_INSYNC_REPLICAS": "1",
    "RECON__TOPICS__PARTITIONS": str(PARTITIONS),
    "RECON__LIMITS__MESSAGE_BYTES_MAX": str(MESSAGE_BYTES_MAX),
}


@dataclass
class Installation:
    """Processes, a database and a log, without a connection of the test's own."""

    dsn: str
    options: list[str]
    directory: Path
    make_logs: Callable[[asyncpg.Pool], Logs]
    environment: Mapping[str, str]
    traffic: Traffic
    sequence: int = 1_000_000

    def command(
        self, *words: str, code: int = 0, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-m", "agents.cli", *words, *self.options],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **self.environment, **environment},
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done

    async def prepare(self) -> None:
        await asyncio.to_thread(migrate, self.dsn)
        registry = self.directory / "accounts.yaml"
        registry.write_text(self.traffic.registry())
        owner = await open_pool(self.dsn, as_app=False)
        now = datetime.now(UTC)
        await apply_registry(owner, load_accounts(registry), source="test", actor="t", now=now)
        await self.make_logs(owner).admin.apply(topic_plans(partitions=PARTITIONS))
        await owner.close()

    def worker(self) -> Process:
        return process("worker", "worker", self.options, self.environment, self.directory)


@dataclass
class Stack:
    """An installation with a connection to its book and one to its log."""

    installation: Installation
    pool: asyncpg.Pool
    owner: asyncpg.Pool
    logs: Logs

    @property
    def bootstrap(self) -> str:
        """Return where the broker is."""
        return self.installation.options[-1]

    async def append(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()
    ) -> tuple[TopicPartition, int]:
        (place,) = await self.logs.writer.append([OutgoingRecord(topic, key, value, headers)])
        return TopicPartition(topic, place.partition), place.offset

    async def append_good(self, partition: TopicPartition) -> int:
        """Append a record to `partition` that nothing is wrong with; return its offset."""
        key, value = self.good(partition)
        found, offset = await self.append(partition.topic, key, value)
        assert found == partition
        return offset

    def good(self, partition: TopicPartition) -> tuple[bytes, bytes]:
        """Return key and value of a record of `partition` that moves its account."""
        wanted = partition.topic if partition.topic.startswith("ledger.") else "bank.notifications"
        if wanted == "ledger.balances":
            return self._balance(partition.partition)
        for made in iter(self.installation.traffic):
            if made.topic == wanted and partition_of(made.key, PARTITIONS) == partition.partition:
                return made.key, made.value
        raise AssertionError("the traffic has no end")

    def account(self, partition: int = 0) -> str:
        """Return an account whose key goes to `partition`."""
        return next(
            each
            for each in self.installation.traffic.accounts()
            if partition_of(each.encode(), PARTITIONS) == partition
        )

    async def decided(self, partition: TopicPartition, offset: int, seconds: float = 8) -> Any:
        """Return the book's row of an input as soon as there is one."""
        async with asyncio.timeout(seconds):
            while not (rows := await self.rows(partition, offset)):
                await asyncio.sleep(0.02)
        assert len(rows) == 1
        return rows[0]

    async def rows(self, partition: TopicPartition, offset: int) -> Sequence[Any]:
        return await self.pool.fetch(
            "SELECT i.*, ARRAY(SELECT (q.code, q.field) FROM book.quarantine q "
            "WHERE q.stream = i.stream AND q.off = i.off ORDER BY quarantine_id) AS held "
            "FROM book.input i JOIN book.stream s USING (stream) WHERE s.topic = $1 "
            "AND s.part = $2 AND i.off <= $3 AND i.off + i.span > $3",
            *partition,
            offset,
        )

    async def reaches(self, partition: TopicPartition, end: int, seconds: float = 8) -> None:
        """Wait until the log of `partition` ends at `end`."""
        async with asyncio.timeout(seconds):
            while (await self.logs.probe.end_offsets([partition]))[partition] < end:
                await asyncio.sleep(0.05)

    async def flaws(self) -> list[InputFlaw]:
        """Return what the audit of all inputs finds wrong, once the book had its time.

        The installation is shared: an earlier test may have left a record that is still to be
        decided. Such a record is a flaw only if it stays so.
        """
        patience = time.monotonic() + SETTLING_SECONDS
        while True:
            audits = await audit_inputs(self.pool, self.logs.probe, input_topics())
            found = [flaw for audit in audits for flaw in audit.flaws]
            if all(each.flaw is not Flaw.WAITING for each in found) or time.monotonic() > patience:
                return found
            await asyncio.sleep(0.05)

    def _balance(self, partition: int) -> tuple[bytes, bytes]:
        self.installation.sequence += 1
        sequence = self.installation.sequence
        account = self.account(partition)
        text = (
            f'{{"balance_id": "b-{sequence}", "account_id": "{account}", "currency": "AED", '
            f'"amount": "7.00", "as_of": "{datetime.now(UTC).isoformat()}", '
            f'"ledger_sequence": {sequence}}}'
        )
        return account.encode(), text.encode()


@pytest.fixture(scope="session")
def hostile_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestKafka]:
    """A broker of our own, because input topics have fixed names and some are torn apart."""
    kafka = TestKafka(tmp_path_factory.mktemp("hostile-kafka"))
    kafka.start()
    yield kafka
    kafka.kill()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("kafka", marks=[pytest.mark.kafka, pytest.mark.postgres]),
        pytest.param("postgres", marks=pytest.mark.postgres),
    ],
)
def running(
    request: pytest.FixtureRequest,
    postgres: TestPostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """An installation whose worker runs and meets all the tests of a file, one after the other."""
    kafka: TestKafka | None = None
    if request.param == "kafka":
        kafka = request.getfixturevalue("hostile_kafka")
    dsn = asyncio.run(_new_database(postgres))
    installation = _installation(dsn, tmp_path_factory.mktemp("running"), kafka)
    asyncio.run(installation.prepare())
    worker = installation.worker()
    worker.start(None)
    yield installation
    worker.signal(15)
    assert worker.running is not None
    said = worker.log.read_text()
    assert worker.running.wait(30) == 0, said[-3000:]
    assert "Traceback" not in said


@pytest.fixture
async def stack(running: Installation) -> AsyncIterator[Stack]:
    """The running installation, and connections of this test's own."""
    opened = await _open(running)
    yield opened
    await _close(opened)


@pytest.fixture
async def fresh_stack(database: str, tmp_path: Path) -> AsyncIterator[Stack]:
    """An installation on the Postgres log, for one test alone; its worker is not started."""
    installation = _installation(database, tmp_path, None)
    await installation.prepare()
    opened = await _open(installation)
    yield opened
    await _close(opened)


@pytest.fixture
async def database_beside(postgres: TestPostgres) -> str:
    """The DSN of an empty database beside the one that `database` gives."""
    return await _new_database(postgres)


@pytest.fixture
async def fresh_kafka_stack(
    database: str, tmp_path: Path, hostile_kafka: TestKafka
) -> AsyncIterator[Stack]:
    """A book for one test alone beside the broker that all share; its worker is not started."""
    installation = _installation(database, tmp_path, hostile_kafka)
    await installation.prepare()
    opened = await _open(installation)
    yield opened
    await _close(opened)


def _installation(dsn: str, directory: Path, kafka: TestKafka | None) -> Installation:
    day = datetime.now(UTC) - timedelta(hours=1)
    traffic = Traffic(
        Plan(
            inputs=10**9,
            accounts=4,
            seed=secrets.randbits(32),
            duplicate_share=0,
            broken_share=0,
            day=day,
        )
    )
    # Books that read the same Kafka one after the other must not take new records for known ones.
    traffic._number = next(_NUMBERS)
    for account in traffic.accounts():
        traffic._sequences[account] = traffic._number
    group = f"recon-{secrets.token_hex(4)}"
    environment = {**_ENVIRONMENT, "RECON__LOG__GROUP_ID": group}
    if kafka is None:
        options = ["--dsn", dsn]
        return Installation(
            dsn,
            options,
            directory,
            lambda pool: postgres_logs(pool, group=group),
            environment,
            traffic,
        )
    connection = KafkaConnection(bootstrap=kafka.bootstrap)
    return Installation(
        dsn,
        ["--dsn", dsn, "--bootstrap", kafka.bootstrap],
        directory,
        lambda _pool: kafka_logs(connection, group=group),
        environment,
        traffic,
    )


async def _open(installation: Installation) -> Stack:
    pool = await open_pool(installation.dsn)
    owner = await open_pool(installation.dsn, as_app=False)
    logs = installation.make_logs(owner)
    await logs.start()
    return Stack(installation, pool, owner, logs)


async def _close(opened: Stack) -> None:
    await opened.logs.stop()
    await opened.pool.close()
    await opened.owner.close()


async def _new_database(postgres: TestPostgres) -> str:
    name = f"t_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return postgres.dsn_of(name)
