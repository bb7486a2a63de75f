"""Days are run because their instant came or something of them came later: each once, none lost."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from closing_notation import moment
from closing_stories import MATCHER, Story

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing.intake import DayTicks
from recon_streams.closing.matcher import Asked
from recon_streams.closing.planner import day_planner
from recon_streams.closing.requests import ask_for_changed, run_requested
from recon_streams.closing.statement_of_day import Matched
from recon_streams.kernel.calendars import Calendars
from recon_streams.kernel.disposition import Disposition
from recon_streams.log.record import Record
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.registry.definition import AccountDefinition, AccountStatements, BankAccount
from recon_streams.schedule.handler import DueTick
from topics.ticks import DayTick

AE = AccountDefinition(
    account_id="AE-1",
    currency="AED",
    scale=2,
    bank_accounts=(BankAccount(identification="BANK-1"),),
    calendar="AE",
    time_zone="Asia/Dubai",
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_day_is_due_once_for_each_business_day_of_its_bank() -> None:
    planner = day_planner(Calendars())
    due = at("2026-11-19T12:00+04:00")
    found: list[datetime] = []
    while len(found) < 6:
        due = planner.next_due(AE, due) or due
        found.append(due)
    # The 21st and 22nd are a weekend; the 2nd and 3rd of December are National Day.
    expected = ["20T10:00", "23T10:00", "24T10:00", "25T10:00", "26T10:00", "27T10:00"]
    assert found == [at(f"2026-11-{day}+04:00") for day in expected]
    assert planner.next_due(AE, at("2026-12-01T10:00+04:00")) == at("2026-12-04T10:00+04:00")


def test_a_statement_may_be_due_on_its_own_day_or_late() -> None:
    statements = AccountStatements(
        cut_off="18:00",
        expected_by="20:00",
        expected_after_business_days=0,
        late_after_minutes=30,
    )
    definition = AccountDefinition(
        account_id="AE-1", currency="AED", scale=2, bank_accounts=(), statements=statements
    )
    planner = day_planner(Calendars())
    assert planner.next_due(definition, at("2026-11-20T20:29Z")) == at("2026-11-20T20:30Z")
    assert planner.next_due(definition, at("2026-11-20T20:30Z")) == at("2026-11-23T20:30Z")


def test_a_clock_that_jumps_over_the_instant_makes_it_the_jump() -> None:
    definition = AccountDefinition(
        account_id="DE-1",
        currency="EUR",
        scale=2,
        bank_accounts=(),
        statements=AccountStatements(expected_by="02:30"),
        calendar="EVERY_DAY",
        time_zone="Europe/Berlin",
    )
    planner = day_planner(Calendars())
    assert planner.next_due(definition, at("2026-03-28T12:00Z")) == at("2026-03-29T01:00Z")
    assert planner.next_due(definition, at("2026-10-24T12:00Z")) == at("2026-10-25T00:30Z")
    assert planner.next_due(definition, at("2026-10-25T00:30Z")) == at("2026-10-26T01:30Z")


class Gone:
    """A matcher whose book goes away."""

    async def match(
        self, unit: UnitOfWork, asked: Mapping[int, Asked], on: date, *, at: datetime, run: str
    ) -> dict[int, Matched]:
        del unit, asked, on, at, run
        raise ConnectionError


async def tick(story: Story, due_at: datetime) -> list[Disposition]:
    async with UnitOfWork(story.pool) as unit:
        directory = await DirectoryCache().current(unit.connection)
        due = DueTick(
            index=0,
            tick=DayTick(due_at=due_at, account_id="AE-1", currency="AED"),
            account=directory.by_ledger("AE-1", "AED"),
            record=Record("recon.ticks", 0, 0, b"k", b"", (), due_at),
        )
        outcomes = await DayTicks(story.calendars).take(unit, [due, due])
    return [outcome.disposition for outcome in outcomes]


async def requested(story: Story) -> list[date]:
    rows = await story.fetch("SELECT day FROM closing.request ORDER BY day")
    return [row["day"] for row in rows]


@pytest.mark.postgres
async def test_a_tick_asks_for_its_day_once_however_often_it_comes(story: Story) -> None:
    due_at = moment("17T10:00")
    assert await tick(story, due_at) == [Disposition.APPLIED, Disposition.DUPLICATE]
    assert await tick(story, due_at) == [Disposition.DUPLICATE, Disposition.DUPLICATE]
    assert await requested(story) == [date(2026, 11, 16)]


@pytest.mark.postgres
async def test_what_was_asked_for_is_run_and_asked_for_no_more(story: Story) -> None:
    await story.play("16 053 1000 1000")
    await tick(story, moment("17T10:00"))
    now = moment("17T10:01")
    ran = await run_requested(story.pool, story.calendars, MATCHER, now=now)
    assert ran.result is not None
    assert ran.result.report_id == "eod-2026-11-16-v1"
    assert await requested(story) == []
    again = await run_requested(story.pool, story.calendars, MATCHER, now=now)
    assert again.result is None


@pytest.mark.postgres
async def test_the_day_before_is_looked_at_again_if_it_was_run(story: Story) -> None:
    await story.play("16 053 1000 1000\n16 run\n17 053 1000 1000")
    await tick(story, moment("18T10:00"))
    assert await requested(story) == [date(2026, 11, 16), date(2026, 11, 17)]


@pytest.mark.postgres
@pytest.mark.parametrize(
    "later",
    [
        "18T09:00<16 053 1000 1000",
        "16T11:00 ledger +1 Z",
        "17 054 Z+1/16",
        "18T09:00<16 053 1000 1001 Z+1",
    ],
)
async def test_what_comes_later_asks_for_its_day_again_and_then_no_more(
    story: Story, later: str
) -> None:
    await story.play("16 ledger +2 A")
    if later.count("053") == 0 or "1001" in later:
        await story.play("16 053 1000 1000")
    await story.play("16 run")
    since = date(2026, 11, 1)
    assert await ask_for_changed(story.pool, since=since) == []
    await story.play(later)
    assert [on for _, on in await ask_for_changed(story.pool, since=since)] == [date(2026, 11, 16)]
    now = moment("20")
    ran = await run_requested(story.pool, story.calendars, MATCHER, now=now)
    assert ran.result is not None
    assert await ask_for_changed(story.pool, since=since) == [], "it was looked at"
    assert await ask_for_changed(story.pool, since=since + timedelta(days=16)) == []


@pytest.mark.postgres
async def test_a_run_that_fails_leaves_what_was_asked_for(story: Story) -> None:
    await tick(story, moment("17T10:00"))
    with pytest.raises(ConnectionError):
        await run_requested(story.pool, story.calendars, Gone(), now=moment("17T10:01"))
    assert await requested(story) == [date(2026, 11, 16)]
