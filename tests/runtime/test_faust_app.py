"""What the house needs of Faust, so that an upgrade that changes it fails here, not with money."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from faust.app.base import App, BootStrategy

from recon_streams.log.record import Batch, TopicPartition
from recon_streams.runtime.batch_topic import BatchTopic, batches_of
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.runtime.faust_app import make_app, start_app, stop_app

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def batch(number: int) -> Batch:
    return Batch("topic", 0, number, number + 1, ())


async def nobody_listens(error: BaseException) -> None:
    raise AssertionError(error)


def test_faust_still_has_the_parts_that_are_touched() -> None:
    assert BootStrategy.enable_kafka is True
    assert hasattr(BootStrategy, "enable_web")
    assert hasattr(App, "_on_agent_error")
    assert hasattr(App, "_create_directories")
    assert App.BootStrategy is BootStrategy


async def test_an_agent_gets_every_batch_in_order() -> None:
    app = make_app("test", nobody_listens)
    topic = BatchTopic(app, "topic")
    seen: list[int] = []

    async def agent(stream: Any) -> None:
        batches: AsyncIterable[Batch] = batches_of(stream)
        async for each in batches:
            seen.append(each.first_offset)
            topic.settle(each)

    app.agent(topic.channel, name="tests.agent")(agent)
    await start_app(app)
    for number in range(2_000):
        await topic.offer(batch(number))
    assert await topic.drained(frozenset({TopicPartition("topic", 0)}), 5)
    await stop_app(app)
    assert seen == list(range(2_000))


def test_nothing_is_left_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def start_and_stop() -> None:
        app = make_app("test", nobody_listens)
        await start_app(app)
        await stop_app(app)

    asyncio.run(start_and_stop())
    assert list(tmp_path.iterdir()) == []


async def test_a_slow_agent_holds_the_source_back() -> None:
    app = make_app("test", nobody_listens)
    topic = BatchTopic(app, "topic")
    gate = asyncio.Event()

    async def agent(stream: Any) -> None:
        async for each in batches_of(stream):
            await gate.wait()
            topic.settle(each)

    app.agent(topic.channel, name="tests.slow")(agent)
    await start_app(app)
    offering = asyncio.create_task(_offer(topic, 50))
    await asyncio.sleep(0.2)
    assert not offering.done()
    assert topic.in_flight(TopicPartition("topic", 0)) <= 4, "memory stays bounded"
    gate.set()
    await offering
    await stop_app(app)


async def _offer(topic: BatchTopic, count: int) -> None:
    for number in range(count):
        await topic.offer(batch(number))


AGENT_THAT_FAILS = """
import asyncio
from agents.consume import exit_code_of
from recon_streams.log.record import Batch
from recon_streams.runtime.batch_topic import BatchTopic, batches_of
from recon_streams.runtime.faust_app import make_app, start_app
from recon_streams.runtime.leaving import leave_process

async def leave(error):
    leave_process(repr(error), exit_code_of(error))

async def main():
    app = make_app("test", leave)
    topic = BatchTopic(app, "topic")

    async def agent(stream):
        async for batch in batches_of(stream):
            raise RuntimeError("nobody foresaw this")

    app.agent(topic.channel, name="tests.failing")(agent)
    await start_app(app)
    await topic.offer(Batch("topic", 0, 0, 1, ()))
    await asyncio.sleep(20)

asyncio.run(main())
"""


def test_an_agent_that_fails_ends_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AGENT_THAT_FAILS], timeout=15, check=False, capture_output=True
    )
    assert done.returncode == ExitCode.ASSERTION
    assert b"nobody foresaw this" in done.stdout + done.stderr
