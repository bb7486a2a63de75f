"""G1: durable, XSD on, raw bytes kept, against a bare aiokafka + lxml + XSD loop on the same bytes.

Rounds alternate; what both read is compared by sums.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from lxml import etree

from benchmarks.stage import ENVIRONMENT, BenchStage, median, notifications, publish, quiet, stage

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "20000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
TOPIC = "bank.notifications"
_NS = "{urn:iso:std:iso:20022:tech:xsd:camt.054.001.08}"


def main() -> None:
    with stage() as site:
        traffic, records = notifications(MESSAGES)
        registry = site.directory / "accounts.yaml"
        registry.write_text(traffic.registry())
        site.command("topics", "apply", "--bootstrap", site.kafka.bootstrap)
        publish(site.kafka.bootstrap, records)
        print(f"{MESSAGES} messages of {len(records[0].value or b'')} bytes, {quiet()}")
        bare, ours = [], []
        for number in range(ROUNDS):
            rate, total = uvloop.run(bare_loop(site.kafka.bootstrap))
            bare.append(rate)
            book = site.fresh_book(f"bench_{number}", registry)
            our_rate, our_total = drain(site, book, number)
            ours.append(our_rate)
            assert total == our_total, f"the loops disagree: {total} and {our_total}"
            print(f"round {number}: bare {rate:,.0f}/s, durable {our_rate:,.0f}/s")
        print(f"G1  durable / bare = {median(ours) / median(bare):.2f}   (goal >= 0.45), {quiet()}")


async def bare_loop(bootstrap: str) -> tuple[float, Decimal]:
    """Read, parse and validate everything, and add the amounts up."""
    schema_file = Path("recon_streams/iso20022/schemas/camt.054.001.08.xsd")
    schema = etree.XMLSchema(etree.parse(schema_file))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    partitions = [TopicPartition(TOPIC, number) for number in range(4)]
    consumer.assign(partitions)
    count, total, started = 0, Decimal(0), 0.0
    while count < MESSAGES:
        for found in (
            await consumer.getmany(*partitions, timeout_ms=500, max_records=1000)
        ).values():
            started = started or time.perf_counter()
            for record in found:
                root = etree.fromstring(record.value, parser)
                schema.validate(root)
                for entry in root.iter(_NS + "Ntry"):
                    sign = 1 if entry[1].text == "CRDT" else -1
                    total += sign * Decimal(entry[0].text)
                count += 1
    rate = count / (time.perf_counter() - started)
    await consumer.stop()
    return rate, total


def drain(site: BenchStage, dsn: str, number: int) -> tuple[float, Decimal]:
    """Let one worker process take everything into `dsn`; return its rate and the sum it booked."""
    environment = {**os.environ, **ENVIRONMENT, "RECON__LOG__GROUP_ID": f"bench-{number}"}
    command = [sys.executable, "-m", "agents.cli", "worker", "--telemetry-port", "0"]
    with (site.directory / f"worker-{number}.log").open("wb") as log:
        worker = subprocess.Popen(
            [*command, "--dsn", dsn, "--bootstrap", site.kafka.bootstrap],
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            return asyncio.run(_measure(dsn))
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(30)


async def _measure(dsn: str) -> tuple[float, Decimal]:
    connection = await asyncpg.connect(dsn)
    deadline = time.monotonic() + 300
    while (
        await connection.fetchval("SELECT coalesce(sum(next_offset), 0) FROM book.stream")
        < MESSAGES
    ):
        assert time.monotonic() < deadline, "the worker did not drain the topic"
        await asyncio.sleep(0.05)
    row = await connection.fetchrow(
        "SELECT count(*) AS n, min(decided_at) AS first, max(decided_at) AS last FROM book.input"
    )
    # The first batch was under way before its rows were stamped; it is left out on both sides.
    skipped = await connection.fetchval(
        "SELECT count(*) FROM book.input WHERE decided_at < $1::timestamptz + interval '5 ms'",
        row["first"],
    )
    total = await connection.fetchval(
        "SELECT sum((convert_from(event, 'UTF8')::json->>'amount')::numeric) "
        "FROM positions.account_event "
        "WHERE convert_from(event, 'UTF8')::json->>'kind' = 'bank_moved'"
    )
    await connection.close()
    return (row["n"] - skipped) / (row["last"] - row["first"]).total_seconds(), total


if __name__ == "__main__":
    main()
