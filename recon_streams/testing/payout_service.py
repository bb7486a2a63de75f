"""A running payout service, and what it was told."""

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from recon_streams.testing.payouts import Stretch, stretches
from recon_streams.testing.pipes import Pipes


@dataclass
class Service:
    """A payout service and the log of what it was told."""

    name: str
    running: "subprocess.Popen[bytes]"
    log: Path
    pipes: Pipes | None = None

    def told(self, scope: str) -> list[Stretch]:
        """Return what it was told of `scope`, in order."""
        return [each for each in stretches(self.log) if each.scope == scope]

    def last_granted_ns(self, scope: str) -> int | None:
        """Return when `scope` was last granted to it."""
        return max((each.last_ns for each in self.told(scope) if each.granted), default=None)

    def was_told(self, scope: str, reason: str, *, since_ns: int = 0) -> bool:
        """Return whether it was told `reason` about `scope` at some time after `since_ns`."""
        return any(each.reason == reason and each.last_ns > since_ns for each in self.told(scope))

    def is_granted(self, scope: str) -> bool:
        """Return whether its last answer about `scope` was yes."""
        told = self.told(scope)
        return bool(told) and max(told, key=lambda each: each.last_ns).granted

    def end(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running.pid, signal.SIGKILL)
        self.running.wait(10)
        if self.pipes is not None:
            self.pipes.stop()
