"""What the report of a day rests on, and when it is issued."""

from datetime import date

import pytest
from closing_stories import Story

from recon_streams.reports import store as reports
from recon_streams.reports.dataset import dataset_from_bytes

pytestmark = pytest.mark.postgres


async def test_the_report_waits_for_the_last_account_and_says_what_backs_what(
    unregistered: Story,
) -> None:
    await unregistered.registered(
        """accounts:
  - account_id: AE-1
    currency: AED
    bank_accounts: [{other: BANK-1}]
    time_zone: Asia/Dubai
    opening: {as_of: "2026-11-16T00:00:00+04:00", bank: "1000", ledger: "1000"}
  - account_id: AE-2
    currency: AED
    bank_accounts: [{other: BANK-2}]
    time_zone: Asia/Dubai
    opening: {as_of: "2026-11-16T00:00:00+04:00", bank: "50", ledger: "80"}
"""
    )
    await unregistered.play("16 053 1000 1000")
    numbers = [row["number"] for row in await unregistered.fetch("SELECT * FROM positions.account")]
    first = await unregistered.run("16", accounts=(numbers[0],))
    assert first.report_id is None
    second = await unregistered.run("16", accounts=(numbers[1],))
    assert second.report_id == "eod-2026-11-16-v1"
    content = await reports.read(unregistered.pool, second.report_id)
    dataset = dataset_from_bytes(content)
    (backing,) = dataset.backing
    assert (backing.ledger, backing.bank) == ("1000", "1000")
    assert backing.without_figure == ("AE-2",)


async def test_what_a_run_finds_is_what_its_snapshot_says(story: Story) -> None:
    await story.play("16 ledger +3 A\n16 053 1000 1003 A+3\n16 run")
    day = await story.day("16")
    assert day.calendar_version == story.calendars.version
    assert day.rules_version == "1"
    assert day.matching_rules_version == "1:0123456789ab"
    assert {covered.topic: covered.next_offset for covered in day.coverage} == {
        "bank.notifications": 0,
        "bank.reports": 0,
        "bank.statements": 1,
        "ledger.movements": 1,
    }
    (kept,) = await story.fetch("SELECT version, content FROM closing.calendar_version")
    assert kept["version"] == story.calendars.version
    assert date(2026, 11, 16) == day.on


async def test_a_match_of_one_bank_entry_and_one_movement_is_counted_by_its_rule(
    story: Story,
) -> None:
    await story.play("16 ledger +3 A\n16 053 1000 1003 A+3\n16 run")
    (total,) = (await story.day("16")).matched
    assert (total.rule, total.matches, total.bank_amount) == ("bank reference", 1, "3")
