"""A kill storm: real processes, a seeded enemy, and an account of what was felt.

The supervisor keeps processes running, as a service manager would. The nemesis kills them at random
moments with SIGKILL, and arms named fault points so that they die in the most awkward places.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from recon_streams.testing.keys import signing_environment

FAULTPOINTS: Final = {
    "worker": ("after_fetch", "before_commit", "after_commit"),
    "publisher": ("after_publish_before_mark", "before_ticks_commit", "after_ticks_commit"),
}

FAULTPOINT_EXIT: Final = 137
_PATIENCE: Final = 3  # times as many kills, and as long a calm, where no fault point was felt


@dataclass
class Process:
    """One process that is kept running."""

    kind: str
    name: str
    command: list[str]
    environment: Mapping[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None
    starts: int = 0
    exits: Counter[int] = field(default_factory=Counter)

    def start(self, faultpoint: str | None) -> None:
        """Start it, armed with a fault point or not."""
        environment = {**os.environ, **self.environment}
        if faultpoint is not None:
            environment["RECON_FAULTPOINT"] = faultpoint
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(  # noqa: S603 - our own command
                self.command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self.starts += 1

    def signal(self, number: int) -> None:
        """Send `number` if it runs."""
        if self.running is not None and self.running.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.running.send_signal(number)

    def has_ended(self) -> bool:
        """Return whether it needs a start, and count how it ended."""
        if self.running is None:
            return True
        code = self.running.poll()
        if code is None:
            return False
        self.exits[code] += 1
        self.running = None
        return True


def process(
    kind: str, name: str, options: list[str], environment: Mapping[str, str], directory: Path
) -> Process:
    """Return a `recon-streams` process of `kind`, not started; a publisher gets a key."""
    if kind == "publisher":
        environment = {**signing_environment(directory), **environment}
    command = [sys.executable, "-m", "agents.cli", kind, "--telemetry-port", "0", *options]
    return Process(kind, name, command, environment, directory / f"{name}.log")


@dataclass
class Storm:
    """Kills `processes` until `kills_min` were felt, and keeps them running until told to stop."""

    processes: list[Process]
    seed: int
    kills_min: int
    calm_seconds: tuple[float, float] = (0.3, 1.5)
    kills: int = 0
    armed: Counter[str] = field(default_factory=Counter)

    def run(self, is_done: Callable[[], bool], *, seconds_max: float) -> None:
        """Storm until there were enough kills, then keep everything running until `is_done`."""
        enemy = random.Random(self.seed)  # noqa: S311 - a seed, not a secret
        deadline = time.monotonic() + seconds_max
        next_kill_at = time.monotonic() + enemy.uniform(*self.calm_seconds)
        while True:
            assert time.monotonic() < deadline, f"not drained after {seconds_max} s"
            self._keep_running(enemy)
            if self.is_over:
                if is_done():
                    return
            elif time.monotonic() >= next_kill_at:
                victim = enemy.choice([p for p in self.processes if p.running is not None])
                victim.signal(signal.SIGKILL)
                next_kill_at = time.monotonic() + self._calm_seconds(enemy)
            time.sleep(0.02)

    @property
    def is_over(self) -> bool:
        """Whether there were enough kills, one of them at a fault point."""
        is_felt = any(each.exits[FAULTPOINT_EXIT] for each in self.processes)
        return self.kills >= self.kills_min * (1 if is_felt else _PATIENCE)

    def _calm_seconds(self, enemy: random.Random) -> float:
        # On a busy machine processes die before they have come to any fault point: let them live.
        longer = _PATIENCE if self.kills >= self.kills_min else 1
        return longer * enemy.uniform(*self.calm_seconds)

    def stop(self) -> None:
        """End every process, gently first."""
        for each in self.processes:
            each.signal(signal.SIGCONT)
            each.signal(signal.SIGTERM)
        for each in self.processes:
            if each.running is not None:
                try:
                    each.running.wait(20)
                except subprocess.TimeoutExpired:
                    each.running.kill()
                    each.running.wait(20)

    def _keep_running(self, enemy: random.Random) -> None:
        for each in self.processes:
            ended_before = sum(each.exits.values())
            if not each.has_ended():
                continue
            if sum(each.exits.values()) > ended_before:
                self.kills += 1
            each.start(self._arm(each, enemy))

    def _arm(self, each: Process, enemy: random.Random) -> str | None:
        # While it storms every second start is armed; the last ones must live.
        if self.is_over or enemy.random() < 0.5:  # noqa: PLR2004
            return None
        point = enemy.choice(FAULTPOINTS[each.kind])
        self.armed[point] += 1
        return f"{point}:{enemy.randint(1, 12)}"
