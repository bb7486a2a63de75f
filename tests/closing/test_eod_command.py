"""`recon-streams eod` as people use it: what it says, and the codes that scripts rely on."""

import asyncio
import os
import subprocess
import sys

import msgspec
import pytest
from closing_stories import OPENING, REGISTRY, Story

pytestmark = pytest.mark.postgres


async def command(
    story: Story, *words: str, group: str = "eod"
) -> "subprocess.CompletedProcess[str]":
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "agents.cli", group, *words, "--dsn", story.dsn],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


async def test_a_day_is_run_looked_at_closed_and_opened_again(story: Story) -> None:
    await story.play("16 053 1000 1000")
    assert (await command(story, "status")).stdout == "no day was run\n"
    ran = await command(story, "run", "2026-11-16")
    assert "report: eod-2026-11-16-v1" in ran.stdout
    lines = msgspec.json.decode((await command(story, "status", "-o", "json")).stdout)
    assert [(line["state"], line["proof"], line["obstacles"]) for line in lines] == [
        ("RUN", "0", [])
    ]
    day = ("2026-11-16", "--account", "AE-1", "--reason", "checked")
    closed = await command(story, "close", *day)
    assert closed.stdout == "AE-1 AED 2026-11-16: closed, version 1\n"
    again = await command(story, "close", *day)
    assert (again.returncode, again.stderr) == (6, "AE-1 AED 2026-11-16: refused: it is closed\n")
    opened = await command(story, "reopen", *day)
    assert opened.stdout == "AE-1 AED 2026-11-16: open again, version 1\n"
    (row,) = await story.fetch(
        "SELECT actor, reason FROM closing.day_action WHERE action = 'CLOSE'"
    )
    assert row["reason"] == "checked"
    assert row["actor"]


async def test_a_day_that_is_short_is_closed_by_name_and_the_acceptance_can_be_read(
    story: Story,
) -> None:
    await story.play("16 053 1000 900 GONE-100\n16 run")
    close = ("close", "2026-11-16", "--all", "--reason", "the owner pays it in tomorrow")
    refused = await command(story, *close, "--accept-unexplained")
    assert refused.returncode == 6
    said = (
        "the verdict is CRITICAL: the bank is short by 100.00; a shortage is CRITICAL whatever "
        "its size"
    )
    assert refused.stderr == f"AE-1 AED 2026-11-16: refused: {said}\n"
    closed = await command(story, *close, "--accept-critical")
    assert closed.stdout == "AE-1 AED 2026-11-16: closed, version 1; accepted: CRITICAL\n"
    (line,) = msgspec.json.decode((await command(story, "status", "-o", "json")).stdout)
    (signed,) = line["signed"]
    assert (signed["action"], signed["reason"]) == ("CLOSE", "the owner pays it in tomorrow")
    assert (signed["accepted"], signed["approved_by"]) == ([said], None)
    assert signed["actor"]
    assert signed["sha256"]
    shown = (await command(story, "status")).stdout
    assert "the owner pays it in tomorrow" in shown
    assert said in shown
    report = ("show", "eod-2026-11-16-v1", "-o", "json")
    exported = msgspec.json.decode((await command(story, *report, group="report")).stdout)
    assert exported["signatures"] == line["signed"]


async def test_a_day_of_rest_is_called_so_whether_it_is_over_or_not(story: Story) -> None:
    for saturday in ("2026-11-21", "2101-11-19"):
        ran = await command(story, "run", saturday)
        assert "no business day of the calendar AE, and no statement came" in ran.stdout
    assert "not over yet" in (await command(story, "run", "2101-11-18")).stdout


async def test_a_refusal_names_everything_that_stands_against_it(story: Story) -> None:
    await story.play("16 053 no.1 1000 1000\n16 run\n18 053 no.3 1009 1009\n18 run")
    refused = await command(story, "close", "2026-11-18", "--all", "--reason", "x")
    assert refused.returncode == 6
    verdict = "the verdict is CRITICAL: a surplus of 9.00 is left, above the limit for CRITICAL"
    assert refused.stderr.splitlines() == [
        "AE-1 AED 2026-11-18: refused: statements before it are missing: number 2",
        "AE-1 AED 2026-11-18: refused: its opening is not the closing before it; they differ by 9",
        "AE-1 AED 2026-11-18: refused: 9 of the difference is not explained",
        f"AE-1 AED 2026-11-18: refused: {verdict}",
    ]


async def test_a_day_of_which_nothing_is_known_is_closed_only_by_whoever_accepts_it(
    unregistered: Story,
) -> None:
    story = unregistered
    await story.registered(REGISTRY + "    statements: {required: false}\n" + OPENING)
    await story.play("16 ledger +100 A\n16 run")
    close = ("close", "2026-11-16", "--all", "--reason", "this bank sends no statements")
    refused = await command(story, *close, "--accept-critical")
    said = "the verdict is UNKNOWN: there is no balance of the bank to compare with"
    assert refused.stderr == f"AE-1 AED 2026-11-16: refused: {said}\n"
    assert refused.returncode == 6
    closed = await command(story, *close, "--accept-unexplained")
    assert closed.stdout == "AE-1 AED 2026-11-16: closed, version 1; accepted: UNKNOWN\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "16.11.2026"), 2, "write a day such as 2026-11-20"),
        (("run", "2026-11-16", "--account", "NOBODY"), 1, "no account NOBODY is registered"),
        (("close", "2026-11-16", "--reason", "x"), 2, "give --account, or --all"),
        (("close", "2026-11-16", "--all", "--reason", " "), 2, "say why"),
        (("close", "2026-11-15", "--all", "--reason", "x"), 1, "no account has a day 2026-11-15"),
        (("reopen", "2026-11-16", "--account", "AE-1", "--reason", "x"), 6, "is not closed"),
    ],
)
async def test_what_cannot_be_done_is_said(
    story: Story, words: tuple[str, ...], code: int, said: str
) -> None:
    done = await command(story, *words)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert said in done.stderr
