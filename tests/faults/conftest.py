"""An installation made of processes, fed with known traffic, and what must be true of it after."""

import asyncio
import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from agents.intakes import input_topics
from agents.logs import Logs, kafka_logs, postgres_logs
from recon_streams.book.audit import audit_inputs
from recon_streams.book.connection import open_pool
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.record import OutgoingRecord
from recon_streams.positions.event import Registered, event_from_bytes
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.positions.state import state_bytes
from recon_streams.positions.step import register, step
from recon_streams.testing.kafka import TestKafka
from recon_streams.testing.storm import Process, process
from recon_streams.testing.traffic import Plan, Traffic

FEED_RECORDS = 200
# What was fed, without what recon-streams tells itself.
_FED = (
    "FROM book.input JOIN book.stream USING (stream) "
    "WHERE topic <> 'recon.ticks' AND sha256 IS NOT NULL"
)
FEED_SECONDS = 0.25


@dataclass
class Site:
    """An installation made of processes, and how to reach it."""

    dsn: str
    options: list[str]
    directory: Path
    make_logs: Callable[[asyncpg.Pool], Logs]
    environment: Mapping[str, str] = field(default_factory=dict)
    kafka: TestKafka | None = None

    def command(self, *words: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "agents.cli", *words],
            check=True,
            timeout=120,
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def worker(self, number: int) -> Process:
        # Static membership: a worker that comes back at once finds its partitions where they were.
        member = {"RECON__LOG__GROUP_INSTANCE_ID": f"worker-{number}"}
        return process("worker", f"worker-{number}", self.options, member, self.directory)

    def publisher(self, number: int) -> Process:
        return process("publisher", f"publisher-{number}", self.options, {}, self.directory)

    def register(self, traffic: Traffic) -> None:
        registry = self.directory / "accounts.yaml"
        registry.write_text(traffic.registry())
        self.command("accounts", "apply", str(registry), "--dsn", self.dsn)

    def feed(self, traffic: Traffic) -> threading.Thread:
        """Publish all of `traffic` at an even pace, in a thread of its own."""
        records = [OutgoingRecord(i.topic, i.key, i.value) for i in traffic]
        feeding = threading.Thread(target=lambda: asyncio.run(self._feed(records)))
        feeding.start()
        return feeding

    def is_drained(self, inputs: int) -> bool:
        """Return whether all inputs are decided and all that came of them is published."""

        async def ask() -> bool:
            connection = await asyncpg.connect(self.dsn)
            try:
                return bool(
                    await connection.fetchval(
                        f"SELECT (SELECT count(*) {_FED}) >= $1 "
                        "AND NOT EXISTS (SELECT FROM book.outbox WHERE published_at IS NULL)",
                        inputs,
                    )
                )
            finally:
                await connection.close()

        return asyncio.run(ask())

    async def compare(self, traffic: Traffic) -> None:
        """Hold the book, the log and the outbox against the truth about `traffic`."""
        truth = traffic.truth
        pool = await open_pool(self.dsn)
        logs = self.make_logs(pool)
        await logs.start()
        rows = await pool.fetch(
            "SELECT account_id, bank, ledger FROM positions.account_state "
            "JOIN positions.account USING (number)"
        )
        assert {r["account_id"]: r["bank"] * 100 for r in rows} == dict(truth.bank_minor)
        assert {r["account_id"]: r["ledger"] * 100 for r in rows} == dict(truth.ledger_minor)
        counted = await pool.fetch(f"SELECT disposition, count(*) AS n {_FED} GROUP BY 1")
        by_disposition = {row["disposition"]: row["n"] for row in counted}
        assert sum(by_disposition.values()) == truth.inputs
        if traffic.plan.statement_share:
            # A notification that a statement overtook repeats what is known.
            assert by_disposition["DUPLICATE"] >= truth.duplicates
        else:
            assert by_disposition.get("DUPLICATE", 0) == truth.duplicates
        assert by_disposition.get("QUARANTINED", 0) == truth.broken
        audits = await audit_inputs(pool, logs.probe, input_topics())
        assert [flaw for audit in audits for flaw in audit.flaws] == []
        ticks = await pool.fetchval(
            "SELECT count(*) FROM book.input JOIN book.stream USING (stream) "
            "WHERE topic = 'recon.ticks' AND sha256 IS NOT NULL"
        )
        assert sum(audit.records for audit in audits) == truth.inputs + ticks
        await _replay_equals(pool)
        await _outbox_arrived(pool, logs)
        await logs.stop()
        await pool.close()

    async def _feed(self, records: list[OutgoingRecord]) -> None:
        pool = await open_pool(self.dsn, as_app=False)
        logs = self.make_logs(pool)
        await logs.writer.start()
        for start in range(0, len(records), FEED_RECORDS):
            await logs.writer.append(records[start : start + FEED_RECORDS])
            await asyncio.sleep(FEED_SECONDS)
        await logs.writer.stop()
        await pool.close()


