"""G3: notification produced -> breaker record readable, at 1,000 a second on Apache Kafka.

The baseline of the same run is produce -> consume of the very same notifications. Every tenth one
is the first of its account and a debit nobody announced, so it opens the breaker; once each.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.stage import ENVIRONMENT, BenchStage, notifications, quiet, stage
from recon_streams.log.partitioner import partition_of

RATE = int(os.environ.get("BENCH_RATE", "1000"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "12"))
WARM_UP_SECONDS = 2
TOPIC = "bank.notifications"


def main() -> None:
    count = RATE * SECONDS
    with stage() as site:
        traffic, records = notifications(count, accounts=count // 10)
        values = [_shaped(number, r.value or b"") for number, r in enumerate(records)]
        registry = site.directory / "accounts.yaml"
        registry.write_text(traffic.registry())
        site.command("topics", "apply", "--bootstrap", site.kafka.bootstrap)
        dsn = site.fresh_book("latency", registry)
        processes = [_start(site, kind, dsn) for kind in ("worker", "publisher")]
        try:
            bare, tripped = uvloop.run(_measure(site.kafka.bootstrap, values))
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                process.wait(30)
    print(f"{RATE}/s for {SECONDS} s, {len(tripped)} trips, {quiet()}")
    print(f"bare produce -> consume          {_line(bare)}")
    print(f"produced -> breaker readable     {_line(tripped)}")
    ratio = _percentile(tripped, 0.99) / _percentile(bare, 0.99)
    print(f"G3  p99 ratio = {ratio:.1f}   (goal <= 4)")


def _shaped(number: int, value: bytes) -> bytes:
    """Give each notification its own account in turn; every tenth one is an unannounced debit."""
    account = f"BANK-{(number // 10):05}".encode()
    start = value.index(b"<Othr><Id>") + 10
    value = value[:start] + account + value[value.index(b"</Id>", start) :]
    if number % 10 == 0:
        return value.replace(b">CRDT<", b">DBIT<")
    return value.replace(b">DBIT<", b">CRDT<")


def _start(site: BenchStage, kind: str, dsn: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "agents.cli", kind, "--telemetry-port", "0"]
    with (site.directory / f"{kind}.log").open("wb") as log:
        return subprocess.Popen(
            [*command, "--dsn", dsn, "--bootstrap", site.kafka.bootstrap],
            env={**os.environ, **ENVIRONMENT},
            stdout=log,
            stderr=log,
        )


async def _measure(bootstrap: str, values: list[bytes]) -> tuple[list[float], list[float]]:
    sent: dict[bytes, float] = {}
    tripping: dict[str, float] = {}
    bare: list[float] = []
    tripped: list[float] = []
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    reading = [
        asyncio.create_task(_read_bare(bootstrap, sent, bare)),
        asyncio.create_task(_read_trips(bootstrap, tripping, tripped)),
    ]
    await asyncio.sleep(5)  # the worker joins its group and takes its partitions
    began = time.perf_counter()
    for number, value in enumerate(values):
        due = began + number / RATE
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        account = f"STORM-{(number // 10):05}"
        marker = value[value.index(b"<MsgId>") : value.index(b"</MsgId>")]
        # Time counts from when it was due, so a slow producer cannot hide a slow system.
        sent[marker] = due
        if number % 10 == 0 and due > began + WARM_UP_SECONDS:
            tripping[f"account:{account}:AED"] = due
        partition = partition_of(account.encode(), 4)
        await producer.send(TOPIC, value=value, key=account.encode(), partition=partition)
    await producer.flush()
    deadline = time.perf_counter() + 60
    while len(tripped) < len(tripping) and time.perf_counter() < deadline:
        await asyncio.sleep(0.1)
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    await producer.stop()
    assert len(tripped) == len(tripping), f"{len(tripped)} of {len(tripping)} trips were heard"
    return bare[RATE * WARM_UP_SECONDS :], tripped


async def _read_bare(bootstrap: str, sent: dict[bytes, float], bare: list[float]) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    partitions = [TopicPartition(TOPIC, number) for number in range(4)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    try:
        async for record in consumer:
            value = record.value
            marker = value[value.index(b"<MsgId>") : value.index(b"</MsgId>")]
            bare.append(time.perf_counter() - sent[marker])
    finally:
        await consumer.stop()


async def _read_trips(bootstrap: str, tripping: dict[str, float], tripped: list[float]) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    partition = TopicPartition("recon.breaker", 0)
    consumer.assign([partition])
    await consumer.seek_to_beginning(partition)
    try:
        async for record in consumer:
            now = time.perf_counter()
            if record.key == b"_lease":
                continue
            state = msgspec.json.decode(record.value)
            if state["state"] == "OPEN" and state["scope"] in tripping:
                tripped.append(now - tripping[state["scope"]])
    finally:
        await consumer.stop()


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _line(values: list[float]) -> str:
    p50, p99 = _percentile(values, 0.5) * 1000, _percentile(values, 0.99) * 1000
    return f"p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   max {max(values) * 1000:6.1f} ms"


if __name__ == "__main__":
    main()
