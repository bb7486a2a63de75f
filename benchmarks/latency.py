"""G3: notification produced -> breaker record readable, at 1,000 a second on Apache Kafka.

The baseline of the same run is produce -> consume of the very same notifications.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.detection import TOPIC, Detection, prepared
from benchmarks.stage import ENVIRONMENT, BenchStage, stage
from recon_streams.log.partitioner import partition_of
from recon_streams.testing.keys import signing_environment

PARTITIONS = 4


def main() -> None:
    with stage() as site:
        traffic, detection = prepared()
        registry = site.directory / "accounts.yaml"
        registry.write_text(traffic.registry())
        site.command("topics", "apply", "--bootstrap", site.kafka.bootstrap)
        dsn = site.fresh_book("latency", registry)
        processes = [_start(site, kind, dsn) for kind in ("worker", "publisher")]
        try:
            uvloop.run(_measure(site.kafka.bootstrap, detection))
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                process.wait(30)
    detection.report("Kafka", "bare produce -> consume")


def _start(site: BenchStage, kind: str, dsn: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "agents.cli", kind, "--telemetry-port", "0"]
    with (site.directory / f"{kind}.log").open("wb") as log:
        return subprocess.Popen(
            [*command, "--dsn", dsn, "--bootstrap", site.kafka.bootstrap],
            env={**os.environ, **ENVIRONMENT, **signing_environment(site.directory)},
            stdout=log,
            stderr=log,
        )


async def _measure(bootstrap: str, detection: Detection) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    reading = [
        asyncio.create_task(
            _follow(bootstrap, TOPIC, PARTITIONS, lambda _, v: detection.heard_message(v))
        ),
        asyncio.create_task(_follow(bootstrap, "recon.breaker", 1, detection.heard_breaker)),
    ]
    await asyncio.sleep(8)  # the worker starts, joins its group and takes its partitions
    for number, value in enumerate(detection.values):
        await detection.wait_for(number)
        key = detection.sending(number)
        partition = partition_of(key, PARTITIONS)
        await producer.send(TOPIC, value=value, key=key, partition=partition)
    await producer.flush()
    await detection.all_heard()
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    await producer.stop()


async def _follow(
    bootstrap: str, topic: str, count: int, take: Callable[[bytes | None, bytes], None]
) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    partitions = [TopicPartition(topic, number) for number in range(count)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    try:
        async for record in consumer:
            take(record.key, record.value)
    finally:
        await consumer.stop()


if __name__ == "__main__":
    main()
