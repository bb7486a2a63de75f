"""The guide for one machine, followed to the letter: its files, its commands, its answers."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/how-to/run-on-one-machine.md").read_text()
QUARANTINE_GUIDE = (ROOT / "docs/how-to/answer-a-quarantined-message.md").read_text()
_PROGRAM = [sys.executable, "-m", "agents.cli"]


def block(language: str, number: int = 0) -> str:
    """Return a block of the guide, with its example's instants moved to now."""
    text: str = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)[number]
    return re.sub(r"2026-11-20T08:0\d:00Z", f"{datetime.now(UTC):%FT%TZ}", text)


def commands(section: str) -> list[list[str]]:
    """Return the commands of a section's shell blocks, without the program's name."""
    body = GUIDE.partition(f"\n## {section}")[2].partition("\n## ")[0]
    lines = re.findall(r"^recon-streams (.*)$", body, re.MULTILINE)
    assert lines
    return [line.partition(" #")[0].split() for line in lines]


class Reader:
    """Somebody who does what the guide says, in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.daemon: subprocess.Popen[str] | None = None
        self.environment = {**os.environ, "COLUMNS": "150"}
        (directory / "recon_streams").symlink_to(ROOT / "recon_streams")

    def up(self, *words: str) -> str:
        self.daemon = subprocess.Popen(
            [*_PROGRAM, *words, "--telemetry-port", "0"],
            cwd=self.directory,
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.daemon.stderr is not None
        said: list[str] = []
        for line in self.daemon.stderr:
            said.append(line)
            if line == "ready\n":
                return "".join(said)
        raise AssertionError("".join(said))

    def stop(self) -> int:
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGINT)
        assert self.daemon.stderr is not None
        self.daemon.stderr.read()
        return self.daemon.wait(30)

    def do(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [*_PROGRAM, *words],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout

    def await_in(self, words: list[str], *wanted: str) -> str:
        deadline = time.monotonic() + 30
        while True:
            said = self.do(*words)
            if all(each in said for each in wanted):
                return said
            assert time.monotonic() < deadline, said
            time.sleep(0.5)


@pytest.fixture
def reader(make_directory: Callable[[], Path]) -> Iterator[Reader]:
    made = Reader(make_directory())
    yield made
    if made.daemon is not None and made.daemon.poll() is None:
        made.stop()


def _without_versions(text: str) -> list[str]:
    # What the daemon logs, as JSON where it is piped, goes to the same stream.
    lines = [line for line in text.splitlines() if not line.startswith("{")]
    return [re.sub(r"PostgreSQL \d+ \(\w+\)|:\d+$", "", line) for line in lines]


def test_the_guide_can_be_followed(reader: Reader) -> None:
    (reader.directory / "accounts.yaml").write_text(block("yaml"))
    (reader.directory / "balances.jsonl").write_text(block("json"))
    reader.environment["RECON_DATA"] = "./data"

    said = reader.up(*commands("2. Start")[0])
    assert _without_versions(said) == _without_versions(block("text"))

    publish_balances, status = commands("3. Tell it what the ledger says")
    assert reader.do(*publish_balances).startswith("ledger.balances/")
    reader.await_in(status, "OK EQUAL", "CLOSED")

    for line in re.findall(r"^sed .*$", GUIDE, re.MULTILINE):
        subprocess.run(["sh", "-c", line], cwd=reader.directory, check=True)
    for publish in commands("4. Tell it what the bank says"):
        assert reader.do(*publish).startswith("bank.notifications/")
    status, explain, tail, audit = commands("5. Look closer")
    reader.await_in(status, "SUSPENDED")
    explained = reader.do(*explain)
    for line in block("text", 1).splitlines()[:4]:
        assert line in explained
    assert '"scope":"account:CH-OPERATIONS:CHF"' in reader.do(*tail)
    assert "every offset has exactly one row" in reader.do(*audit)
    assert reader.stop() == 0

    # 7. Back up: a copy starts like the original.
    subprocess.run(["cp", "-a", "data", "backup"], cwd=reader.directory, check=True)
    reader.environment["RECON_DATA"] = "./backup"
    reader.up(*re.findall(r"`recon-streams (up --data ./backup)`", GUIDE)[0].split())
    assert reader.do(*explain) == explained
    _answer_quarantine(reader)
    assert reader.stop() == 0


def _answer_quarantine(reader: Reader) -> None:
    sample = ROOT / "recon_streams/demo/samples/moov-credit-1500.xml"
    broken = sample.read_text().replace("1500.00", "1,500.00")
    (reader.directory / "broken.xml").write_text(broken)
    reader.do("publish", "bank.notifications", "broken.xml")
    listed = reader.await_in(["quarantine", "list"], "INVALID_AMOUNT", "Ntfctn[1]/Ntry[1]/Amt")
    number = listed.splitlines()[1].split()[0]
    assert reader.do("quarantine", "show", number, "--raw") == broken
    again = reader.do("quarantine", "replay", number, code=7)
    assert again == f"{number}: QUARANTINED INVALID_AMOUNT\n1 decided again\n"
    assert again.partition(": ")[2] in QUARANTINE_GUIDE
