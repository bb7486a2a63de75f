"""What a guard does without any log: wrong settings, a follower that dies, what it imports."""

import ast
import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import recon_streams.client
from recon_streams.client.guard import AsyncBreakerGuard, BreakerGuard
from recon_streams.client.permit import Permit
from recon_streams.client_drivers.port import Look, now_ms

A = "account:A:AED"
KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "kid": "k",
}
FORBIDDEN = (
    "faust",
    "lxml",
    "pydantic",
    "structlog",
    "aiokafka",
    "asyncpg",
    "typer",
    "redis",
    "sqlalchemy",
    "uvloop",
)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [KEY]}))
    return path


class EmptyLog:
    """A log with nothing in it, which fails in the way it is told to."""

    UNREACHABLE: tuple[type[Exception], ...] = (OSError,)

    def __init__(self) -> None:
        self.failures: list[BaseException] = []
        self.is_open = False
        self.opened = 0

    async def open(self) -> None:
        self.is_open = True
        self.opened += 1

    async def look(self, first: int) -> Look:
        await asyncio.sleep(0.01)
        if self.failures:
            raise self.failures.pop()
        return Look(now_ms(), 0, (), first)

    async def acknowledge(self, client_id: str, value: bytes) -> None:
        raise OSError(f"{client_id} cannot send {value!r}")

    async def close(self) -> None:
        self.is_open = False


async def becomes(guard: Any, reason: str) -> None:
    async with asyncio.timeout(5):
        while guard.permit(A).reason != reason:
            await asyncio.sleep(0.01)


def test_a_guard_that_is_not_started_denies(keys: Path) -> None:
    guard = BreakerGuard(EmptyLog(), keys=keys, client_id="payouts-1")
    answer = guard.permit(A, payout_id="p-1")
    assert (answer.granted, answer.reason, answer.payout_id) == (False, "NOT_RUNNING", "p-1")


async def test_a_guard_whose_follower_dies_denies_and_can_be_left(keys: Path) -> None:
    log = EmptyLog()
    with BreakerGuard(log, keys=keys, client_id="payouts-1") as guard:
        await becomes(guard, "NO_LEASE")
        log.failures.append(ZeroDivisionError("a defect"))
        await becomes(guard, "NOT_RUNNING")
    assert not log.is_open


async def test_a_guard_on_asyncio_whose_follower_dies_denies_and_can_be_left(keys: Path) -> None:
    log = EmptyLog()
    async with AsyncBreakerGuard(log, keys=keys, client_id="payouts-1") as guard:
        await becomes(guard, "NO_LEASE")
        log.failures.append(ZeroDivisionError("a defect"))
        await becomes(guard, "NOT_RUNNING")
    assert not log.is_open


async def test_a_log_that_goes_away_is_connected_to_again(keys: Path) -> None:
    log = EmptyLog()
    async with AsyncBreakerGuard(log, keys=keys, client_id="payouts-1") as guard:
        await becomes(guard, "NO_LEASE")
        log.failures.append(OSError("the log went away"))
        async with asyncio.timeout(5):
            while log.opened < 2:
                await asyncio.sleep(0.01)
        await becomes(guard, "NO_LEASE")


