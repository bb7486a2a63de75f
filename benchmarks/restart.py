"""G9: how long a worker takes to its first decision beside 100,000 accounts, a million events.

From the start of the process to the commit of a record that waited for it, on the Postgres log.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal

import asyncpg

from agents.logs import postgres_logs
from benchmarks.stage import median, quiet, stage
from recon_streams.book.connection import open_pool
from recon_streams.kernel.clock import utc_now
from recon_streams.log.record import OutgoingRecord
from recon_streams.positions.registry_store import apply_registry
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening
from recon_streams.testing.traffic import Plan, Traffic, bank_id_of

ACCOUNTS = int(os.environ.get("BENCH_ACCOUNTS", "100000"))
EVENTS_EACH = 10
ROUNDS = 3


def main() -> None:
    with stage() as site:
        dsn = site.fresh_book("restart")
        began = time.perf_counter()
        asyncio.run(_register(dsn))
        print(f"registered {ACCOUNTS} accounts in {time.perf_counter() - began:.0f} s")
        site.command("topics", "apply", "--dsn", dsn)
        asyncio.run(_age(dsn))
        seconds = [_round(dsn, number) for number in range(ROUNDS + 1)][1:]
        print(f"G9  restart to first decision {median(seconds):.2f} s (goal <= 3), {quiet()}")


def _round(dsn: str, number: int) -> float:
    asyncio.run(_append(dsn, number))
    began = time.perf_counter()
    worker = subprocess.Popen(
        [sys.executable, "-m", "agents.cli", "worker", "--telemetry-port", "0", "--dsn", dsn],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        asyncio.run(_decided(dsn, number + 1))
        return time.perf_counter() - began
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)


async def _register(dsn: str) -> None:
    definitions = [
        AccountDefinition(
            account_id=account,
            currency="AED",
            scale=2,
            bank_accounts=(BankAccount(identification=bank_id_of(account)),),
            opening=Opening(as_of=utc_now(), bank=Decimal(1000), ledger=Decimal(1000)),
        )
        for account in Traffic(Plan(inputs=1, accounts=ACCOUNTS)).accounts()
    ]
    pool = await open_pool(dsn)
    await apply_registry(pool, definitions, source="bench", actor="bench", now=utc_now())
    await pool.close()


async def _age(dsn: str) -> None:
    """Give each account a history: rows a restart must not have to read."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "INSERT INTO positions.account_event (number, sequence, rules_version, event) "
        "SELECT e.number, -s, 1, e.event FROM positions.account_event e, "
        f"generate_series(1, {EVENTS_EACH - 1}) s"
    )
    await connection.close()


async def _append(dsn: str, number: int) -> None:
    pool = await open_pool(dsn)
    record = (
        f'{{"kind":"issue","movement_id":"r-{number}","account_id":"STORM-00007",'
        f'"currency":"AED","ledger_sequence":{number + 1},"amount":"1.00",'
        f'"occurred_at":"{utc_now().isoformat()}"}}'
    )
    writer = postgres_logs(pool, group="bench").writer
    await writer.append([OutgoingRecord("ledger.movements", b"STORM-00007", record.encode())])
    await pool.close()


async def _decided(dsn: str, inputs: int) -> None:
    connection = await asyncpg.connect(dsn)
    while await connection.fetchval("SELECT count(*) FROM book.input") < inputs:
        await asyncio.sleep(0.01)
    await connection.close()


if __name__ == "__main__":
    main()
