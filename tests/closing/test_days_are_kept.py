"""What was found of a day is kept as it was, however often and by how many it is run."""

import asyncio

import asyncpg
import pytest
from closing_notation import moment
from closing_stories import MATCHER, OPENING, Story

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing import queue_store
from recon_streams.closing.requests import run_requested
from recon_streams.closing.run import DayRun, run_day
from recon_streams.closing.turn import turn

pytestmark = pytest.mark.postgres


async def test_the_application_cannot_rewrite_a_day(story: Story) -> None:
    await story.play("16 053 1000 1000\n16 run\n16 close")
    for statement in (
        "UPDATE closing.snapshot SET content = ''",
        "DELETE FROM closing.snapshot",
        "UPDATE closing.day_action SET reason = 'another'",
        "DELETE FROM closing.day_action",
        "DELETE FROM closing.day",
        "UPDATE closing.calendar_version SET content = ''",
        "DELETE FROM closing.tick",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await story.pool.execute(statement)


async def test_a_snapshot_that_is_not_its_hash_cannot_be_stored(story: Story) -> None:
    await story.play("16 053 1000 1000\n16 run")
    with pytest.raises(asyncpg.CheckViolationError):
        await story.pool.execute(
            "INSERT INTO closing.snapshot SELECT number, day, 2, sha256, figures_sha256, sha256, "
            "'other', event_sequence, inputs_through_at, cut_off_at, proof, tier, "
            "statement_origin, figures, calendar_version FROM closing.snapshot"
        )


async def test_two_who_run_a_day_at_once_make_one_version_of_it(story: Story) -> None:
    await story.play("16 ledger +3 A\n16 053 1000 1003 A+3")

    async def attempt(name: str) -> None:
        wanted = DayRun(on=moment("16").date(), accounts=None, at=moment("19"), run=name)
        async with turn(story.pool) as unit:
            await run_day(unit, story.calendars, MATCHER, wanted)

    await asyncio.gather(*(attempt(f"run {n}") for n in range(4)))
    rows = await story.fetch("SELECT version FROM closing.snapshot")
    assert [row["version"] for row in rows] == [1]
    assert len(await story.fetch("SELECT 1 FROM reports.report")) == 1
    assert len(await story.fetch("SELECT 1 FROM matching.match")) == 1


async def test_accounts_that_are_run_side_by_side_are_in_one_report(unregistered: Story) -> None:
    story = unregistered
    numbers = await eight_accounts(story)

    async def attempt(number: int) -> str | None:
        on = moment("16").date()
        wanted = DayRun(on=on, accounts=(number,), at=moment("19"), run=f"run {number}")
        async with turn(story.pool) as unit:
            return (await run_day(unit, story.calendars, MATCHER, wanted)).report_id

    done = await asyncio.gather(*map(attempt, numbers))
    assert sorted(filter(None, done)) == ["eod-2026-11-16-v1"]


async def eight_accounts(story: Story) -> list[int]:
    await story.registered(
        "accounts:\n"
        + "".join(
            f"  - account_id: AE-{n}\n    currency: AED\n    bank_accounts: [{{other: BANK-{n}}}]\n"
            f"    time_zone: Asia/Dubai\n{OPENING}"
            for n in range(1, 9)
        )
    )
    return [row["number"] for row in await story.fetch("SELECT number FROM positions.account")]


async def test_two_workers_share_what_was_asked_for(unregistered: Story) -> None:
    story = unregistered
    numbers = await eight_accounts(story)
    days = [moment(str(day)).date() for day in (16, 17, 18)]
    async with UnitOfWork(story.pool) as unit:
        wanted = [(number, on) for number in numbers for on in days]
        await queue_store.request(unit.connection, wanted, "test")

    async def worker() -> None:
        while True:
            ran = await run_requested(story.pool, story.calendars, MATCHER, now=moment("20"))
            if ran.result is None and not await story.fetch("SELECT 1 FROM closing.request"):
                return
            await asyncio.sleep(0.01)

    async with asyncio.timeout(30):
        await asyncio.gather(worker(), worker())
    rows = await story.fetch("SELECT day, count(*), max(version) FROM closing.day GROUP BY day")
    assert sorted((row["day"], row["count"], row["max"]) for row in rows) == [
        (on, 8, 1) for on in days
    ]
    assert len(await story.fetch("SELECT 1 FROM reports.report")) == 3
