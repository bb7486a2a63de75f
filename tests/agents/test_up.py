"""One machine as its users see it: `up`, publish, look, mend, kill, and look again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from recon_streams.client.guard import BreakerGuard
from recon_streams.demo.bank import sample
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.signing.key_ring import own_key_ring

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

ACCOUNTS = """
accounts:
  - account_id: CH-OPERATIONS
    currency: CHF
    bank_accounts: [{other: CH2909000000250094239}]
    clearing: {dwell_seconds_min: 0, clean_evaluations_min: 1}
    opening: {bank: "5000000.00", ledger: "5000000.00", as_of: "AS_OF"}
"""
LATE = """
  - account_id: CH-LATE
    currency: CHF
    bank_accounts: [{other: CH160077401231234567}]
    opening: {bank: "0", ledger: "0", as_of: "AS_OF"}
"""


class Machine:
    """A data directory, the daemon in it, and the command line beside it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.daemon: subprocess.Popen[str] | None = None

    def up(self, *options: str) -> float:
        """Start the daemon; return the seconds until it said it was ready."""
        began = time.monotonic()
        self.daemon = subprocess.Popen(
            [*_COMMAND, "up", "--data", str(self.data), "--telemetry-port", "0", *options],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.daemon.stderr is not None
        said = []
        for line in self.daemon.stderr:
            said.append(line)
            if line.strip() == "ready":
                return time.monotonic() - began
        raise AssertionError("".join(said))

    def down(self, number: int = signal.SIGTERM) -> None:
        assert self.daemon is not None
        self.daemon.send_signal(number)
        self.daemon.wait(30)
        assert self.daemon.stderr is not None
        self.daemon.stderr.close()

    def run(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [*_COMMAND, *words, "--data", str(self.data)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout

    def account(self, account_id: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.run("status", "-o", "json"))["accounts"]
        return next(a for a in found if a["position"]["account_id"] == account_id)

    def until_inputs(self, count: int) -> None:
        deadline = time.monotonic() + 20
        while (
            json.loads(self.run("status", "-o", "json"))["coverage"] == [] or self._inputs() < count
        ):
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def _inputs(self) -> int:
        coverage = json.loads(self.run("status", "-o", "json"))["coverage"]
        return sum(c["next_offset"] for c in coverage)


_COMMAND = [sys.executable, "-m", "agents.cli"]


@pytest.fixture
def machine(make_directory: Callable[[], Path]) -> Iterator[Machine]:
    made = Machine(make_directory())
    yield made
    if made.daemon is not None and made.daemon.poll() is None:
        made.down()


def booked_today(name: str, target: Path) -> str:
    target.write_bytes(sample(name, booked_on=datetime.now(UTC).date()))
    return str(target)


def accounts_file(target: Path, text: str) -> str:
    as_of = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    target.write_text(text.replace("AS_OF", as_of))
    return str(target)


def test_a_day_on_one_machine(machine: Machine, tmp_path: Path) -> None:
    registry = accounts_file(tmp_path / "accounts.yaml", ACCOUNTS)
    machine.up("--accounts", registry)
    credit = booked_today("moov-credit-1500.xml", tmp_path / "credit.xml")
    late = booked_today("dvbern-batch-113.xml", tmp_path / "late.xml")
    broken = tmp_path / "broken.xml"
    broken.write_bytes(Path(credit).read_bytes()[:-40])
    said = machine.run("publish", "bank.notifications", credit, late, str(broken))
    assert said.count("bank.notifications/") == 3
    machine.until_inputs(3)
    account = machine.account("CH-OPERATIONS")
    assert account["position"]["bank"] == "5001500"
    assert account["position"]["tier"] == "MINOR"
    assert account["position"]["bank_side"]["topic"] == "bank.notifications"
    waiting = json.loads(machine.run("quarantine", "list", "-o", "json"))
    assert sorted(item["code"] for item in waiting) == ["NOT_WELL_FORMED", "UNKNOWN_ACCOUNT"]
    held = next(item for item in waiting if item["code"] == "NOT_WELL_FORMED")
    kept = machine.run("quarantine", "show", str(held["quarantine_id"]), "--raw")
    assert kept.encode() == broken.read_bytes()

    # The account is registered; what waited for it is decided.
    text = Path(registry).read_text() + LATE
    machine.run("accounts", "apply", accounts_file(tmp_path / "accounts-2.yaml", text))
    assert machine.account("CH-LATE")["position"]["bank"] == "113"
    waiting = json.loads(machine.run("quarantine", "list", "-o", "json"))
    assert [item["code"] for item in waiting] == ["NOT_WELL_FORMED"]
    machine.run("quarantine", "replay", str(held["quarantine_id"]), code=ExitCode.PARTIAL)

    explained = machine.run("explain", "CH-OPERATIONS")
    assert "ABOVE_MINOR" in explained
    assert "bank.notifications/" in explained
    assert json.loads(machine.run("audit", "inputs", "-o", "json"))["proven"] is True
    assert "account:CH-OPERATIONS:CHF" in machine.run("tail", "recon.breaker", "-n", "100")

    # A power cut changes nothing of what was decided.
    before = machine.account("CH-OPERATIONS")["position"]["version"]
    machine.down(signal.SIGKILL)
    machine.up()
    assert machine.account("CH-OPERATIONS")["position"]["version"] == before
    machine.run("publish", "bank.notifications", credit)
    machine.until_inputs(4)
    assert machine.account("CH-OPERATIONS")["position"]["bank"] == "5001500", "a redelivery"


def test_a_payout_service_beside_it_needs_two_files_and_no_right_of_the_owner(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECON__BREAKER__CLIENTS", "p1")
    machine.up("--accounts", accounts_file(tmp_path / "accounts.yaml", ACCOUNTS))
    balance = tmp_path / "balances.jsonl"
    balance.write_text(
        '{"balance_id":"b1","account_id":"CH-OPERATIONS","currency":"CHF","amount":"5000000.00",'
        f'"as_of":"{datetime.now(UTC):%FT%TZ}","ledger_sequence":1}}\n'
    )
    machine.run("publish", "ledger.balances", str(balance))
    dsn = (machine.data / "payouts.dsn").read_text().strip()
    assert "recon_payouts@" in dsn
    scope = "account:CH-OPERATIONS:CHF"
    with BreakerGuard.postgres(dsn, keys=machine.data / "breaker-keys.json", client_id="p1") as g:
        until(lambda: g.permit(scope).granted)
        machine.run("breaker", "trip", scope, "--reason", "does the payout service stop")
        until(lambda: g.permit(scope).reason == "OPEN")
        until(lambda: '"OPEN"' in machine.run("breaker", "status", "-o", "json"))
        heard = "SELECT count(*) FROM acks.ack WHERE client_id = 'p1' AND state = 'OPEN'"
        owner = json.loads((machine.data / "address.json").read_text())["dsn"]
        until(lambda: asyncio.run(ask(owner, heard)) == 1)
    # Nothing that it may ask is in its way at the next start either.
    machine.down()
    machine.up()
    assert asyncio.run(ask(dsn, "SELECT count(*) FROM payouts.look(0, 1, 1)")) == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        asyncio.run(ask(dsn, heard))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        asyncio.run(ask(dsn, "SELECT pg_advisory_lock(1)"))


async def ask(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def test_a_command_says_so_when_nothing_runs_there(tmp_path: Path) -> None:
    done = subprocess.run(
        [*_COMMAND, "status", "--data", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == ExitCode.UNREACHABLE
    assert f"recon-streams up --data {tmp_path}" in done.stderr.replace("\n", "")
    assert "Traceback" not in done.stderr


def test_an_unreachable_book_is_named_with_what_was_tried(tmp_path: Path) -> None:
    dsn = f"postgresql://recon:secret@/nowhere?host={tmp_path}"
    done = subprocess.run(
        [*_COMMAND, "worker", "--dsn", dsn, "--telemetry-port", "0"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
        timeout=60,
    )
    assert done.returncode == ExitCode.UNREACHABLE
    assert str(tmp_path) in done.stderr.replace("\n", "")
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreachable_broker_is_named_with_what_was_tried(database: str) -> None:
    subprocess.run([*_COMMAND, "migrate", "--dsn", database], check=True, capture_output=True)
    done = subprocess.run(
        [*_COMMAND, "worker", "--dsn", database, "--bootstrap", "127.0.0.1:1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == ExitCode.UNREACHABLE
    assert "no answer from 127.0.0.1:1 for 15 s" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_a_second_one_in_the_same_directory_is_refused_and_the_first_goes_on(
    machine: Machine,
) -> None:
    machine.up()
    second = subprocess.run(
        [*_COMMAND, "up", "--data", str(machine.data), "--telemetry-port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == ExitCode.REFUSED
    assert machine.daemon is not None
    assert f"another recon-streams works there (process {machine.daemon.pid})" in second.stderr
    machine.run("audit", "inputs")


def test_a_lost_key_is_told_before_anything_starts(machine: Machine) -> None:
    own_key_ring(machine.data / "keys/breaker.pem", machine.data / "breaker-keys.json")
    (machine.data / "keys/breaker.pem").unlink()
    refused = subprocess.run(
        [*_COMMAND, "up", "--data", str(machine.data), "--telemetry-port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == ExitCode.CONFIGURATION
    said = refused.stderr.replace("\n", "")
    assert "breaker.pem is gone" in said
    assert "recon-streams keys new --key-file" in said
    assert not (machine.data / "postgres").exists()


def test_it_is_not_ready_while_its_database_is_away(machine: Machine) -> None:
    machine.up()
    address = json.loads((machine.data / "address.json").read_text())["telemetry"]
    assert readiness(address) == (200, {"ready": True})
    postmaster = int((machine.data / "postgres/cluster/postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGSTOP)
    backends = [
        int(pid)
        for pid in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    ]
    for pid in backends:
        os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: "no answer for" in readiness(address)[1].get("book", ""))
    finally:
        for pid in (*backends, postmaster):
            os.kill(pid, signal.SIGCONT)
    until(lambda: readiness(address)[0] == 200)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def readiness(address: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
