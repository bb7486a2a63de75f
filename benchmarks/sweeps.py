"""G14: how long `up` takes to sweep 1,000 accounts, each beside an answer of its bank.

From the request until the last sweep is decided. The bank is a stub on loopback that answers each
question after 20 ms; the baseline is a bare client that asks it the same, so many at a time.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import asyncpg
import uvloop

from agents.address import read_address
from benchmarks.stage import median, quiet
from recon_streams.book.connection import open_pool
from recon_streams.kernel.clock import utc_now
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.sweeps.status import decided_of, request_sweeps
from recon_streams.testing.stub_bank import StubBank

ACCOUNTS = int(os.environ.get("BENCH_ACCOUNTS", "1000"))
CONCURRENCY = 64
ROUNDS = 5


def main() -> None:
    directory = Path(tempfile.mkdtemp(prefix="recon-bench-sweeps-"))
    directory.chmod(0o711)
    try:
        uvloop.run(_measure(directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _measure(directory: Path) -> None:
    bank = StubBank()
    bank.delay_seconds = 0.02
    names = [f"SWEPT-{number:05}" for number in range(ACCOUNTS)]
    bank.balances = dict.fromkeys(names, "1000")
    await bank.start()
    (directory / "connectors.yaml").write_text(bank.file)
    (directory / "accounts.yaml").write_text(_registry(names))
    data = directory / "data"
    with (directory / "up.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - nothing else waits here yet
            [sys.executable, "-m", "agents.cli", "up", "--telemetry-port", "0",
             "--data", str(data), "--accounts", str(directory / "accounts.yaml")],
            stdout=log, stderr=log,
            env={**os.environ, "RECON__SWEEPS__CONNECTORS_FILE": str(directory / "connectors.yaml"),
                 "RECON__SWEEPS__CONCURRENCY": str(CONCURRENCY)},
        )  # fmt: skip
    try:
        while not (data / "address.json").exists():
            await asyncio.sleep(0.1)
            assert process.poll() is None, (directory / "up.log").read_text()[-2000:]
        pool = await open_pool(read_address(data).dsn)
        await asyncio.sleep(8)  # the worker takes its partitions, its first outbox leaves
        bare = await _bare(bank, names)
        rounds = [await _round(pool, number) for number in range(ROUNDS + 1)][1:]
        print(f"{ACCOUNTS} accounts, {CONCURRENCY} banks at a time, 20 ms each, {quiet()}")
        print(f"bare client {bare:.2f} s")
        print(f"G14 sweep of all {median(rounds):.2f} s (goal <= 3), slowest {max(rounds):.2f} s")
        states = await pool.fetch(
            "SELECT verdict, bank_state, table_state, count(*) FROM sweeps.sweep "
            "WHERE request_id <> '' GROUP BY 1, 2, 3"
        )
        print("    " + ", ".join(f"{row[0]} {row[1]} {row[2]}: {row[3]}" for row in states))
        await pool.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        await bank.stop()


async def _round(pool: asyncpg.Pool, number: int) -> float:
    directory = await DirectoryCache().current(pool)
    rows = await pool.fetch("SELECT number FROM positions.account")
    accounts = [directory.by_number(row["number"]) for row in rows]
    request = f"bench-{number}"
    began = time.perf_counter()
    await request_sweeps(pool, accounts, request, now=utc_now())
    while await decided_of(pool, request) < len(accounts):
        await asyncio.sleep(0.02)
        assert time.perf_counter() - began < 60, f"{await decided_of(pool, request)} decided"
    return time.perf_counter() - began


async def _bare(bank: StubBank, names: list[str]) -> float:
    room = asyncio.Semaphore(CONCURRENCY)
    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one(name: str) -> None:
            async with room, session.get(f"{bank.address}/accounts/{name}") as answer:
                await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*(one(name) for name in names))
        return time.perf_counter() - began


def _registry(names: list[str]) -> str:
    lines = ["accounts:"]
    for name in names:
        lines += [
            f"  - account_id: {name}",
            "    currency: AED",
            f'    bank_accounts: [{{other: "{name}"}}]',
            "    sweep: {connector: stub}",
            f'    opening: {{bank: "1000", ledger: "1000", as_of: "{utc_now().isoformat()}"}}',
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
