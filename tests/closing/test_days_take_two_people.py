"""Days that two people sign: `eod close` asks, `approvals approve` closes, by key, not by name."""

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from closing_stories import Story

pytestmark = pytest.mark.postgres

DAY = ("2026-11-16", "--account", "AE-1", "--reason", "checked against the bank's own page")


@dataclass
class Desk:
    """An installation whose operators are ada and ben, worked from the command line."""

    story: Story
    home: Path

    async def command(
        self, *words: str, key: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        told = {
            "RECON__IDENTITY__OPERATORS_FILE": str(self.home / "operators.json"),
            "RECON__IDENTITY__ROOT_KEY": str(self.home / "root-key.json"),
            "RECON_OPERATOR_KEY": str(self.home / f"{key}.pem") if key else "",
        }
        place = () if words[0] == "operators" else ("--dsn", self.story.dsn)
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "agents.cli", *words, *place],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **told, "NO_COLOR": "1", "COLUMNS": "200"},
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    async def facts(self, number: int) -> str:
        """Return the hash of the facts of a request, as whoever looks at it is shown it."""
        shown = await self.command("approvals", "show", str(number), "-o", "json")
        found: str = msgspec.json.decode(shown.stdout)["facts_sha256"]
        return found

    async def actions(self) -> list[tuple[str, str, str | None]]:
        rows = await self.story.fetch(
            "SELECT action, actor, approved_by FROM closing.day_action "
            "WHERE action <> 'RUN' ORDER BY sequence"
        )
        return [tuple(row) for row in rows]


@pytest.fixture
async def desk(story: Story, tmp_path: Path) -> Desk:
    made = Desk(story, tmp_path)
    assert (await made.command("operators", "init", str(tmp_path))).returncode == 0
    for subject in ("ada", "ben"):
        added = await made.command(
            *("operators", "add", subject, "--name", subject.title()),
            *("--roles", "maker,checker", "--root", str(tmp_path / "root-key.pem")),
            *("--key-file", str(tmp_path / f"{subject}.pem")),
        )
        assert added.returncode == 0, added.stderr
    return made


async def test_a_day_is_closed_and_opened_again_by_two_people(desk: Desk) -> None:
    await desk.story.play("16 053 1000 1000\n16 run")
    asked = await desk.command("eod", "close", *DAY, key="ada")
    assert asked.returncode == 0, asked.stderr
    assert "waits for another person" in asked.stdout
    assert await desk.actions() == []
    shown = msgspec.json.decode((await desk.command("approvals", "show", "1", "-o", "json")).stdout)
    (account,) = shown["facts"]["accounts"]
    assert (account["account"], account["proof"], account["tier"]) == ("AE-1 AED", "0", "OK")
    assert shown["facts_are_the_same"]
    assert shown["obstacles"] == []
    answer = ("approvals", "approve", "1", "--reason", "the same on my page")
    alone = await desk.command(*answer, "--facts", shown["facts_sha256"], key="ada")
    assert (alone.returncode, alone.stderr) == (
        6,
        "error: SAME_PERSON: whoever asked cannot decide, with whatever key\n",
    )
    other = await desk.command(*answer, "--facts", "0" * 64, key="ben")
    assert "the request is about other facts than these" in other.stderr
    agreed = await desk.command(*answer, "--facts", shown["facts_sha256"][:12], key="ben")
    assert agreed.returncode == 0, agreed.stderr
    assert "APPROVED by ben, asked for by ada" in agreed.stdout
    assert await desk.actions() == [("CLOSE", "ada", "ben")]
    assert "approved by ben" in (await desk.command("eod", "status")).stdout
    await desk.command("eod", "reopen", *DAY, key="ben")
    answer = ("approvals", "approve", "2", "--reason", "so it is")
    unseen = await desk.command(*answer, key="ada")
    assert (unseen.returncode, "DAY_REOPEN" in unseen.stdout) == (2, True), "shown, not signed"
    assert await desk.actions() == [("CLOSE", "ada", "ben")]
    await desk.command(*answer, "--facts", await desk.facts(2), key="ada")
    assert await desk.actions() == [("CLOSE", "ada", "ben"), ("REOPEN", "ben", "ada")]
    verified = await desk.command("approvals", "verify")
    assert (verified.returncode, "signed by two" in verified.stdout) == (0, True), verified.stdout


async def test_a_day_whose_figures_changed_meanwhile_is_void(desk: Desk) -> None:
    await desk.story.play("16 053 1000 1000\n16 run")
    await desk.command("eod", "close", *DAY, key="ada")
    await desk.story.play("16 ledger +5 X")
    answer = ("approvals", "approve", "1", "--reason", "fine", "--facts", await desk.facts(1))
    void = await desk.command(*answer, key="ben")
    assert void.returncode == 6
    assert "VOIDED" in void.stdout
    assert await desk.actions() == []
    (line,) = msgspec.json.decode((await desk.command("eod", "status", "-o", "json")).stdout)
    assert line["version"] == 2, "what the look found is kept"


async def test_what_is_accepted_is_part_of_what_both_sign(desk: Desk) -> None:
    await desk.story.play("16 053 1000 900 GONE-100\n16 run")
    refused = await desk.command("eod", "close", *DAY, key="ada")
    assert refused.returncode == 6
    assert "the bank is short by 100.00" in refused.stderr
    assert "nothing waits" in (await desk.command("approvals", "list")).stdout
    await desk.command("eod", "close", *DAY, "--accept-critical", key="ada")
    shown = (await desk.command("approvals", "show", "1")).stdout
    assert "the bank is short by 100.00" in shown
    answer = ("approvals", "approve", "1", "--reason", "tomorrow", "--facts", await desk.facts(1))
    await desk.command(*answer, key="ben")
    assert await desk.actions() == [("CLOSE", "ada", "ben")]


async def test_leaving_the_operators_out_of_the_settings_is_no_way_around_them(
    desk: Desk, story: Story
) -> None:
    await story.play("16 053 1000 1000\n16 run")
    await desk.command("eod", "close", *DAY, key="ada")
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "agents.cli", "eod", "close", *DAY, "--dsn", story.dsn],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "RECON_OPERATOR_KEY": str(desk.home / "ada.pem")},
    )
    assert done.returncode == 2
    assert "identity.operators_file" in done.stderr
    assert await desk.actions() == []
