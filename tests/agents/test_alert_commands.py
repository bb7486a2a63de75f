"""What people see and do about alerts with `recon-streams alerts`."""

import asyncio
import getpass
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from recon_streams.alerts.alarm import Facts, Gone, Raised
from recon_streams.alerts.telling import tell
from recon_streams.book.unit_of_work import UnitOfWork
from topics.alerts import Severity

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

Stack = Any  # of the conftest
HOSTILE = "[/red]\x1b]0;owned\x07"
AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


async def command(stack: Stack, *words: str, code: int = 0) -> str:
    done = await asyncio.to_thread(stack.installation.command, "alerts", *words, code=code)
    said: str = done.stderr if code else done.stdout
    return said


async def test_people_see_alerts_take_them_in_hand_and_read_their_story(
    fresh_stack: Stack,
) -> None:
    stack = fresh_stack
    facts = Facts(
        alert_class="SHORTAGE",
        severity=Severity.CRITICAL,
        summary=f"short {HOSTILE}",
        component="positions",
        amounts={"unexplained": "-12.5"},
    )
    async with UnitOfWork(stack.pool) as unit:
        tell(unit, [Raised(key="mine", at=AT, facts=facts)])
        tell(unit, [Raised(key="over", at=AT, facts=facts), Gone(key="over", at=AT)])
    found = json.loads(await command(stack, "list", "--class", "SHORTAGE", "-o", "json"))
    assert [each["dedup_key"] for each in found] == ["mine"]
    table = await command(stack, "list", "--severity", "critical")
    assert "SHORTAGE" in table
    assert "\x1b" not in table
    every = json.loads(await command(stack, "list", "--all", "--class", "SHORTAGE", "-o", "json"))
    assert {each["dedup_key"] for each in every} == {"mine", "over"}

    assert "ACKNOWLEDGED" in await command(stack, "ack", "mine", "--reason", "on it")
    page = await command(stack, "show", "mine")
    assert "-12.5" in page
    assert "docs/runbooks/positions.md#shortage" in page
    story = json.loads(await command(stack, "history", "mine", "-o", "json"))
    assert [each["what"] for each in story] == ["raised", "acknowledged"]
    assert (story[1]["actor"], story[1]["reason"]) == (getpass.getuser(), "on it")
    assert "acknowledged" in await command(stack, "history", "mine")

    for verb in ("show", "history", "ack"):
        assert "no alert has the key none" in await command(stack, verb, "none", code=1)
    assert "no sink x is disabled" in await command(stack, "resume", "x", code=1)
    assert "sink" in await command(stack, "sinks")