_SMALL_TOPICS = {
    "RECON__TOPICS__REPLICATION_FACTOR": "1",
    "RECON__TOPICS__MIN_INSYNC_REPLICAS": "1",
    "RECON__TOPICS__PARTITIONS": "4",
}


@pytest.fixture
def kafka_site(database: str, tmp_path: Path) -> Iterator[Site]:
    """An installation on a Kafka of its own, because its topics have fixed names."""
    kafka = TestKafka(tmp_path / "kafka")
    kafka.start()
    connection = KafkaConnection(bootstrap=kafka.bootstrap)
    site = Site(
        database,
        ["--dsn", database, "--bootstrap", kafka.bootstrap],
        tmp_path,
        lambda _pool: kafka_logs(connection, group="recon-streams"),
        _SMALL_TOPICS,
        kafka,
    )
    try:
        _prepare(site)
        yield site
    finally:
        kafka.kill()


@pytest.fixture
def postgres_site(database: str, tmp_path: Path) -> Site:
    """An installation whose log is in PostgreSQL."""
    site = Site(
        database,
        ["--dsn", database],
        tmp_path,
        lambda pool: postgres_logs(pool, group="recon-streams"),
        {"RECON__TOPICS__PARTITIONS": "4"},
    )
    _prepare(site)
    return site


@pytest.fixture(params=[pytest.param("kafka_site", marks=pytest.mark.kafka), "postgres_site"])
def site(request: pytest.FixtureRequest) -> Site:
    found: Site = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def make_traffic() -> Callable[..., Traffic]:
    return lambda **plan: Traffic(Plan(**plan))


def _prepare(site: Site) -> None:
    site.command("migrate", "--dsn", site.dsn)
    site.command("topics", "apply", *site.options)


async def _replay_equals(pool: asyncpg.Pool) -> None:
    """The log of each account has no gaps, and folding it again gives the same bytes."""
    directory = await DirectoryCache().current(pool)
    for row in await pool.fetch("SELECT number, version, state FROM positions.account_state"):
        account = directory.by_number(row["number"])
        events = await pool.fetch(
            "SELECT sequence, event FROM positions.account_event WHERE number = $1 "
            "ORDER BY sequence",
            row["number"],
        )
        assert [e["sequence"] for e in events] == list(range(1, row["version"] + 1))
        first = event_from_bytes(events[0]["event"])
        assert isinstance(first, Registered)
        state = register(account.account_id, account.currency, first, account.rules).state
        for event in events[1:]:
            state = step(state, event_from_bytes(event["event"]), account.rules).state
        assert state_bytes(state) == row["state"]


async def _outbox_arrived(pool: asyncpg.Pool, logs: Logs) -> None:
    """Every message left; per key, the order on the log is the order they were decided in."""
    # What fell due, or was told of the lease, while all was being ended waits for a publisher.
    waiting = await pool.fetch("SELECT topic FROM book.outbox WHERE published_at IS NULL")
    assert {row["topic"] for row in waiting} <= {"recon.alerts", "recon.ticks"}
    for topic in ("recon.alerts", "recon.breaker.events"):
        assert await _read(logs, topic) == await _decided(pool, topic), topic
    # Older positions of an account may have been compacted away; the newest is there.
    decided, read = await _decided(pool, "recon.positions"), await _read(logs, "recon.positions")
    assert decided.keys() == read.keys()
    for key, values in read.items():
        assert values[-1] == decided[key][-1]
        remaining = iter(decided[key])
        assert all(value in remaining for value in values), "in the order they were decided in"


async def _decided(pool: asyncpg.Pool, topic: str) -> dict[bytes, list[bytes]]:
    decided: dict[bytes, list[bytes]] = defaultdict(list)
    for row in await pool.fetch(
        "SELECT key, payload FROM book.outbox WHERE topic = $1 AND published_at IS NOT NULL "
        "ORDER BY outbox_id",
        topic,
    ):
        decided[row["key"]].append(row["payload"])
    assert decided
    return decided


async def _read(logs: Logs, topic: str) -> dict[bytes, list[bytes]]:
    read: dict[bytes, list[bytes]] = defaultdict(list)
    partitions = await logs.probe.partitions([topic])
    starts = await logs.probe.start_offsets(partitions)
    ends = await logs.probe.end_offsets(partitions)
    for partition in partitions:
        async for record in logs.probe.read(partition, starts[partition], ends[partition]):
            # A publisher that died before it could mark sends again; each repeat follows its first.
            if record.value not in read[record.key or b""]:
                read[record.key or b""].append(record.value or b"")
    return read
