"""The command shows what is stored, after proving that it is what was stored."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.reports import store
from recon_streams.reports.as_json import as_json
from recon_streams.reports.dataset import EodDataset, IntradayDataset, dataset_bytes, digest_of


async def _command(*words: str, code: int = 0) -> str:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "agents.cli", "report", *words],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, (done.stdout, done.stderr)
    assert b"Traceback" not in done.stderr
    return (done.stdout or done.stderr).decode()


@pytest.mark.postgres
async def test_reports_are_listed_shown_and_exported(
    book: asyncpg.Pool, database: str, eod: EodDataset, intraday: IntradayDataset, tmp_path: Path
) -> None:
    async with UnitOfWork(book) as unit:
        await store.put(unit, eod)
        await store.put(unit, intraday)
    where = ("--dsn", database)
    sha256 = digest_of(dataset_bytes(eod))

    listed = await _command("list", *where)
    assert "eod-2026-11-20-v1" in listed
    assert sha256 in listed
    # ZM-FLOAT has no statement: that is no difference of zero.
    assert "ZMW none (no balance to compare)" in listed
    assert "ZMW 0" not in listed
    only = json.loads(await _command("list", "--kind", "intraday", "-o", "json", *where))
    assert [each["kind"] for each in only] == ["intraday"]
    assert "no report" in await _command("list", "--from", "2027-01-01", *where)

    shown = await _command("show", "eod-2026-11-20-v1", *where)
    assert "balance per ledger" in shown
    assert "4,999,880.00" in shown
    assert "because the bank is short by 950.00" in shown
    assert "open at 2026-11-20 20:15 UTC: 1 BALANCE_MISMATCH" in shown
    assert sha256 in shown
    window = "intraday-20261120T080000Z-20261120T083000Z-v1"
    intraday_page = " ".join((await _command("show", window, *where)).split())
    assert "between the legs 500.00, unexplained -10.00" in intraday_page
    assert "the bank answered: 4,992,290.00 as of 2026-11-20 08:29:58 UTC" in intraday_page
    exported = await _command("show", "eod-2026-11-20-v1", "-o", "json", *where)
    assert json.loads(exported)["sha256"] == sha256

    file = tmp_path / "report.json"
    await _command("export", "eod-2026-11-20-v1", "--format", "json", "--out", str(file), *where)
    assert sha256 in await _command("verify", str(file))
    # Whoever signed is not in the hash: an export whose signatures were edited has the same one.
    forged = json.loads(file.read_text())
    forged["signatures"] = [{"actor": "nobody", "action": "CLOSE"}]
    file.write_text(json.dumps(forged))
    said = await _command("verify", str(file))
    assert "signatures: not proven by this file; `report show ID` asks the book" in said
    (answer,) = json.loads(await _command("verify", str(file), "-o", "json"))
    assert (answer["problems"], answer["not_proven"]) == ([], ["signatures"])
    page = await _command("export", "eod-2026-11-20-v1", "--format", "html", *where)
    assert sha256 in page
    table = await _command("export", "eod-2026-11-20-v1", "--format", "csv", "--bom", *where)
    assert table.startswith("\ufeff")
    assert "no report is called" in await _command("show", "eod-1-v1", *where, code=1)


async def test_a_file_that_was_touched_fails_the_check(eod: EodDataset, tmp_path: Path) -> None:
    file = tmp_path / "touched.json"
    file.write_text(as_json(dataset_bytes(eod)).replace('"proof": "-450"', '"proof": "0"'))
    said = await _command("verify", str(file), code=5)
    assert "names the hash" in said
    assert "proof = difference - explained" in said
    file.write_text("<html>")
    assert "not JSON" in await _command("verify", str(file), code=5)


async def test_the_check_runs_with_nothing_but_python(eod: EodDataset, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(as_json(dataset_bytes(eod)))
    alone = Path(__file__).parents[2] / "recon_streams/reports/verify.py"
    command = [sys.executable, "-I", "-S", str(alone), str(file)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert digest_of(dataset_bytes(eod)).encode() in done.stdout
