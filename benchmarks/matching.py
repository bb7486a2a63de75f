"""G5: a day of a million bank items and a million ledger items, matched and stored, against polars.

Three passes by strong references, equal ones by occurrence. Ours reads the book's tables, stores
every match durably and every open item with its reason; polars joins frames that are in memory
already, and stores nothing. How many match is compared.
"""

import asyncio
import os
import time
from datetime import UTC, date, datetime

import asyncpg
import polars as pl

from benchmarks.stage import median, quiet
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.calendars import WEEKDAYS, Calendars
from recon_streams.matching.request import MatchAccount, MatchRequest
from recon_streams.matching.rules import MatchingRules, ReferencePass
from recon_streams.matching.run import run_matching
from recon_streams.testing.postgres import TestPostgres

ITEMS = int(os.environ.get("BENCH_ITEMS", "1000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
ACCOUNTS = 100
UNITS = 2  # as many as the machine has processors
OPEN_IN = 1_000  # one item of so many has no partner
DAY = date(2026, 3, 2)
KEYS = [("uetr", "uetr"), ("servicer_reference", "bank_reference"), ("end_to_end_id", "reference")]
RULES = MatchingRules(
    references=tuple(
        ReferencePass(name=bank, bank=bank, ledger=ledger)  # type: ignore[arg-type]  # they are fields
        for bank, ledger in KEYS
    )
)

# Six in ten have a UETR on both sides, two the bank's reference, two nothing but an end-to-end id;
# some of those stand five times with the same amount. Amounts repeat, days lie up to one apart.
_BANK = """
INSERT INTO positions.bank_entry (number, sequence, part, arrived_on, booked_on, amount, net, uetr,
    servicer_reference, end_to_end_id, counterparty, code, reversal, message, origin, path)
SELECT i % {accounts} + 1, i, 0, '2026-03-02', '2026-03-02', 10 + i % 997 * 0.01,
    10 + i % 997 * 0.01, CASE WHEN i / {accounts} % 10 < 6 THEN md5('u' || i)::uuid::text END,
    'SR' || i, CASE WHEN i % 1000 = 7 THEN 'RENT' ELSE 'E2E' || i END, 'Party ' || i % 5000,
    'PMNT', false, 'camt.053', 'bank.statements/0/1', 'Stmt[1]/Ntry[' || i || ']'
FROM generate_series(1, {items}) AS i
"""
_LEDGER = """
INSERT INTO positions.ledger_record (number, movement_id, content, ledger_sequence, amount,
    reference, names_payment, sequence, kind, occurred_at, uetr, bank_reference)
SELECT i % {accounts} + 1, 'mv-' || i, sha256(i::text::bytea), i, 10 + i % 997 * 0.01,
    CASE WHEN i % {open_in} = 1 THEN 'NONE' || i WHEN i % 1000 = 7 THEN 'RENT'
        ELSE 'E2E' || i END, true, {items} + i, 'issue',
    timestamptz '2026-03-01 12:00Z' + i % 86400 * interval '1 s',
    CASE WHEN i / {accounts} % 10 < 6 AND i % {open_in} <> 1 THEN md5('u' || i)::uuid::text END,
    CASE WHEN i / {accounts} % 10 IN (6, 7) AND i % {open_in} <> 1 THEN 'SR' || i END
FROM generate_series(1, {items}) AS i
"""


def main() -> None:
    asyncio.run(_main())


async def _main() -> None:
    server = TestPostgres()
    await server.start()
    try:
        await asyncio.to_thread(migrate, server.dsn)
        owner = await asyncpg.connect(server.dsn)
        await _fill(owner)
        bank, ledger = await _frames(owner)
        pool = await open_pool(server.dsn, size_max=UNITS)
        print(f"{ITEMS} x {ITEMS} items of {ACCOUNTS} accounts, {quiet()}")
        bare, ours = [], []
        for number in range(ROUNDS):
            began = time.perf_counter()
            joined = _polars(bank, ledger)
            bare.append(time.perf_counter() - began)
            seconds, matched = await _run(pool, owner, number)
            ours.append(seconds)
            assert joined == matched, f"polars matches {joined}, we {matched}"
            print(f"round {number}: polars {bare[-1]:.2f} s, ours {seconds:.2f} s, {quiet()}")
        print(
            f"G5  matched and stored / polars joins = {median(ours) / median(bare):.1f}   "
            f"(goal <= 8), {median(ours):.1f} s, best {min(ours):.1f} s (goal <= 10), {quiet()}"
        )
        await pool.close()
        await owner.close()
    finally:
        await server.remove()


async def _fill(owner: asyncpg.Connection) -> None:
    words = {"accounts": ACCOUNTS, "items": ITEMS, "open_in": OPEN_IN}
    for statement in (_BANK, _LEDGER):
        await owner.execute(statement.format(**words))
    await owner.execute(
        "INSERT INTO positions.account (number, account_id, currency) OVERRIDING SYSTEM VALUE "
        "SELECT n, 'BENCH-' || n, 'EUR' FROM generate_series(1, $1) AS n",
        ACCOUNTS,
    )
    await owner.execute(
        "INSERT INTO positions.account_state (number, version, state, tier, raw_tier, rule, "
        "breaker, reserved, explained, evaluated_at) SELECT number, $1, '', 'OK', 'OK', '', "
        "'CLOSED', 0, 0, now() FROM positions.account",
        2 * ITEMS,
    )
    await owner.execute("VACUUM ANALYZE")
    await owner.execute("CHECKPOINT")


async def _frames(owner: asyncpg.Connection) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return both sides as polars would have read them from files; amounts in cents."""
    frames = []
    for table, fields in (
        ("bank_entry", [bank for bank, _ in KEYS]),
        ("ledger_record", [ledger for _, ledger in KEYS]),
    ):
        names = ["number", "sequence", "cents", *fields]
        rows = await owner.fetch(
            f"SELECT number, sequence, (amount * 100)::int AS cents, {', '.join(fields)} "
            f"FROM positions.{table}"
        )
        columns = {name: [row[name] for row in rows] for name in names}
        frames.append(pl.DataFrame(columns, infer_schema_length=None))
    return frames[0], frames[1]


def _polars(bank: pl.DataFrame, ledger: pl.DataFrame) -> int:
    """Return how many pairs three passes of joins find."""
    found = 0
    for mine, yours in KEYS:
        left = bank.filter(pl.col(mine).is_not_null())
        right = ledger.filter(pl.col(yours).is_not_null())
        left = left.with_columns(
            pl.col("sequence").cum_count().over("number", "cents", mine).alias("k")
        )
        right = right.with_columns(
            pl.col("sequence").cum_count().over("number", "cents", yours).alias("k")
        )
        pairs = left.join(
            right,
            left_on=["number", "cents", mine, "k"],
            right_on=["number", "cents", yours, "k"],
            suffix="_right",
        )
        found += pairs.height
        bank = bank.join(pairs.select("sequence"), on="sequence", how="anti")
        ledger = ledger.join(
            pairs.select(pl.col("sequence_right").alias("sequence")), on="sequence", how="anti"
        )
    return found


async def _run(pool: asyncpg.Pool, owner: asyncpg.Connection, number: int) -> tuple[float, int]:
    """Match everything from nothing; return the seconds and how many pairs were stored."""
    await owner.execute(
        "TRUNCATE matching.match, matching.open_item, matching.progress, matching.run, "
        "matching.run_account, matching.suggestion"
    )
    await owner.execute("CHECKPOINT")
    calendar = Calendars({}).named(WEEKDAYS)
    accounts = [
        MatchAccount(number=n, currency="EUR", zone="Asia/Dubai", calendar=calendar)
        for n in range(1, ACCOUNTS + 1)
    ]

    async def one(place: int) -> None:
        request = MatchRequest(
            run=f"bench {number} {place}",
            accounts=tuple(accounts[place::UNITS]),
            on=DAY,
            at=datetime(2026, 3, 3, tzinfo=UTC),
            rules=RULES,
        )
        async with UnitOfWork(pool) as unit:
            await run_matching(unit, request)

    began = time.perf_counter()
    await asyncio.gather(*map(one, range(UNITS)))
    seconds = time.perf_counter() - began
    return seconds, await owner.fetchval("SELECT count(*) FROM matching.match")


if __name__ == "__main__":
    main()
