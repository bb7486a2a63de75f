"""`rules` and `matches` as a person or a program meets them."""

import asyncio
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import asyncpg
from matching_books import Books
from matching_notation import MONDAY, bank, ledger

from recon_streams.kernel.clock import utc_now
from recon_streams.positions.registry_store import apply_registry
from recon_streams.registry.definition import AccountDefinition, BankAccount

ROOT = Path(__file__).resolve().parents[2]


async def command(dsn: str, *words: str, code: int = 0) -> str:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "agents.cli", *words, "--dsn", dsn],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr


async def test_a_day_is_looked_through_decided_by_hand_and_taken_apart(
    pool: asyncpg.Pool, database: str, tmp_path: Path
) -> None:
    books = Books(pool, database)
    definition = AccountDefinition(
        account_id="SAFE",
        currency="EUR",
        scale=2,
        bank_accounts=(BankAccount(identification="B1"),),
    )
    await apply_registry(books.pool, [definition], source="t", actor="t", now=utc_now())
    number = await books.pool.fetchval(
        "SELECT number FROM positions.account WHERE account_id = 'SAFE'"
    )
    books.accounts = [number]
    await books.write(
        [bank(1001, "100", e2e="A"), bank(1003, "50"), bank(1005, "9")],
        [ledger(1002, "100", ref="A"), ledger(1004, "49", ref="C")],
        number=number,
    )
    await books.pool.execute("UPDATE positions.account_state SET version = 2000")
    await books.run()
    (found,) = json.loads(await command(database, "matches", "list", "-o", "json"))
    assert (found["rule"], found["bank"][0]["name"]) == ("end_to_end", "bank:1001.0")
    assert found["because"] == ["end_to_end equal", "amount 100 equal", "date equal"]
    opened = json.loads(await command(database, "matches", "list", "--open", "-o", "json"))
    assert {each["name"] for each in opened} == {"bank:1003.0", "bank:1005.0", "ledger:mv-1004"}
    by_hand = ("--bank", "1003.0", "--ledger", "mv-1004", "--reason", "a fee of one")
    assert "less the ledger's 49 is 1" in await command(
        database, "matches", "match", "SAFE", *by_hand, code=1
    )
    accepted = (*by_hand, "--accept-difference", "1")
    said = await command(database, "matches", "match", "SAFE", *accepted)
    match_id = said.split()[1]
    shown = await command(database, "matches", "show", match_id)
    assert "a fee of one" in shown
    assert "difference 1, by hand" in shown
    (listed,) = json.loads(
        await command(database, "matches", "list", "--rule", "hand", "-o", "json")
    )
    assert [(each["kind"], each["reason"]) for each in listed["actions"]] == [
        ("MATCH", "a fee of one")
    ]
    assert [each["reference"] for each in (*listed["bank"], *listed["ledger"])] == ["", "C"]
    assert "matched already" in await command(
        database, "matches", "match", "SAFE", *accepted, code=1
    )
    await command(database, "matches", "unmatch", "SAFE", match_id, "--reason", "no")
    assert "SAFE EUR has no match 7777" in await command(
        database, "matches", "unmatch", "SAFE", "7777", "--reason", "no", code=1
    )
    assert "was taken apart" in await command(database, "matches", "show", match_id)

    text = await command(database, "rules", "show")
    file = tmp_path / "matching.yaml"
    file.write_text(text.replace('tolerance: {absolute: "0"', 'tolerance: {absolute: "1"'))
    backwards = ("--from", str(MONDAY + timedelta(1)), "--to", str(MONDAY))
    assert "there are no days" in await command(
        database, "rules", "try", str(file), *backwards, code=2
    )
    days = ("--from", str(MONDAY), "--to", str(MONDAY))
    (trial,) = json.loads(await command(database, "rules", "try", str(file), *days, "-o", "json"))
    assert (trial["account_id"], trial["kept"]) == ("SAFE:EUR", 1)
    assert "version 1" in await command(database, "rules", "apply", str(file))
    assert json.loads(await command(database, "rules", "show", "-o", "json"))["version"] == 1
