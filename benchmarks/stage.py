"""What a benchmark runs on: a Kafka, a PostgreSQL, and messages of a bank's usual size."""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.kafka_writer import KafkaWriter
from recon_streams.log.record import OutgoingRecord
from recon_streams.testing.kafka import TestKafka
from recon_streams.testing.postgres import TestPostgres
from recon_streams.testing.traffic import Plan, Traffic

ENVIRONMENT = {
    "RECON__TOPICS__REPLICATION_FACTOR": "1",
    "RECON__TOPICS__MIN_INSYNC_REPLICAS": "1",
    "RECON__TOPICS__PARTITIONS": "4",
}


@dataclass
class BenchStage:
    """Servers for one run."""

    kafka: TestKafka
    postgres: TestPostgres
    directory: Path

    def command(self, *words: str) -> None:
        """Run one command of the product."""
        subprocess.run(
            [sys.executable, "-m", "agents.cli", *words],
            check=True,
            env={**os.environ, **ENVIRONMENT},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def fresh_book(self, name: str, registry: Path | None = None) -> str:
        """Return the DSN of a new book, with the accounts of `registry` registered."""

        async def create() -> None:
            connection = await asyncpg.connect(self.postgres.dsn)
            await connection.execute(f"DROP DATABASE IF EXISTS {name}")
            await connection.execute(f"CREATE DATABASE {name}")
            await connection.close()

        asyncio.run(create())
        dsn = self.postgres.dsn_of(name)
        self.command("migrate", "--dsn", dsn)
        if registry is not None:
            self.command("accounts", "apply", str(registry), "--dsn", dsn)
        return dsn


@contextmanager
def stage() -> Iterator[BenchStage]:
    """Start a broker and a database for one run, and remove them."""
    with tempfile.TemporaryDirectory(prefix="recon-bench-") as name:
        directory = Path(name)
        kafka = TestKafka(directory / "kafka")
        postgres = TestPostgres()
        kafka.start()
        asyncio.run(postgres.start())
        try:
            yield BenchStage(kafka, postgres, directory)
        finally:
            kafka.kill()
            asyncio.run(postgres.remove())


def notifications(count: int, accounts: int = 50) -> tuple[Traffic, list[OutgoingRecord]]:
    """Return `count` camt.054 of about 3 kB with one entry each, all different."""
    plan = Plan(
        inputs=count * 2, accounts=accounts, duplicate_share=0, broken_share=0, entries_max=1
    )
    traffic = Traffic(plan)
    # More remittance lines of the length the schema allows: valid, and of no interest to us.
    padding = b"<Ustrd>" + b"x" * 136 + b"</Ustrd>"
    padding = b"</Ustrd>" + padding * 9 + b"</RmtInf>"
    records = []
    for made in traffic:
        if made.topic == "bank.notifications" and len(records) < count:
            value = made.value.replace(b"</Ustrd></RmtInf>", padding)
            records.append(OutgoingRecord(made.topic, made.key, value))
    return traffic, records


def publish(bootstrap: str, records: list[OutgoingRecord]) -> None:
    """Append `records` to Kafka."""

    async def work() -> None:
        writer = KafkaWriter(KafkaConnection(bootstrap=bootstrap))
        await writer.start()
        for start in range(0, len(records), 1000):
            await writer.append(records[start : start + 1000])
        await writer.stop()

    asyncio.run(work())


def quiet() -> str:
    """Return the load of the machine, to stand beside every figure."""
    return f"load average {os.getloadavg()[0]:.2f}"


def median(values: list[float]) -> float:
    """Return the median of `values`."""
    return statistics.median(values)


def seconds_since(start: float) -> float:
    """Return the seconds passed since `start` of `time.perf_counter`."""
    return time.perf_counter() - start
