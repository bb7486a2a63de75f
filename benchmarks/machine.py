"""G12, G13: how fast `up` is ready, empty and again, and what it costs to do nothing."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.stage import median, quiet

IDLE_SECONDS = 20
ROUNDS = 3


def main() -> None:
    first, again = [], []
    for number in range(ROUNDS):
        data = Path(tempfile.mkdtemp(prefix="recon-bench-up-"))
        data.chmod(0o711)
        try:
            process, seconds = _up(data)
            first.append(seconds)
            _down(process)
            process, seconds = _up(data)
            again.append(seconds)
            if number == ROUNDS - 1:
                _idle(process)
            _down(process)
        finally:
            shutil.rmtree(data, ignore_errors=True)
    print(f"G12 up on an empty directory {median(first):.2f} s (goal <= 5), "
          f"again {median(again):.2f} s (goal <= 1), {quiet()}")  # fmt: skip


def _up(data: Path) -> tuple["subprocess.Popen[str]", float]:
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "agents.cli", "up", "--data", str(data), "--telemetry-port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.strip() == "ready":
            return process, time.perf_counter() - began
    raise AssertionError("it did not start")


def _down(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def _idle(process: "subprocess.Popen[str]") -> None:
    time.sleep(5)
    tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    before = sum(_cpu(each) for each in tree)
    time.sleep(IDLE_SECONDS)
    used = sum(_cpu(each) for each in tree) - before
    # Shared pages of PostgreSQL's processes count once: proportional set size.
    memory = sum(each.memory_full_info().pss for each in tree) / 1_048_576
    print(f"G13 idle: {used / IDLE_SECONDS:.1%} of one CPU (goal <= 2 %), {memory:.0f} MB "
          f"(goal <= 250)")  # fmt: skip


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
