"""A camt.053 of a million entries, from the file to the anchor: cut, sent, read, booked, closed.

The file goes through the command that publishes bank files onto the log in PostgreSQL; one worker
process takes the pages in. What it booked is compared with the sum the file was written from, and
the anchor with its closing. Time is from the start of the command; memory is the worker's at its
peak, and no page may open the breaker.
"""

import asyncio
import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import asyncpg

from benchmarks.stage import BenchStage, quiet, stage

ENTRIES = int(os.environ.get("BENCH_STATEMENT_ENTRIES", "1000000"))
SECONDS_MAX = int(os.environ.get("BENCH_STATEMENT_SECONDS_MAX", "1800"))
DAY = "2026-03-02"
OPENING = Decimal(1_000_000)
IBAN = "DE89370400440532013000"

# About 460 bytes, the usual size: two references of the bank's, the payer's, and a text.
_ENTRY = """<Ntry><NtryRef>{n}</NtryRef><Amt Ccy="EUR">{a}</Amt><CdtDbtInd>{d}</CdtDbtInd><Sts>
<Cd>BOOK</Cd></Sts><BookgDt><Dt>{on}</Dt></BookgDt><ValDt><Dt>{on}</Dt></ValDt>
<AcctSvcrRef>SVC-{n}</AcctSvcrRef><BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs>
<EndToEndId>E-{n}</EndToEndId></Refs><Amt Ccy="EUR">{a}</Amt><CdtDbtInd>{d}</CdtDbtInd>
<RmtInf><Ustrd>Invoice {n}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
"""
_BALANCE = (
    "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
    "<CdtDbtInd>{d}</CdtDbtInd><Dt><Dt>{on}</Dt></Dt></Bal>"
)
_REGISTRY = f"""accounts:
  - account_id: LARGE
    currency: EUR
    bank_accounts: [{{iban: {IBAN}}}]
    silence: {{bank_seconds_max: 31536000, ledger_seconds_max: 31536000}}
    opening: {{bank: "{OPENING}", ledger: "{OPENING}", as_of: "{DAY}T00:00:00+00:00"}}
"""
# So many entries credit, then as many debit the same amounts: page by page the balance would swing
# far, and at the end of an even number of stretches it is the ledger's again.
_STRETCH = 20_000


def main() -> None:
    with stage() as site:
        registry = site.directory / "accounts.yaml"
        registry.write_text(_REGISTRY)
        file = site.directory / "statement.xml"
        total = write_statement(file, ENTRIES)
        dsn = site.fresh_book("large", registry)
        site.command("topics", "apply", "--dsn", dsn)
        print(f"camt.053 of {ENTRIES:,} entries, {file.stat().st_size / 1e6:,.0f} MB, {quiet()}")
        began = time.perf_counter()
        worker = _worker(site, dsn)
        try:
            site.command("publish", str(file), "--dsn", dsn)
            published = time.perf_counter() - began
            print(f"cut and published in {published:.0f} s", flush=True)
            asyncio.run(_closed(dsn, worker))
            seconds = time.perf_counter() - began
            peak = _peak_mebibytes(worker.pid)
            asyncio.run(_check(dsn, total))
        finally:
            worker.terminate()
            worker.wait(60)
        print(
            f"large statement: {seconds:.0f} s (goal <= 600), {ENTRIES / seconds:,.0f} entries/s, "
            f"worker at most {peak} MiB (goal <= 512), {quiet()}"
        )


def write_statement(path: Path, entries: int) -> Decimal:
    """Write a statement that adds up to `path`; return what its entries add up to, signed."""
    total = Decimal(0)
    amounts = []
    for n in range(entries):
        amount = Decimal(100 + n % _STRETCH * 7919 % 100_000).scaleb(-2)
        is_credit = n // _STRETCH % 2 == 0
        amounts.append((amount, "CRDT" if is_credit else "DBIT"))
        total += amount if is_credit else -amount
    ends = {"OPBD": OPENING, "CLBD": OPENING + total}
    balances = "".join(
        _BALANCE.format(code=code, amount=abs(end), d="CRDT" if end >= 0 else "DBIT", on=DAY)
        for code, end in ends.items()
    )
    with path.open("w") as file:
        file.write(
            "<?xml version='1.0' encoding='UTF-8'?>\n"
            "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt>"
            f"<GrpHdr><MsgId>M</MsgId><CreDtTm>{DAY}T23:00:00Z</CreDtTm></GrpHdr><Stmt><Id>S</Id>"
            f"<CreDtTm>{DAY}T23:00:00Z</CreDtTm><Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy>"
            f"</Acct>{balances}\n"
        )
        for n, (amount, direction) in enumerate(amounts):
            file.write(_ENTRY.format(n=n, a=amount, d=direction, on=DAY))
        file.write("</Stmt></BkToCstmrStmt></Document>\n")
    return total


def _worker(site: BenchStage, dsn: str) -> "subprocess.Popen[bytes]":
    with (site.directory / "worker.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "agents.cli", "worker", "--telemetry-port", "0", "--dsn", dsn],
            stdout=log,
            stderr=log,
        )


async def _closed(dsn: str, worker: "subprocess.Popen[bytes]") -> None:
    """Wait until the statement counts."""
    connection = await asyncpg.connect(dsn)
    deadline = time.monotonic() + SECONDS_MAX
    shown = 0.0
    while not await connection.fetchval(
        "SELECT EXISTS (SELECT FROM positions.statement WHERE status = 'ACCEPTED')"
    ):
        assert worker.poll() is None, f"the worker left with {worker.returncode}"
        assert time.monotonic() < deadline, "the statement did not close in time"
        if time.monotonic() > shown + 30:
            shown = time.monotonic()
            pages = await connection.fetchval("SELECT count(*) FROM positions.statement_page")
            print(
                f"  {pages} pages, worker {_peak_mebibytes(worker.pid)} MiB, {quiet()}", flush=True
            )
        await asyncio.sleep(0.25)
    await connection.close()


async def _check(dsn: str, total: Decimal) -> None:
    connection = await asyncpg.connect(dsn)
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM positions.bank_entry) AS entries, "
        "(SELECT sum(net) FROM positions.bank_entry) AS booked, "
        "(SELECT sum(net) FROM positions.bank_day) AS days, s.bank, s.state, "
        "(SELECT count(*) FROM breaker.transition WHERE to_state = 'OPEN') AS opened "
        "FROM positions.account_state AS s"
    )
    await connection.close()
    assert row["entries"] == ENTRIES, row["entries"]
    assert row["booked"] == row["days"] == total, (row["booked"], row["days"], total)
    assert row["bank"] == OPENING + total, row["bank"]
    assert b'"stated_on":"2026-03-02"' in row["state"]
    assert row["opened"] == 0, "a page opened the breaker"


def _peak_mebibytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    main()
