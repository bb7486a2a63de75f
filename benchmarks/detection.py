"""What a detection benchmark sends and when it hears of it; the same for every log.

Every tenth notification is the first of its account and a debit nobody announced, so it opens the
breaker. Time counts from when a message was due, so a slow sender cannot hide a slow system.
"""

import asyncio
import os
import time
from dataclasses import dataclass, field

import msgspec

from benchmarks.stage import notifications, quiet
from recon_streams.testing.traffic import Traffic

RATE = int(os.environ.get("BENCH_RATE", "1000"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "12"))
WARM_UP_SECONDS = 2
TOPIC = "bank.notifications"


@dataclass
class Detection:
    """When each message was due, and how long it took to be read and to trip a breaker."""

    values: list[bytes]
    due_of: dict[bytes, float] = field(default_factory=dict)
    tripping: dict[str, float] = field(default_factory=dict)
    tripped: set[str] = field(default_factory=set)
    bare_seconds: list[float] = field(default_factory=list)
    trip_seconds: list[float] = field(default_factory=list)
    began: float = 0.0

    async def wait_for(self, number: int) -> None:
        """Wait until message `number` is due."""
        self.began = self.began or time.perf_counter()
        wait = self.began + number / RATE - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)

    def sending(self, number: int, *, with_number: int | None = None) -> bytes:
        """Note that message `number` is due now; return the account, which is its key.

        One that is sent together with an earlier one is due when that is.
        """
        due = self.began + (number if with_number is None else with_number) / RATE
        self.due_of[_marker(self.values[number])] = due
        account = f"STORM-{(number // 10):05}"
        if number % 10 == 0 and due > self.began + WARM_UP_SECONDS:
            self.tripping[f"account:{account}:AED"] = due
        return account.encode()

    def heard_message(self, value: bytes) -> None:
        """Note that a second reader has `value`."""
        due = self.due_of[_marker(value)]
        if due > self.began + WARM_UP_SECONDS:
            self.bare_seconds.append(time.perf_counter() - due)

    def heard_breaker(self, key: bytes | None, value: bytes) -> None:
        """Note that a payout service can read a breaker record."""
        if key == b"_lease":
            return
        state = msgspec.json.decode(value)
        scope = state["scope"]
        # What is written again is no news.
        if state["state"] == "OPEN" and scope in self.tripping and scope not in self.tripped:
            self.tripped.add(scope)
            self.trip_seconds.append(time.perf_counter() - self.tripping[scope])

    async def all_heard(self) -> None:
        """Wait until every trip was heard, or fail after a minute."""
        deadline = time.perf_counter() + 60
        while len(self.trip_seconds) < len(self.tripping):
            heard = f"{len(self.trip_seconds)} of {len(self.tripping)} trips were heard"
            assert time.perf_counter() < deadline, heard
            await asyncio.sleep(0.1)

    def report(self, name: str, bare: str) -> None:
        """Print both distributions and their ratio."""
        print(f"{name}, {RATE}/s for {SECONDS} s, {len(self.trip_seconds)} trips, {quiet()}")
        print(f"{bare:<34}{_line(self.bare_seconds)}")
        print(f"{'sent -> breaker readable':<34}{_line(self.trip_seconds)}")
        ratio = _percentile(self.trip_seconds, 0.99) / _percentile(self.bare_seconds, 0.99)
        print(f"G3  {name} p99 ratio = {ratio:.1f}   (goal <= 4)")


def prepared() -> tuple[Traffic, Detection]:
    """Return the messages of one run and the accounts they are about."""
    count = RATE * SECONDS
    traffic, records = notifications(count, accounts=count // 10)
    values = [_shaped(number, record.value or b"") for number, record in enumerate(records)]
    return traffic, Detection(values)


def _shaped(number: int, value: bytes) -> bytes:
    account = f"BANK-{(number // 10):05}".encode()
    start = value.index(b"<Othr><Id>") + 10
    value = value[:start] + account + value[value.index(b"</Id>", start) :]
    if number % 10 == 0:
        return value.replace(b">CRDT<", b">DBIT<")
    return value.replace(b">DBIT<", b">CRDT<")


def _marker(value: bytes) -> bytes:
    return value[value.index(b"<MsgId>") : value.index(b"</MsgId>")]


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _line(values: list[float]) -> str:
    p50, p99 = _percentile(values, 0.5) * 1000, _percentile(values, 0.99) * 1000
    return f"p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   max {max(values) * 1000:6.1f} ms"
