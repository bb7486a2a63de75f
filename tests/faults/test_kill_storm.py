"""Whatever is killed, and wherever: nothing is lost, nothing counts twice, the balances are exact."""

import asyncio
import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from agents.logs import Logs, kafka_logs, postgres_logs
from agents.worker import input_topics
from recon_streams.book.audit import audit_inputs
from recon_streams.book.connection import open_pool
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.record import OutgoingRecord
from recon_streams.positions.event import Registered, event_from_bytes
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.positions.state import state_bytes
from recon_streams.positions.step import register, step
from recon_streams.testing.kafka import TestKafka
from recon_streams.testing.storm import Storm, process
from recon_streams.testing.traffic import Plan, Traffic

pytestmark = [pytest.mark.storm, pytest.mark.timeout(900)]

IS_LONG = os.environ.get("RECON_STORM") == "long"
INPUTS = 100_000 if IS_LONG else 20_000
KILLS = 100 if IS_LONG else 24
FEED = 200


@dataclass
class Site:
    """An installation made of processes, and how to reach it."""

    dsn: str
    options: list[str]
    directory: Path
    make_logs: Callable[[asyncpg.Pool], Logs]

    def command(self, *words: str) -> None:
        subprocess.run([sys.executable, "-m", "agents.cli", *words], check=True, timeout=120)


@pytest.fixture(params=[pytest.param("kafka", marks=pytest.mark.kafka), "postgres"])
def site(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Iterator[Site]:
    if request.param == "postgres":
        site = Site(
            database,
            ["--dsn", database],
            tmp_path,
            lambda pool: postgres_logs(pool, group="recon-streams"),
        )
        site.command("migrate", "--dsn", database)
        site.command("topics", "apply", *site.options)
        yield site
        return
    # A broker of its own: the topics have fixed names.
    kafka = TestKafka(tmp_path / "kafka")
    kafka.start()
    options = ["--dsn", database, "--bootstrap", kafka.bootstrap]
    connection = KafkaConnection(bootstrap=kafka.bootstrap)
    site = Site(
        database, options, tmp_path, lambda _pool: kafka_logs(connection, group="recon-streams")
    )
    os.environ["RECON__TOPICS__REPLICATION_FACTOR"] = "1"
    os.environ["RECON__TOPICS__MIN_INSYNC_REPLICAS"] = "1"
    os.environ["RECON__TOPICS__PARTITIONS"] = "4"
    try:
        site.command("migrate", "--dsn", database)
        site.command("topics", "apply", *site.options)
        yield site
    finally:
        for name in ("REPLICATION_FACTOR", "MIN_INSYNC_REPLICAS", "PARTITIONS"):
            del os.environ[f"RECON__TOPICS__{name}"]
        kafka.kill()


async def test_a_kill_storm_loses_nothing_and_doubles_nothing(site: Site) -> None:
    traffic = Traffic(Plan(inputs=INPUTS, accounts=24, seed=7))
    registry = site.directory / "accounts.yaml"
    registry.write_text(traffic.registry())
    site.command("accounts", "apply", str(registry), "--dsn", site.dsn)
    records = [OutgoingRecord(i.topic, i.key, i.value) for i in traffic]
    storm = Storm(
        processes=[
            process("worker", "worker-1", site.options, _member("w1"), site.directory),
            process("worker", "worker-2", site.options, _member("w2"), site.directory),
            process("publisher", "publisher-1", site.options, {}, site.directory),
            process("publisher", "publisher-2", site.options, {}, site.directory),
        ],
        seed=11,
        kills_min=KILLS,
    )
    feeding = threading.Thread(target=lambda: asyncio.run(_feed(site, records)))
    feeding.start()
    try:
        await asyncio.to_thread(
            storm.run, lambda: not feeding.is_alive() and _is_drained(site.dsn), seconds_max=600
        )
    finally:
        await asyncio.to_thread(storm.stop)
        feeding.join()
    felt = sum((p.exits for p in storm.processes), start=type(storm.armed)())
    print(f"kills {storm.kills}, exits {dict(felt)}, armed {dict(storm.armed)}")
    assert storm.kills >= KILLS
    assert felt[-9], "SIGKILL was felt"
    assert felt[137], "fault points were felt"
    assert not felt[74], (site.directory / "worker-1.log").read_text()[-3000:]
    await _compare(site, traffic, len(records))


async def _compare(site: Site, traffic: Traffic, inputs: int) -> None:
    pool = await open_pool(site.dsn)
    logs = site.make_logs(pool)
    await logs.start()
    rows = await pool.fetch(
        "SELECT account_id, bank, ledger FROM positions.account_state "
        "JOIN positions.account USING (number)"
    )
    assert {r["account_id"]: r["bank"] * 100 for r in rows} == dict(traffic.truth.bank_minor)
    assert {r["account_id"]: r["ledger"] * 100 for r in rows} == dict(traffic.truth.ledger_minor)
    counted = await pool.fetch(
        "SELECT disposition, count(*) AS n FROM book.input WHERE sha256 IS NOT NULL GROUP BY 1"
    )
    by_disposition = {row["disposition"]: row["n"] for row in counted}
    assert sum(by_disposition.values()) == inputs
    assert by_disposition["DUPLICATE"] == traffic.truth.duplicates
    assert by_disposition["QUARANTINED"] == traffic.truth.broken
    audits = await audit_inputs(pool, logs.probe, input_topics())
    assert [flaw for audit in audits for flaw in audit.flaws] == []
    assert sum(audit.records for audit in audits) == inputs
    await _replay_equals(pool)
    await _outbox_arrived(pool, logs)
    await logs.stop()
    await pool.close()


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
    assert await pool.fetchval("SELECT count(*) FROM book.outbox WHERE published_at IS NULL") == 0
    rows = await pool.fetch(
        "SELECT key, payload FROM book.outbox WHERE topic = 'recon.positions' ORDER BY outbox_id"
    )
    decided: dict[bytes, list[bytes]] = defaultdict(list)
    for row in rows:
        decided[row["key"]].append(row["payload"])
    read: dict[bytes, list[bytes]] = defaultdict(list)
    partitions = await logs.probe.partitions(["recon.positions"])
    starts, ends = (
        await logs.probe.start_offsets(partitions),
        await logs.probe.end_offsets(partitions),
    )
    for partition in partitions:
        async for record in logs.probe.read(partition, starts[partition], ends[partition]):
            # A publisher that died before it could mark sends again; each repeat follows its first.
            if record.value not in read[record.key or b""]:
                read[record.key or b""].append(record.value or b"")
    assert read == decided


async def _feed(site: Site, records: list[OutgoingRecord]) -> None:
    pool = await open_pool(site.dsn, as_app=False)
    logs = site.make_logs(pool)
    await logs.writer.start()
    for start in range(0, len(records), FEED):
        await logs.writer.append(records[start : start + FEED])
        await asyncio.sleep(0.25)
    await logs.writer.stop()
    await pool.close()


def _is_drained(dsn: str) -> bool:
    async def ask() -> bool:
        connection = await asyncpg.connect(dsn)
        try:
            inputs = await connection.fetchval(
                "SELECT count(*) FROM book.input WHERE sha256 IS NOT NULL"
            )
            waiting = await connection.fetchval(
                "SELECT count(*) FROM book.outbox WHERE published_at IS NULL"
            )
        finally:
            await connection.close()
        return inputs >= INPUTS and waiting == 0

    return asyncio.run(ask())


def _member(name: str) -> dict[str, str]:
    # Static membership: a worker that comes back at once finds its partitions where they were.
    return {"RECON__LOG__GROUP_INSTANCE_ID": name}
