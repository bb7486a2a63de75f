"""A fault point leaves the process at the pass it was told, and is not there otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
from recon_streams.kernel import faultpoint
for passed in range(5):
    faultpoint.hit("after_fetch")
    faultpoint.hit("before_commit")
    print(passed, flush=True)
"""


def passes(fault: str | None) -> tuple[int, list[str]]:
    environment = {k: v for k, v in os.environ.items() if k != "RECON_FAULTPOINT"}
    if fault is not None:
        environment["RECON_FAULTPOINT"] = fault
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.split()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, (0, ["0", "1", "2", "3", "4"])),
        ("elsewhere:1", (0, ["0", "1", "2", "3", "4"])),
        ("before_commit", (137, [])),
        ("before_commit:1", (137, [])),
        ("before_commit:3", (137, ["0", "1"])),
        ("before_commit:9", (0, ["0", "1", "2", "3", "4"])),
    ],
)
def test_the_process_dies_at_the_pass_it_was_told(
    fault: str | None, expected: tuple[int, list[str]]
) -> None:
    assert passes(fault) == expected
