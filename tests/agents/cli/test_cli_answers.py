"""What commands answer, and how they end, where no server is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recon_streams.runtime.exit_codes import ExitCode

ROOT = Path(__file__).resolve().parents[3]


def command(*words: str, code: int = 0, **environment: str) -> "subprocess.CompletedProcess[str]":
    own = {name: value for name, value in os.environ.items() if not name.startswith("RECON")}
    done = subprocess.run(
        [sys.executable, "-m", "agents.cli", *words],
        cwd=ROOT,
        env={**own, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize(
    "words", [("version",), ("config", "show"), ("topics", "list")], ids=" ".join
)
def test_json_lines_are_one_compact_object_per_line_and_say_what_json_says(
    words: tuple[str, ...],
) -> None:
    whole = json.loads(command(*words, "-o", "json").stdout)
    lines = [json.loads(line) for line in command(*words, "-o", "jsonl").stdout.splitlines()]
    assert lines == (whole if isinstance(whole, list) else [whole])


def test_what_is_piped_is_not_folded_to_a_terminal_that_is_not_there() -> None:
    lines = command("topics", "list", COLUMNS="40").stdout.splitlines()
    rows = json.loads(command("topics", "list", "-o", "json").stdout)
    assert [line.split()[0] for line in lines[1:]] == [row["name"] for row in rows]
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize(
    ("words", "advised"),
    [(("worker",), False), (("publisher",), False), (("status",), True)],
    ids=str,
)
def test_who_has_no_book_is_advised_what_the_command_takes(
    words: tuple[str, ...], *, advised: bool
) -> None:
    said = command(*words, code=ExitCode.USAGE).stderr
    assert "--dsn" in said
    assert ("--data" in said) == advised
