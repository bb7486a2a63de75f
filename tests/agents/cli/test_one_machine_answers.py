"""What commands answer about an installation that `up` made."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recon_streams.runtime.exit_codes import ExitCode

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = [sys.executable, "-m", "agents.cli"]
_ACCOUNTS = """
accounts:
  - account_id: CH-OPERATIONS
    currency: CHF
    bank_accounts: [{other: CH2909000000250094239}]
    opening: {bank: "5.00", ledger: "5.00", as_of: "AS_OF"}
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def data(make_directory: Callable[[], Path]) -> Iterator[Path]:
    """The directory of an installation that runs for the tests of this file."""
    directory = make_directory()
    accounts = directory / "accounts.yaml"
    accounts.write_text(_ACCOUNTS.replace("AS_OF", datetime.now(UTC).isoformat()))
    options = ["--accounts", str(accounts), "--telemetry-port", "0"]
    daemon = subprocess.Popen(
        [*_PROGRAM, "up", "--data", str(directory), *options],
        stderr=subprocess.PIPE,
        text=True,
        # Its log would fill a pipe that nobody reads.
        env={**os.environ, "RECON__TELEMETRY__LOG_LEVEL": "critical"},
    )
    assert daemon.stderr is not None
    said = []
    for line in daemon.stderr:
        said.append(line)
        if line == "ready\n":
            break
    assert said[-1:] == ["ready\n"], said
    yield directory
    daemon.terminate()
    assert daemon.wait(30) == 0


@pytest.fixture
def run(data: Path) -> Run:
    def command(*words: str, code: int = 0, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [*_PROGRAM, *words, "--data", str(data)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done

    return command


def test_the_topics_of_a_healthy_installation_are_as_planned(run: Run) -> None:
    assert run("topics", "diff").stdout == "as planned\n"


def test_status_as_lines_has_one_for_each_account_and_each_partition_read(run: Run) -> None:
    whole = json.loads(run("status", "-o", "json").stdout)
    lines = [json.loads(line) for line in run("status", "-o", "jsonl").stdout.splitlines()]
    accounts = [line["account"] for line in lines if "account" in line]
    assert [each["scope"] for each in accounts] == ["account:CH-OPERATIONS:CHF"]
    assert len(lines) == len(accounts) + len(whole["coverage"])


def waiting(run: Run, place: str) -> list[int]:
    """Return the ids under which an input waits, once it does."""
    deadline = time.monotonic() + 20
    while True:
        listed = json.loads(run("quarantine", "list", "-o", "json").stdout)
        if found := [each["quarantine_id"] for each in listed if each["place"] == place]:
            return found
        assert time.monotonic() < deadline, listed
        time.sleep(0.2)


def publish(run: Run, topic: str, value: str) -> str:
    return run("publish", topic, "-", stdin=value).stdout.strip()


def alerts(run: Run, place: str) -> list[str]:
    """Return what became of the alerts about an input, oldest first, once they are published."""
    deadline = time.monotonic() + 20
    while True:
        said = run("tail", "recon.alerts", "-n", "100").stdout.splitlines()
        records = [json.loads(line)["value"] for line in said]
        found = [each["action"] for each in records if each["source"] == place]
        if found[-1:] == ["resolve"]:
            return found
        assert time.monotonic() < deadline, records
        time.sleep(0.2)


def test_what_has_no_such_id_or_was_answered_is_not_said_to_be_decided(run: Run) -> None:
    (number,) = waiting(run, publish(run, "ledger.movements", '{"kind": "nonsense"}'))
    for words in (["replay"], ["dismiss", "--reason", "replaced"]):
        said = run("quarantine", *words, "99999", str(number), code=ExitCode.FAILURE)
        assert said.stdout == ""
        assert said.stderr == "error: nothing has the id 99999\n"
    (number,) = waiting(run, publish(run, "ledger.movements", '{"kind": "nonsense"}'))
    run("quarantine", "replay", str(number), code=ExitCode.PARTIAL)
    said = run("quarantine", "replay", str(number), code=ExitCode.FAILURE)
    assert said.stderr == f"error: {number} was answered already\n"


def test_a_message_that_was_replaced_is_set_aside_as_a_whole_and_moves_nothing(run: Run) -> None:
    sample = ROOT / "recon_streams/demo/samples/moov-isr-batch.xml"
    unknown = sample.read_text().replace("CH2909000000250094239", "CH9300762011623852957")
    (body,) = re.findall(r"<Ntfctn>.*</Ntfctn>", unknown, re.DOTALL)
    other = body.replace("CH9300762011623852957", "CH5604835012345678009")
    broken = unknown.replace(body, body + other)
    place = publish(run, "bank.notifications", broken)
    first, *others = waiting(run, place)
    assert others
    before = json.loads(run("status", "-o", "json").stdout)["accounts"]
    words = ("quarantine", "dismiss", "--reason", "the bank sent MSG-2 [instead]")

    run(*words[:2], str(first), "--reason", " ", code=ExitCode.USAGE)
    said = run(*words, str(first), code=ExitCode.FAILURE).stderr
    assert place in said
    assert ", ".join(map(str, others)) in said
    every = [str(first), *map(str, others)]
    assert run(*words, *every).stdout == "".join(f"{each}: DISMISSED\n" for each in every)

    listed = json.loads(run("quarantine", "list", "-o", "json").stdout)
    assert place not in {each["place"] for each in listed}
    shown = run("quarantine", "show", str(first)).stdout
    assert re.search(r"answer DISMISSED by \w+ at .*Z: the bank sent MSG-2 \[instead\]", shown)
    assert "MSG-2 [instead]" in run("quarantine", "list", "--all").stdout
    assert run("quarantine", "show", str(first), "--raw").stdout == broken
    said = run("quarantine", "replay", str(first), code=ExitCode.FAILURE).stderr
    assert said == f"error: {first} was answered already\n"
    after = json.loads(run("status", "-o", "json").stdout)["accounts"]
    figures = [(each["position"]["bank"], each["position"]["ledger"]) for each in before]
    assert figures == [(each["position"]["bank"], each["position"]["ledger"]) for each in after]
    assert json.loads(run("audit", "inputs", "-o", "json").stdout)["proven"] is True
    assert alerts(run, place)[-1] == "resolve"
