"""G3 on the embedded log: the same question, asked of `recon-streams up`.

The baseline is append -> NOTIFY -> read of the very same rows, by a second reader of the table.
"""

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import asyncpg
import uvloop

from agents.address import read_address
from agents.logs import postgres_logs
from benchmarks.detection import RATE, TOPIC, Detection, prepared
from recon_streams.book.connection import open_pool
from recon_streams.log.record import OutgoingRecord, TopicPartition

# Senders of the embedded log write in transactions of their own, a few records each.
RECORDS_PER_TICK = max(1, RATE // 100)


def main() -> None:
    traffic, detection = prepared()
    directory = Path(tempfile.mkdtemp(prefix="recon-bench-embedded-"))
    directory.chmod(0o711)
    registry = directory / "accounts.yaml"
    registry.write_text(traffic.registry())
    data = directory / "data"
    command = [sys.executable, "-m", "agents.cli", "up", "--telemetry-port", "0"]
    with (directory / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--data", str(data), "--accounts", str(registry)], stdout=log, stderr=log
        )
    try:
        uvloop.run(_measure(data, detection))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(directory, ignore_errors=True)
    detection.report("embedded", "bare append -> NOTIFY -> read")


async def _measure(data: Path, detection: Detection) -> None:
    while not (data / "address.json").exists():
        await asyncio.sleep(0.1)
    pool = await open_pool(read_address(data).dsn)
    reading = [
        asyncio.create_task(_follow(pool, TOPIC, lambda _, v: detection.heard_message(v))),
        asyncio.create_task(_follow(pool, "recon.breaker", detection.heard_breaker)),
    ]
    await asyncio.sleep(8)  # the worker takes its partitions
    writer = postgres_logs(pool, group="bench").writer
    for start in range(0, len(detection.values), RECORDS_PER_TICK):
        await detection.wait_for(start)
        batch = []
        for number in range(start, min(start + RECORDS_PER_TICK, len(detection.values))):
            key = detection.sending(number, with_number=start)
            batch.append(OutgoingRecord(TOPIC, key, detection.values[number]))
        await writer.append(batch)
    await detection.all_heard()
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    await pool.close()


class _FromTheStart:
    """Reads what it is assigned from the log's start."""

    async def on_assigned(self, _: frozenset[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {}

    async def on_revoked(self, _: frozenset[TopicPartition]) -> None:
        return None


async def _follow(
    pool: asyncpg.Pool, topic: str, take: Callable[[bytes | None, bytes], None]
) -> None:
    reader = postgres_logs(pool, group=f"bench-{topic}").reader()
    await reader.start((topic,), _FromTheStart())

    async def one(partition: TopicPartition) -> None:
        while True:
            batch = await reader.fetch(partition, records_max=500, wait_seconds=0.5)
            for record in batch.records if batch is not None else ():
                take(record.key, record.value or b"")

    try:
        while not reader.assignment:
            await asyncio.sleep(0.05)
        await asyncio.gather(*(one(partition) for partition in reader.assignment))
    finally:
        await reader.stop()


if __name__ == "__main__":
    main()
