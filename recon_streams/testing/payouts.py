"""A payout service as ours should be: it asks before each payout, and keeps what it was told.

A process of its own, so that it can be cut off, stopped and compared. What it was told is written
as stretches: from when to when (system-wide monotonic nanoseconds, the same clock in every process
of a machine) it was granted a scope under one epoch and lease, and how often. Nothing is left out,
so a log proves when the last permit was given.

    python -m recon_streams.testing.payouts --bootstrap B --keys K --client-id C --log FILE SCOPE
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from recon_streams.client.guard import BreakerGuard
from recon_streams.client.permit import Permit

ASKED_A_SECOND: Final = 50
_FLUSH_NS: Final = 250_000_000


class Stretch(msgspec.Struct, kw_only=True):
    """A run of equal answers about one scope.

    Attributes:
        number: Of the stretch; of two lines with one number the later counts.
        first_ns: Just before the first of them was asked for,
        last_ns: and just before the last.
    """

    number: int
    scope: str
    granted: bool
    reason: str
    epoch: int | None
    lease_seq: int | None
    first_ns: int
    last_ns: int
    count: int = 1

    def continues(self, permit: Permit) -> bool:
        """Return whether `permit` says the same again."""
        return (self.granted, self.reason, self.epoch, self.lease_seq) == (
            permit.granted,
            str(permit.reason),
            permit.epoch,
            permit.lease_seq,
        )


class PermitLog:
    """Writes stretches to a file, the unfinished ones again and again."""

    def __init__(self, path: Path) -> None:
        """Begin the file anew."""
        self._file = path.open("wb")
        self._numbers = 0
        self._open: dict[str, Stretch] = {}
        self._written_ns = 0

    def note(self, scope: str, permit: Permit, asked_ns: int) -> None:
        """Note what was answered to a question asked at `asked_ns`."""
        stretch = self._open.get(scope)
        if stretch is not None and stretch.continues(permit):
            stretch.last_ns = asked_ns
            stretch.count += 1
        else:
            if stretch is not None:
                self._write(stretch)
            self._numbers += 1
            self._open[scope] = Stretch(
                number=self._numbers,
                scope=scope,
                granted=permit.granted,
                reason=str(permit.reason),
                epoch=permit.epoch,
                lease_seq=permit.lease_seq,
                first_ns=asked_ns,
                last_ns=asked_ns,
            )
        if asked_ns - self._written_ns > _FLUSH_NS:
            self._written_ns = asked_ns
            for each in self._open.values():
                self._write(each)
            self._file.flush()

    def _write(self, stretch: Stretch) -> None:
        self._file.write(msgspec.json.encode(stretch) + b"\n")


def stretches(path: Path) -> list[Stretch]:
    """Return what the log at `path` says; a line that is still being written is left out."""
    found: dict[int, Stretch] = {}
    said = path.read_bytes() if path.exists() else b""
    for line in said.splitlines(keepends=True):
        if line.endswith(b"\n"):
            stretch = msgspec.json.decode(line, type=Stretch)
            found[stretch.number] = stretch
    return list(found.values())


def grants(path: Path, scope: str) -> Iterator[Stretch]:
    """Yield the stretches in which `scope` was granted, in order."""
    return (each for each in stretches(path) if each.scope == scope and each.granted)


def ask_for_ever(guard: BreakerGuard, scopes: Sequence[str], log: PermitLog) -> None:
    """Ask for each of `scopes` fifty times a second. Runs for ever."""
    payouts = 0
    while True:
        began_at = time.monotonic()
        for scope in scopes:
            payouts += 1
            asked_ns = time.monotonic_ns()
            log.note(scope, guard.permit(scope, payout_id=f"payout-{payouts}"), asked_ns)
        time.sleep(max(0.0, 1 / ASKED_A_SECOND - (time.monotonic() - began_at)))


def main() -> None:
    """Follow the breaker and ask until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--keys", type=Path, required=True)
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("scopes", nargs="+")
    said = parser.parse_args()
    with BreakerGuard.kafka(said.bootstrap, keys=said.keys, client_id=said.client_id) as guard:
        ask_for_ever(guard, said.scopes, PermitLog(said.log))


if __name__ == "__main__":
    main()