def test_many_threads_may_ask_at_once(keys: Path) -> None:
    kept: list[Permit] = []
    with BreakerGuard(EmptyLog(), keys=keys, client_id="payouts-1") as guard:
        guard.on_permit = kept.append
        threads = [
            threading.Thread(target=lambda: [guard.permit(A) for _ in range(500)]) for _ in "1234"
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert len(kept) == 2_000
    assert sum(guard.counts().values()) == 2_000


def test_an_answer_that_cannot_be_kept_is_no_answer(keys: Path) -> None:
    guard = BreakerGuard(EmptyLog(), keys=keys, client_id="payouts-1")

    def refuse(_: Permit) -> None:
        raise OSError("the disk is full")

    guard.on_permit = refuse
    with pytest.raises(OSError, match="the disk is full"):
        guard.permit(A)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        ("{", "keys.json"),
        ("[]", "keys.json"),
        ('{"keys": []}', "there is none"),
        (
            '{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "k"}]}',
            "there is none",
        ),
        (json.dumps({"keys": [{**KEY, "x": "AAAA"}]}), "32 bytes"),
        (json.dumps({"keys": [{"crv": "Ed25519"}]}), "kid"),
    ],
)
def test_keys_that_cannot_be_used_are_named(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "keys.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=said) as refused:
        BreakerGuard(EmptyLog(), keys=path, client_id="payouts-1")
    assert "keys.json" in str(refused.value)


def test_a_client_id_that_no_acknowledgement_could_bear_is_refused(keys: Path) -> None:
    with pytest.raises(ValueError, match="client_id"):
        BreakerGuard(EmptyLog(), keys=keys, client_id="payouts 1")


@pytest.mark.parametrize("safety_ms", [0, 15_000])
def test_a_safety_that_is_none_or_leaves_nothing_is_refused(keys: Path, safety_ms: int) -> None:
    with pytest.raises(ValueError, match="safety_ms"):
        BreakerGuard(EmptyLog(), keys=keys, client_id="payouts-1", safety_ms=safety_ms)


def test_the_client_needs_nothing_of_the_daemon() -> None:
    script = f"""
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        parts = name.split(".")
        ours = name.startswith("recon_streams.") and not parts[1].startswith("client")
        if parts[0] in {FORBIDDEN!r} or parts[0] == "agents" or ours:
            raise ImportError("the client may not need " + name)
sys.meta_path.insert(0, Wall())
from recon_streams.client.guard import AsyncBreakerGuard, BreakerGuard
print(BreakerGuard.__name__)
try:
    import recon_streams.kernel.money
except ImportError as wall:
    print(wall)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == "BreakerGuard"
    assert "may not need recon_streams.kernel" in done.stdout


@pytest.mark.parametrize(("module", "own"), [("kafka", "aiokafka"), ("postgres", "asyncpg")])
def test_each_log_needs_its_own_driver_and_no_other(module: str, own: str) -> None:
    others = tuple(name for name in FORBIDDEN if name != own)
    script = f"""
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {others!r}:
            raise ImportError("the client may not need " + name)
sys.meta_path.insert(0, Wall())
import recon_streams.client_drivers.{module}
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stderr


def test_the_client_imports_itself_the_contract_and_its_few_libraries() -> None:
    allowed = {"topics", "msgspec", "cryptography", "aiokafka", "asyncpg"}
    home = Path(recon_streams.client.__file__).parents[1]
    for path in [*(home / "client").rglob("*.py"), *(home / "client_drivers").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                root = name.split(".")[0]
                known = root in sys.stdlib_module_names or root in allowed
                assert known or name.startswith("recon_streams.client"), f"{path.name}: {name}"


async def test_a_client_that_cancels_a_part_of_itself_does_not_end_the_guard(keys: Path) -> None:
    log = EmptyLog()
    async with AsyncBreakerGuard(log, keys=keys, client_id="payouts-1") as guard:
        await becomes(guard, "NO_LEASE")
        log.failures.append(asyncio.CancelledError())
        async with asyncio.timeout(5):
            while log.opened < 2:
                await asyncio.sleep(0.01)
        await becomes(guard, "NO_LEASE")


async def test_acknowledgements_that_end_for_good_are_told_and_permits_go_on(
    keys: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(EmptyLog):
        async def acknowledge(self, client_id: str, value: bytes) -> None:
            raise TypeError(f"an option that no producer takes: {client_id} {value!r}")

    async with AsyncBreakerGuard(Broken(), keys=keys, client_id="payouts-1") as guard:
        await becomes(guard, "NO_LEASE")
        async with asyncio.timeout(5):
            while "has ended for good" not in caplog.text:
                await asyncio.sleep(0.01)
        assert guard.is_caught_up
