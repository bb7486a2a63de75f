"""A worker that falls silent loses its partitions to another, and learns of it when it wakes."""

import asyncio
import signal
import sys
from pathlib import Path

from recon_streams.testing.logs import KafkaLog, Log, PostgresLog, until

ROOT = Path(__file__).parents[2]


def address_of(log: Log) -> str:
    if isinstance(log, KafkaLog):
        return log.connection.bootstrap
    assert isinstance(log, PostgresLog)
    return log.address


async def said(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    return line.decode().strip()


async def test_a_stopped_process_loses_its_partitions_and_learns_of_it(log: Log) -> None:
    topic = await log.topic(partitions=2)
    everything = await log.probe.partitions([topic])
    group = "silent-" + topic
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "recon_streams.testing.log_member", log.name, address_of(log), topic, group),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        assert await said(process) == "assigned 0 1"
        process.send_signal(signal.SIGSTOP)
        heir = await log.reader(topic, group=group)
        await until(lambda: heir.assignment == everything)
        process.send_signal(signal.SIGCONT)
        assert await said(process) == "revoked 0 1"
    finally:
        process.kill()
        await process.wait()


async def test_a_killed_process_leaves_its_partitions_to_the_next(log: Log) -> None:
    topic = await log.topic(partitions=2)
    everything = await log.probe.partitions([topic])
    group = "killed-" + topic
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "recon_streams.testing.log_member", log.name, address_of(log), topic, group),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert await said(process) == "assigned 0 1"
    process.kill()
    await process.wait()
    heir = await log.reader(topic, group=group)
    await until(lambda: heir.assignment == everything)
