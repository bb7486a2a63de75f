"""A whole installation as its users see it: the schedule, the poller and `run` on one machine."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from agents.address import read_address
from recon_streams.testing.stub_bank import StubBank

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

_COMMAND = [sys.executable, "-m", "agents.cli"]
ACCOUNTS = """
accounts:
  - account_id: A
    currency: AED
    bank_accounts: [{other: "1"}]
    sweep: {connector: stub}
    opening: {bank: "1000.00", ledger: "1000.00", as_of: "AS_OF"}
  - account_id: B
    currency: AED
    bank_accounts: [{other: "2"}]
    sweep: {every_minutes: 15}
    opening: {bank: "7.00", ledger: "7.00", as_of: "AS_OF"}
"""


class Machine:
    """`up` in a directory, told where its bank is."""

    def __init__(self, data: Path, connectors: str) -> None:
        self.data = data
        file = data.parent / f"{data.name}-connectors.yaml"
        file.write_text(connectors)
        accounts = data.parent / f"{data.name}-accounts.yaml"
        accounts.write_text(ACCOUNTS.replace("AS_OF", datetime.now(UTC).isoformat()))
        self.environment = {
            **os.environ,
            "RECON__SWEEPS__CONNECTORS_FILE": str(file),
            "RECON__SWEEPS__CONFIRM_AFTER_SECONDS": "1",
        }
        self.options = ["--telemetry-port", "0", "--accounts", str(accounts)]

    def up(self) -> None:
        self.daemon = subprocess.Popen(
            [*_COMMAND, "up", "--data", str(self.data), *self.options],
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        assert self.daemon.stderr is not None
        said = []
        for line in self.daemon.stderr:
            said.append(line)
            if line.strip() == "ready":
                return
        raise AssertionError("".join(said))

    def down(self) -> None:
        self.daemon.send_signal(signal.SIGTERM)
        assert self.daemon.wait(30) == 0
        assert self.daemon.stderr is not None
        self.daemon.stderr.close()

    async def book(self, query: str) -> list[Any]:
        """Return what the book answers."""
        connection = await asyncpg.connect(read_address(self.data).dsn)
        try:
            return await connection.fetch(query)
        finally:
            await connection.close()

    def run(self, *words: str, code: int = 0) -> Any:
        done = subprocess.run(
            [*_COMMAND, "run", *words, "--data", str(self.data), "-o", "json"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=self.environment,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else None


@pytest.fixture
def bank() -> Iterator[StubBank]:
    """A bank on a thread of its own, as the tests here wait for other processes."""
    import threading  # noqa: PLC0415 - beside its use

    bank, loop = StubBank(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(bank.start(), loop).result(10)
    yield bank
    asyncio.run_coroutine_threadsafe(bank.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def test_an_account_is_swept_on_request_and_its_bank_is_asked(
    make_directory: Callable[[], Path], bank: StubBank
) -> None:
    bank.balances["A"] = "1000"
    machine = Machine(make_directory(), bank.file)
    machine.up()
    try:
        (found,) = machine.run("A")
        assert (found["verdict"], found["bank_state"], found["table"]) == ("OK", "AGREES", "EQUAL")
        bank.balances["A"] = "999"
        (found,) = machine.run("A", "--tier", "2", code=5)
        assert (found["verdict"], found["bank_state"]) == ("CRITICAL", "DIFFERS")
        both = machine.run("--all", code=5)
        assert [(each["account_id"], each["bank_state"]) for each in both] == [
            ("A", "DIFFERS"),
            ("B", "NOT_ASKED"),
        ]
        assert machine.run("A", "--tier", "1")["accounts"][0]["position"]["tier"] == "OK"
        machine.run("nobody", code=1)
        began = time.monotonic()
        machine.run("A", "--all", code=2)
        assert time.monotonic() - began < 30
    finally:
        machine.down()


def test_what_is_due_is_swept_without_being_asked_for_also_after_a_kill(
    make_directory: Callable[[], Path], bank: StubBank
) -> None:
    bank.balances["A"] = "1000"
    machine = Machine(make_directory(), bank.file)
    machine.up()
    # As if the last instant had been passed an hour ago: three are missed, one of them is recent.
    moved: list[Any] = []
    while len(moved) < 2:
        moved = asyncio.run(
            machine.book(
                "UPDATE schedule.due SET after = after - interval '90 minutes', "
                "due_at = due_at - interval '90 minutes' WHERE kind = 'sweep' "
                "AND (SELECT count(*) FROM schedule.due WHERE kind = 'sweep') = 2 RETURNING subject"
            )
        )
    machine.daemon.kill()
    machine.daemon.wait(10)
    assert machine.daemon.stderr is not None
    machine.daemon.stderr.close()
    machine.up()
    try:
        deadline = time.monotonic() + 30
        query = "SELECT number, due_at, state, late, verdict FROM sweeps.sweep ORDER BY due_at"
        while len(rows := asyncio.run(machine.book(query))) < 3 + 6 or any(
            row["state"] != "DECIDED" for row in rows
        ):
            assert time.monotonic() < deadline, rows
            time.sleep(0.2)
        assert len({(row["number"], row["due_at"]) for row in rows}) == len(rows)
        assert rows[0]["late"]
        assert {row["verdict"] for row in rows} == {"OK"}
    finally:
        machine.down()
