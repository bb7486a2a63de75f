"""A fire drill in a live installation: it stops its own scope, measures, and leaves it closed."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from agents.address import read_address

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]


@pytest.fixture
def up(make_directory: Callable[[], Path]) -> Iterator[Path]:
    """The directory of an installation that is up."""
    directory = make_directory() / "i"
    command = [sys.executable, "-m", "agents.cli", "up", "--data", str(directory)]
    with (directory.parent / "up.log").open("wb") as log:
        running = subprocess.Popen(
            [*command, "--telemetry-port", "0"], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    deadline = time.monotonic() + 60
    while not (directory / "address.json").exists():
        assert running.poll() is None, (directory.parent / "up.log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield directory
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 0


def drill(directory: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "agents.cli", "breaker", "drill", "--data", str(directory)]
    return subprocess.run(
        [*command, *words], capture_output=True, text=True, timeout=100, check=False
    )


async def test_a_drill_measures_every_step_and_ends_with_its_scope_closed(up: Path) -> None:
    done = drill(up, "--rounds", "3", "--name", "fire", "-o", "json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert len(said["rounds"]) == 3
    for each in said["rounds"]:
        # A guard says that it heard after it has stopped granting, and reads what can be read.
        assert each["last_permit_ms"] < each["acknowledged_ms"]
        assert 0 < each["appended_ms"] < each["acknowledged_ms"]
        assert 0 < each["readable_ms"] < 15_000
    assert [each["step"] for each in said["steps"]] == [
        "evidence on the log", "OPEN readable", "last permit granted", "acknowledged",
    ]  # fmt: skip
    connection = await asyncpg.connect(read_address(up).dsn)
    states = await connection.fetch(
        "SELECT to_state, reason FROM breaker.transition WHERE scope = 'drill:fire' ORDER BY epoch"
    )
    assert [row["to_state"] for row in states[-6:]] == ["OPEN", "CLOSED"] * 3
    assert await connection.fetchval("SELECT count(*) FROM alerts.alert") == 0, "nobody is paged"
    heard = await connection.fetchval(
        "SELECT count(*) FROM acks.ack WHERE client_id = 'recon-drill'"
    )
    assert heard >= 6
    await connection.close()


def test_a_drill_without_keys_says_what_is_missing() -> None:
    command = [sys.executable, "-m", "agents.cli", "breaker", "drill", "--dsn", "postgresql:///x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "--keys" in done.stderr
