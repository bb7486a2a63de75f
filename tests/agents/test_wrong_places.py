"""Servers that are not there and settings that cannot be: a sentence, a place, an exit code."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recon_streams.runtime.exit_codes import ExitCode

pytestmark = pytest.mark.timeout(120)

# Nothing listens at the lowest port; what it would be is asked for at once by the kernel.
CLOSED = "127.0.0.1:1"
SECRET = "geheim"
Run = Callable[..., "Ending"]


class Ending:
    """A command that runs beside others until its ending is asked for."""

    def __init__(self, *words: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RECON")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agents.cli", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def said(self, code: ExitCode) -> str:
        """Return what it said, once it ended with `code` and without a traceback."""
        out, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == code, (self.process.returncode, out, errors)
        assert "Traceback" not in errors
        assert SECRET not in out + errors
        return errors


@pytest.fixture
def run() -> Iterator[Run]:
    started: list[Ending] = []

    def start(*words: str) -> Ending:
        started.append(Ending(*words))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        yield f"127.0.0.1:{server.getsockname()[1]}"


def dsn(address: str) -> str:
    return f"postgresql://recon:{SECRET}@{address}/book"


def test_who_does_not_answer_is_named_with_what_was_tried_and_for_how_long(
    run: Run, silent: str, tmp_path: Path
) -> None:
    # Side by side, for each of them waits as long as it must.
    record = tmp_path / "record.json"
    record.write_text("{}\n")
    refused = [
        run(*words, "--dsn", dsn(CLOSED))
        for words in (["worker", "--telemetry-port", "0"], ["migrate"], ["quarantine", "list"])
    ]
    refused.append(run("status", "--dsn", f"postgresql://{CLOSED}/book?password={SECRET}"))
    mute = run("audit", "inputs", "--dsn", dsn(silent))
    no_broker = run("publish", "ledger.movements", str(record), "--bootstrap", CLOSED)
    no_tail = run("tail", "recon.breaker", "--bootstrap", CLOSED)
    for each in refused:
        said = each.said(ExitCode.UNREACHABLE)
        assert re.search(rf"no book at \S+{CLOSED}/book\S* after [01] s: .*refused", said)
    said = mute.said(ExitCode.UNREACHABLE)
    assert re.search(
        rf"no book at \S+{silent}/book after [56] s: the server took the connection", said
    )
    for each in (no_broker, no_tail):
        (line,) = each.said(ExitCode.UNREACHABLE).splitlines()
        assert f"no answer from {CLOSED} for 15 s" in line


def test_a_wrong_file_is_answered_with_line_and_column(run: Run, tmp_path: Path) -> None:
    settings = tmp_path / "recon.yaml"
    settings.write_text("log:\n  kind: postgres\n  bootstrap_server: localhost:9092\n")
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text("accounts:\n  - account_id: A\n    currency: AED\n    limit: 5\n")
    broken = tmp_path / "broken.yaml"
    broken.write_bytes(b"log: {kind: \xff\n")
    wrong = [
        run("worker", "--config", str(settings)),
        run("up", "--data", str(tmp_path / "data"), "--config", str(settings)),
    ]
    unread = run("config", "check", "--config", str(broken))
    absent = run("config", "check", "--config", str(tmp_path / "nowhere.yaml"))
    registry = run("accounts", "check", str(accounts))
    for each in wrong:
        said = each.said(ExitCode.CONFIGURATION)
        assert "recon.yaml:3:3" in said
        assert "bootstrap_servers" in said, "what to write"
    assert "byte 12 is not UTF-8" in unread.said(ExitCode.CONFIGURATION)
    assert "nowhere.yaml" in absent.said(ExitCode.CONFIGURATION)
    assert "accounts.yaml:4:5" in registry.said(ExitCode.CONFIGURATION)
