"""A registry that loosens rules: asked for by one, agreed to by another, never applied alone."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import msgspec
import pytest

from agents.up import _register
from recon_streams.book.connection import connect, open_pool
from recon_streams.book.migrate import migrate
from recon_streams.registry.file import accounts_of
from recon_streams.runtime.settings import load_settings
from recon_streams.runtime.yaml_source import parse_yaml

pytestmark = pytest.mark.postgres

REGISTRY = """
accounts:
  - account_id: AE-1
    currency: AED
    bank_accounts: [{{other: X1}}]
    limits: {{critical_percent: "{critical}"}}
    opening: {{bank: "5", ledger: "5", as_of: "2026-11-20T00:00:00Z"}}
"""
SECOND = """
  - account_id: AE-2
    currency: AED
    bank_accounts: [{other: X2}]
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
async def owner(database: str) -> asyncpg.Connection:
    await asyncio.to_thread(migrate, database)
    connection = await connect(database)
    yield connection
    await connection.close()


@pytest.fixture
def run(tmp_path: Path, database: str) -> Run:
    def run(
        *words: str, key: str | None = None, offline: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        told = {
            "RECON__IDENTITY__OPERATORS_FILE": str(tmp_path / "operators.json"),
            "RECON__IDENTITY__ROOT_KEY": str(tmp_path / "root-key.json"),
            "RECON_OPERATOR_KEY": str(tmp_path / f"{key}.pem") if key else "",
        }
        is_known = (tmp_path / "operators.json").exists()
        done = subprocess.run(
            [sys.executable, "-m", "agents.cli", *words]
            + ([] if offline or words[0] == "operators" else ["--dsn", database]),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **(told if is_known else {}), "NO_COLOR": "1", "COLUMNS": "200"},
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


def people(run: Run, place: Path) -> None:
    run("operators", "init", str(place))
    for subject in ("ada", "ben"):
        done = run(
            *("operators", "add", subject, "--name", subject, "--roles", "maker,checker"),
            *("--root", str(place / "root-key.pem"), "--key-file", str(place / f"{subject}.pem")),
        )
        assert done.returncode == 0, done.stderr


async def critical(owner: asyncpg.Connection) -> str:
    content = await owner.fetchval(
        "SELECT definition FROM positions.account_version WHERE number = 1 "
        "ORDER BY version DESC LIMIT 1"
    )
    return str(msgspec.json.decode(content)["limits"]["critical_percent"])


async def test_loosened_rules_wait_for_another_and_tightened_ones_do_not(
    owner: asyncpg.Connection, run: Run, tmp_path: Path
) -> None:
    people(run, tmp_path)
    file = tmp_path / "accounts.yaml"

    def apply(text: str, *words: str, key: str | None = None) -> "subprocess.CompletedProcess[str]":
        file.write_text(text)
        return run("accounts", "apply", str(file), *words, key=key)

    assert apply(REGISTRY.format(critical="0.5")).returncode == 0
    assert apply(REGISTRY.format(critical="0.4")).returncode == 0, "tightening takes one"
    looser = REGISTRY.format(critical="2") + SECOND
    alone = apply(looser)
    assert alone.returncode == 2
    assert "loosened: AE-1:AED: limits.critical_percent 0.4 -> 2" in alone.stderr
    assert await critical(owner) == "0.4"
    asked = apply(looser, "--reason", "agreed with the bank in writing", key="ada")
    assert asked.returncode == 0, asked.stderr
    assert await critical(owner) == "0.4", "it is only asked for"
    assert await owner.fetchval("SELECT count(*) FROM positions.account") == 1
    # What becomes of the file meanwhile is nothing to what was asked for.
    file.write_text(REGISTRY.format(critical="9"))
    sight = msgspec.json.decode(run("approvals", "show", "1", "-o", "json").stdout)
    shown = sight["facts"]
    assert shown["loosened"] == [
        {
            "account": "AE-1:AED",
            "rules": [{"rule": "limits.critical_percent", "before": "0.4", "after": "2"}],
        }
    ]
    assert shown["registered"] == ["AE-2:AED"]
    answer = ("approvals", "approve", "1", "--reason", "I saw the letter")
    agreed = run(*answer, "--facts", sight["facts_sha256"], key="ben")
    assert agreed.returncode == 0, agreed.stderr
    assert await critical(owner) == "2"
    row = await owner.fetchrow(
        "SELECT actor, approved_by, approval_id FROM positions.registry_version "
        "ORDER BY version DESC LIMIT 1"
    )
    assert tuple(row) == ("ada", "ben", 1)
    verified = run("approvals", "verify")
    assert (verified.returncode, "signed by two" in verified.stdout) == (0, True), verified.stdout
    # What one person writes beside the program is found by what it loosens.
    await owner.execute(
        "WITH next AS (INSERT INTO positions.registry_version (version, source, actor) "
        "SELECT max(version) + 1, 'x', 'mallory' FROM positions.registry_version RETURNING version)"
        " INSERT INTO positions.account_version (number, version, definition) "
        "SELECT number, next.version, convert_to(replace(convert_from(definition, 'UTF8'), "
        '\'"critical_percent":"2"\', \'"critical_percent":"9"\'), \'UTF8\') '
        "FROM next, positions.account_version ORDER BY account_version.version DESC, number LIMIT 1"
    )
    found = msgspec.json.decode(run("approvals", "verify", "-o", "json").stdout)
    assert [(each["kind"], each["words"]) for each in found] == [("RULES", "nobody agreed to it")]


async def test_a_registry_that_changed_meanwhile_voids_what_was_asked_for(
    owner: asyncpg.Connection, run: Run, tmp_path: Path
) -> None:
    people(run, tmp_path)
    file = tmp_path / "accounts.yaml"
    for text, key in (("0.5", None), ("2", "ada"), ("0.3", None)):
        file.write_text(REGISTRY.format(critical=text))
        done = run("accounts", "apply", str(file), "--reason", "so it is", key=key)
        assert done.returncode == 0, done.stderr
    sight = msgspec.json.decode(run("approvals", "show", "1", "-o", "json").stdout)
    answer = ("approvals", "approve", "1", "--reason", "fine")
    void = run(*answer, "--facts", sight["facts_sha256"], key="ben")
    assert (void.returncode, "VOIDED" in void.stdout) == (6, True)
    assert await critical(owner) == "0.3"


async def test_without_operators_one_person_loosens_and_it_is_said(
    owner: asyncpg.Connection, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "accounts.yaml"
    for text in ("0.5", "2"):
        file.write_text(REGISTRY.format(critical=text))
        done = run("accounts", "apply", str(file))
        assert done.returncode == 0, done.stderr
    assert "loosened by one person alone" in done.stderr
    assert await critical(owner) == "2"


async def test_a_start_with_looser_rules_keeps_those_in_force_and_takes_the_rest(
    owner: asyncpg.Connection, run: Run, tmp_path: Path, database: str
) -> None:
    people(run, tmp_path)
    told = {
        "RECON__IDENTITY__OPERATORS_FILE": str(tmp_path / "operators.json"),
        "RECON__IDENTITY__ROOT_KEY": str(tmp_path / "root-key.json"),
    }
    settings = load_settings(None, told)
    pool = await open_pool(database)
    try:
        for critical_percent, second in (("0.5", ""), ("2", SECOND)):
            text = REGISTRY.format(critical=critical_percent) + second
            await _register(pool, settings, accounts_of(parse_yaml("accounts.yaml", text)))
    finally:
        await pool.close()
    assert await critical(owner) == "0.5"
    assert await owner.fetchval("SELECT count(*) FROM positions.account") == 2
    assert await owner.fetchval("SELECT max(version) FROM approvals.operators_file") == 3, (
        "the book has seen the operators before anybody asks for anything"
    )


def test_a_paper_is_written_signed_and_shown_without_any_server(tmp_path: Path, run: Run) -> None:
    people(run, tmp_path)
    for subject in ("ada", "ben"):
        done = run(
            *("operators", "add", subject, "--name", subject, "--roles", "maker,breakglass"),
            *("--root", str(tmp_path / "root-key.pem")),
            *("--key-file", str(tmp_path / f"{subject}-glass.pem")),
        )
        assert done.returncode == 0, done.stderr
    paper = str(tmp_path / "paper.json")
    why = ("--reason", "the data centre is without power", "--minutes", "60")
    wide = run("degraded", "write", paper, "--scope", "all", *why, offline=True)
    assert (wide.returncode, "BAD_SCOPE" in wide.stderr) == (6, True)
    run("degraded", "write", paper, "--scope", "account:AE-1:AED", *why, offline=True)
    for key in ("ada", "ada-glass", "ben-glass"):
        run("degraded", "sign", paper, key=key, offline=True)
        shown = run("degraded", "show", paper, offline=True)
        assert shown.returncode == (0 if key == "ben-glass" else 6), shown.stderr
    assert "signed by ada, ben" in shown.stdout
