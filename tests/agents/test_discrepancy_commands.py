"""What people see and do about discrepancies with `recon-streams discrepancies`."""

import asyncio
import getpass
import json
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.finding import Cause, Finding, Kind, Source
from recon_streams.discrepancies.register import note
from recon_streams.registry.definition import definition_bytes, definition_from_bytes
from recon_streams.runtime.exit_codes import ExitCode

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

Stack = Any  # of the conftest
ZONE = "Asia/Dubai"
HOSTILE = "[/red]\x1b]0;owned\x07"


async def command(stack: Stack, *words: str, code: int = 0, **environment: str) -> str:
    words = ("discrepancies", *words)
    done = await asyncio.to_thread(stack.installation.command, *words, code=code, **environment)
    said: str = done.stderr if code else done.stdout
    return said


async def listed(stack: Stack, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(await command(stack, "list", *words, "-o", "json"))
    return found


@pytest.fixture
async def wrong(fresh_stack: Stack) -> Stack:
    """An installation in which something is wrong: 1 is a shortage, 2 and 3 are payments."""
    kinds = (Kind.BALANCE_MISMATCH, Kind.MISSING_TXN, Kind.MISSING_TXN)
    findings = [
        Finding(
            cause=Cause(kind=kind, account=1 + number % 2, subject=f"{number} {HOSTILE}"),
            source=Source.MATCHING,
            amount=Decimal("-12.50") if number == 0 else Decimal(7),
            facts={"reference": HOSTILE},
        )
        for number, kind in enumerate(kinds)
    ]
    at = datetime.now(UTC) - timedelta(hours=1)
    async with UnitOfWork(fresh_stack.pool) as unit:
        for each in findings:
            await note(unit, [each], [], at=at, evidence="matching/1")
    return fresh_stack


async def test_the_queue_shows_what_waits_and_the_page_why(wrong: Stack) -> None:
    rows = await listed(wrong)
    assert [(row["id"], row["severity"]) for row in rows] == [
        (1, "critical"), (2, "warning"), (3, "warning"),
    ]  # fmt: skip
    first = rows[0]
    assert (first["amount"], first["state"], first["bucket"]) == ("-12.5", "OPEN", "0-1")
    assert (first["is_past_due"], first["occurrences"]) == (False, 1)
    assert [row["id"] for row in await listed(wrong, "--critical")] == [1]
    assert [row["id"] for row in await listed(wrong, "--kind", "MISSING_TXN")] == [2, 3]
    mine = ("--account", rows[1]["account_id"], "--bucket", "0-1", "--severity", "warning")
    assert [row["id"] for row in await listed(wrong, *mine)] == [2]
    assert await listed(wrong, "--past-due") == []
    table = await command(wrong, "list", COLUMNS="250")
    assert "BALANCE_MISMATCH" in table
    page = await command(wrong, "show", "1")
    story = json.loads(await command(wrong, "show", "1", "-o", "json"))
    assert [each["kind"] for each in story["actions"]] == ["found"]
    assert story["actions"][0]["evidence"] == "matching/1"
    assert "-12.5 by MATCHING of matching/1" in page
    for said in (table, page):
        assert "[/red]" in said, "what others wrote is shown as it is, and styles nothing"
        assert "\x1b" not in said
    assert "no discrepancy has the id 99" in await command(wrong, "show", "99", code=1)


async def test_people_assign_snooze_escalate_resolve_and_reopen(wrong: Stack) -> None:
    assert await command(wrong, "assign", "2", "ana") == "2: ASSIGNED\n"
    assert [row["id"] for row in await listed(wrong, "--owner", "ana")] == [2]
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="seconds")
    snooze = ("snooze", "2", "3", "--until", until, "--reason", "the bank is closed")
    assert await command(wrong, *snooze) == "2: ASSIGNED\n3: OPEN\n"
    assert [row["id"] for row in await listed(wrong)] == [1]
    asleep = await listed(wrong, "--open")
    assert [row["snoozed_until"] is not None for row in asleep] == [False, True, True]
    assert "asleep until" in await command(wrong, "list", "--open", COLUMNS="250")
    await command(wrong, "escalate", "3", "--reason", "nobody answers")
    await command(wrong, "comment", "3", "--text", "called them")
    gone = ("resolve", "1", "3", "--reason-code", "EXPLAINED", "--reason", "a fee")
    assert await command(wrong, *gone) == "1: RESOLVED\n3: RESOLVED\n"
    assert await listed(wrong) == []
    everything = await listed(wrong, "--all")
    assert [(row["id"], row["state"]) for row in everything] == [
        (2, "ASSIGNED"), (1, "RESOLVED"), (3, "RESOLVED"),
    ]  # fmt: skip
    done = json.loads(await command(wrong, "reopen", "3", "--reason", "it is none", "-o", "json"))
    assert done == [{"id": 3, "state": "OPEN"}]
    actions = json.loads(await command(wrong, "show", "3", "-o", "json"))["actions"]
    assert [each["kind"] for each in actions] == [
        "found", "snoozed", "escalated", "commented", "resolved", "reopened",
    ]  # fmt: skip
    page = await command(wrong, "show", "3", COLUMNS="200")
    assert "Z: the bank is closed" in page
    assert "EXPLAINED: a fee" in page
    assert "to ana" in await command(wrong, "show", "2", COLUMNS="200")
    assert {each["actor"] for each in actions[1:]} == {getpass.getuser()}


