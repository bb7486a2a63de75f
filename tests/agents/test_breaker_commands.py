"""What people see and do with `recon-streams breaker`: stop alone, let go by two, look at all."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recon_streams.book.migrate import migrate

pytestmark = pytest.mark.postgres

REGISTRY = """
accounts:
  - account_id: AE-1
    currency: AED
    corridors: [AE-IN]
    bank_accounts: [{other: X1}]
    opening: {bank: "5", ledger: "5", as_of: "2026-11-20T00:00:00Z"}
"""
ACCOUNT = "account:AE-1:AED"
REASON = "the bank has confirmed it in writing"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
async def run(tmp_path: Path, database: str) -> Run:
    """Run a command on a book with one account; as the operator `key`, if one is named."""
    await asyncio.to_thread(migrate, database)

    def run(*words: str, key: str | None = None) -> "subprocess.CompletedProcess[str]":
        told = {
            "RECON__IDENTITY__OPERATORS_FILE": str(tmp_path / "operators.json"),
            "RECON__IDENTITY__ROOT_KEY": str(tmp_path / "root-key.json"),
        }
        if key is not None:
            told["RECON_OPERATOR_KEY"] = str(tmp_path / f"{key}.pem")
        is_known = (tmp_path / "operators.json").exists()
        done = subprocess.run(
            [sys.executable, "-m", "agents.cli", *words]
            + ([] if words[0] == "operators" else ["--dsn", database]),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **(told if is_known else {}), "NO_COLOR": "1", "COLUMNS": "200"},
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    file = tmp_path / "accounts.yaml"
    file.write_text(REGISTRY)
    assert run("accounts", "apply", str(file)).returncode == 0
    return run


def people(run: Run, place: Path) -> None:
    run("operators", "init", str(place))
    for subject in ("ada", "ben"):
        done = run(
            *("operators", "add", subject, "--name", subject),
            *("--roles", "maker,checker,breakglass"),
            *("--root", str(place / "root-key.pem"), "--key-file", str(place / f"{subject}.pem")),
        )
        assert done.returncode == 0, done.stderr


def scopes(run: Run, *words: str) -> dict[str, dict[str, Any]]:
    found = json.loads(run("breaker", "status", *words, "-o", "json").stdout)["scopes"]
    return {each["scope"]: each for each in found}


async def test_whoever_looks_sees_what_pays_and_what_holds_the_rest(run: Run) -> None:
    found = scopes(run)
    assert list(found) == ["all", "corridor:AE-IN", ACCOUNT]
    assert found[ACCOUNT]["parents"] == ["all", "corridor:AE-IN"]
    assert (found[ACCOUNT]["state"], found[ACCOUNT]["clean_needed"]) == ("SUSPENDED", 3)
    page = run("breaker", "status").stdout
    assert "no lease was ever given: nothing may pay" in page
    assert "clean evaluations, 0 of 3" in page
    done = run("breaker", "trip", "corridor:AE-IN", "--reason", "the rail is down")
    assert "OPEN by MANUAL_TRIP, epoch 2" in done.stdout
    assert "no publisher answers" in done.stderr
    assert scopes(run)[ACCOUNT]["held_by"] == ["corridor:AE-IN"]
    assert list(scopes(run, "--stopped")) == ["corridor:AE-IN", ACCOUNT]
    history = run("breaker", "history", "corridor:AE-IN").stdout
    assert "the rail is down" in history
    assert "os:" in history
    evidence = json.loads(run("breaker", "history", "corridor:AE-IN", "-o", "json").stdout)[0]
    assert evidence["evidence"]["deed"]["words"] == "the rail is down"
    for words in (("status", "corridor:NOWHERE"), ("history", "x")):
        assert run("breaker", *words).returncode == 1
    done = run("breaker", "trip", "everything", "--reason", "r")
    assert done.returncode == 1
    assert "names no scope" in done.stderr


def _by(page: str) -> dict[str, str]:
    """Return the cell `by` of each scope, from a page with columns."""
    head, *rows = [line for line in page.splitlines() if line][1:]
    first, last = head.index("  by ") + 2, head.index("because")
    return {row.split()[0]: row[first:last].strip() for row in rows}


async def test_whoever_looks_sees_who_or_which_rule_led_to_a_state(
    run: Run, tmp_path: Path
) -> None:
    def by() -> dict[str, str]:
        return _by(run("breaker", "status").stdout)

    assert by() == {
        "all": "rule INSTALLED", "corridor:AE-IN": "rule INSTALLED", ACCOUNT: "rule NO_EVIDENCE",
    }  # fmt: skip
    people(run, tmp_path)
    assert run("breaker", "trip", "corridor:AE-IN", "--reason", "x", key="ada").returncode == 0
    assert run("breaker", "trip", "all", "--reason", "x").returncode == 0
    assert (by()["corridor:AE-IN"], by()["all"][:3]) == ("ada", "os:")
    request = ("breaker", "reset", "request", "corridor:AE-IN", "-o", "json", "--reason")
    done = run(*request, "too short", key="ada")
    assert done.returncode == 2
    assert "--reason takes 20 characters or more, and this has 9" in done.stderr
    facts = json.loads(run(*request, REASON, key="ada").stdout)["facts_sha256"]
    approve = ("breaker", "reset", "approve", "1", "--facts", facts[:12])
    done = run(*approve, "--reason", "seen it too", key="ben")
    assert done.returncode == 0, done.stderr
    assert by()["corridor:AE-IN"] == "ada and ben"


async def test_a_key_that_does_not_say_who_one_is_is_not_in_the_way_of_a_stop(
    run: Run, tmp_path: Path
) -> None:
    done = run("breaker", "trip", "all", "--reason", "r", "--key", str(tmp_path / "none.pem"))
    assert done.returncode == 0
    assert "recorded as os:" in done.stderr
    assert scopes(run)["all"]["state"] == "OPEN"


async def test_what_one_has_stopped_two_let_go(run: Run, tmp_path: Path) -> None:
    assert run("breaker", "trip", "all", "--reason", "case 4711").returncode == 0
    asked = ("breaker", "reset", "request", "all", "--reason", REASON)
    assert "RECON_OPERATOR_KEY" in run(*asked).stderr
    people(run, tmp_path)
    done = run(*asked, key="ada")
    assert done.returncode == 0, done.stderr
    assert "request 1: BREAKER_RESET of all" in done.stdout
    waiting = json.loads(run("breaker", "reset", "list", "-o", "json").stdout)
    assert waiting[0]["facts"]["words"] == "case 4711"
    answer = ("breaker", "reset", "approve", "1", "--reason", "looked at it")
    unseen = run(*answer, key="ben")
    assert (unseen.returncode, "nobody is there to be asked" in unseen.stderr) == (2, True)
    assert "case 4711" in unseen.stdout, "and shown what it is about"
    answer = (*answer, "--facts", waiting[0]["facts_sha256"][:12])
    assert run(*answer, key="ada").returncode == 6
    done = run(*answer, key="ben")
    assert done.returncode == 0, done.stderr
    assert "APPROVED by ben, asked for by ada" in done.stdout
    found = scopes(run)["all"]
    assert (found["state"], found["reason"], found["approval_id"]) == ("CLOSED", "RESET", 1)
    assert "ada and ben" in run("breaker", "history", "all").stdout
    done = run("breaker", "trip", "all", "--reason", "again", key="ada")
    assert scopes(run)["all"]["actor"] == "ada"
    forced = ("breaker", "override", "request", "all", "--minutes", "5", "--reason", REASON)
    assert run(*forced, key="ada").returncode == 0
    done = run("breaker", "reset", "refuse", "2", "--reason", "no", key="ben")
    assert "REFUSED by ben" in done.stdout
    assert "nothing waits" in run("breaker", "reset", "list").stdout


async def test_an_exercise_is_begun_and_ended_by_one(run: Run) -> None:
    assert run("breaker", "trip", "drill:1", "--reason", "exercise").returncode == 0
    assert scopes(run)["drill:1"]["state"] == "OPEN"
    done = run("breaker", "stand-down", "drill:1", "--reason", "over")
    assert "CLOSED by EXERCISE_OVER, epoch 3" in done.stdout
    assert run("breaker", "stand-down", "all", "--reason", "over").returncode == 1
