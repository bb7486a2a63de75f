"""What commands answer about an installation that `up` made."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

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
def data() -> Iterator[Path]:
    """The directory of an installation that runs for the tests of this file."""
    # Not below pytest's directory: the user that runs the server cannot pass through it.
    directory = Path(tempfile.mkdtemp(prefix="recon-answers-"))
    directory.chmod(0o711)
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
    shutil.rmtree(directory, ignore_errors=True)


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