async def test_a_day_begins_when_it_begins_at_the_bank(wrong: Stack) -> None:
    number = await wrong.pool.fetchval("SELECT number FROM discrepancies.discrepancy WHERE id = 2")
    row = await wrong.pool.fetchrow(
        "SELECT version, definition FROM positions.account_version WHERE number = $1", number
    )
    there = msgspec.structs.replace(definition_from_bytes(row["definition"]), time_zone=ZONE)
    await wrong.pool.execute(
        "INSERT INTO positions.registry_version (version, source, actor) VALUES (99, 't', 't')"
    )
    await wrong.pool.execute(
        "INSERT INTO positions.account_version VALUES ($1, 99, $2)", number, definition_bytes(there)
    )
    tomorrow = datetime.now(UTC).date() + timedelta(days=2)
    snooze = ("snooze", "2", "--until", tomorrow.isoformat(), "--reason", "the bank is closed")
    await command(wrong, *snooze)
    (row,) = [each for each in await listed(wrong, "--open") if each["id"] == 2]
    begins = datetime.combine(tomorrow, time(), tzinfo=ZoneInfo(ZONE))
    assert datetime.fromisoformat(row["snoozed_until"]) == begins


async def test_what_cannot_be_done_is_said_and_nothing_is_done(wrong: Stack) -> None:
    reason = ("--reason", "it is none")
    said = await command(wrong, "reopen", "1", "2", *reason, code=ExitCode.FAILURE)
    assert "1: it is not resolved" in said
    said = await command(wrong, "escalate", "1", "77", *reason, code=ExitCode.FAILURE)
    assert "no discrepancy has the id 77" in said
    for words in (
        ("resolve", "1", "--reason-code", "PROVEN_GONE", *reason),
        ("resolve", "1", "--reason-code", "EXPLAINED", "--reason", " "),
        ("escalate", "1", "--reason", "a\nb"),
        ("snooze", "1", "--until", "soon", *reason),
        ("assign", "1", ""),
        ("list", "--bucket", "7"),
        ("list", "--critical", "--severity", "info"),
    ):
        await command(wrong, *words, code=ExitCode.USAGE)
    far = await command(wrong, "snooze", "1", "--until", "2999-01-01", *reason, code=1)
    assert "14 days at most" in far
    assert {row["state"] for row in await listed(wrong)} == {"OPEN"}
