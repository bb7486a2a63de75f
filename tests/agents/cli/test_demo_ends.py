"""The demo leaves nothing behind, however it ends, and advises nothing that is gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

LINE_LENGTH_MAX = 80


@pytest.fixture
def place(make_directory: Callable[[], Path]) -> Path:
    """The only directory that a demo can make its own in."""
    return make_directory()


def demo(place: Path, *options: str) -> "subprocess.Popen[str]":
    # The shell in which somebody tries it may be set for an installation that signs.
    elsewhere = {
        "RECON__SIGNING__KEY_FILE": "/nowhere/breaker.pem",
        "RECON__SIGNING__PUBLIC_KEYS_FILE": "/nowhere/breaker-keys.json",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "agents.cli", "demo", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(place), "PYTHONUNBUFFERED": "1", **elsewhere},
    )


def made_in(place: Path) -> list[Path]:
    return list(place.glob("recon-demo-*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("word", ["", "In balance"], ids=["at its start", "in the middle"])
def test_a_demo_that_is_stopped_removes_everything_it_made(
    place: Path, number: int, word: str
) -> None:
    process = demo(place)
    assert process.stdout is not None
    while not made_in(place):
        assert process.poll() is None
    while word and not process.stdout.readline().startswith(word):
        assert process.poll() is None
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    assert made_in(place) == []
    assert process.returncode == 128 + signal.SIGINT


def test_a_demo_that_ends_by_itself_fits_a_terminal_and_names_no_directory(place: Path) -> None:
    process = demo(place, "--exit")
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    lines = said.splitlines()
    assert [line for line in lines if len(line) > LINE_LENGTH_MAX or line != line.rstrip()] == []
    assert "Look closer" not in said
    assert str(place) not in said
    assert made_in(place) == []


def test_a_demo_that_is_kept_makes_its_directory(place: Path) -> None:
    kept = place / "not" / "there"
    process = demo(place, "--exit", "-o", "json", "--keep", str(kept))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert (kept / "payouts.dsn").exists()
