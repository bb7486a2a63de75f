"""What a day says of an account, told as an accountant tells it, on a real PostgreSQL."""

from datetime import date

import msgspec
import pytest
from conftest import Story

from recon_streams.closing.day import DayState
from recon_streams.closing.run import Became
from recon_streams.reports import store as reports
from recon_streams.reports.dataset import EodDataset, dataset_from_bytes

pytestmark = pytest.mark.postgres

OPEN = (
    "SELECT kind, subject, amount, facts FROM discrepancies.discrepancy "
    "WHERE state <> 'RESOLVED' AND kind = ANY($1) ORDER BY subject"
)


async def open_kinds(story: Story, *kinds: str) -> list[tuple[str, str]]:
    return [(row["kind"], row["subject"]) for row in await story.fetch(OPEN, list(kinds))]


async def test_a_day_of_notifications_and_a_statement_proves_to_nothing(story: Story) -> None:
    await story.play(
        """
        16 ledger +100 A
        16 054 A+100
        16 ledger -30 B
        16 053 1000 1070 A+100 B-30
        16 run bank 1070 ledger 1070 explained 0 proof 0 version 1 became RUN chain FIRST
        16 close
        """
    )
    (answer,) = story.answers
    assert answer.day.state is DayState.CLOSED
    (action,) = await story.fetch("SELECT * FROM closing.day_action WHERE action = 'CLOSE'")
    assert (action["actor"], action["reason"]) == ("anna", "looked at it")


async def test_what_is_outstanding_explains_the_difference_and_is_carried_forward(
    story: Story,
) -> None:
    await story.play(
        """
        16 ledger +100 A
        16 054 A+100 X+7
        16 053 1000 1107 A+100 X+7
        16 ledger -20 B
        16 run bank 1107 ledger 1080 items BANK_NOT_IN_LEDGER:7,LEDGER_NOT_AT_BANK:-20 proof 0
        17 053 1107 1087 B-20
        17 run bank 1087 ledger 1080 items BANK_NOT_IN_LEDGER:7 proof 0 chain JOINED
        """
    )


async def test_what_was_outstanding_is_so_for_ever_though_its_partner_comes_the_day_after(
    story: Story,
) -> None:
    await story.play(
        """
        16 ledger -20 B
        16 053 1000 1000
        16 run bank 1000 ledger 980 items LEDGER_NOT_AT_BANK:-20 explained 20 proof 0 version 1
        17 053 1000 980 B-20
        16 run became UNCHANGED version 1 items LEDGER_NOT_AT_BANK:-20
        """
    )


async def test_a_statement_that_does_not_come_is_missing_from_its_instant_on(story: Story) -> None:
    await story.play(
        """
        16 ledger +100 A
        16@17T09:59 run bank - proof - chain MISSING version 1
        """
    )
    assert await open_kinds(story, "STATEMENT_MISSING") == []
    await story.play("16@17T10:00 run became UNCHANGED")
    assert await open_kinds(story, "STATEMENT_MISSING") == [
        ("STATEMENT_MISSING", "statement of 2026-11-16")
    ]
    await story.play("16 close refused")
    (answer,) = story.answers
    assert answer.refused == ("the bank's statement of the day is missing",)


async def test_a_missing_statement_says_by_when_it_was_expected(story: Story) -> None:
    await story.play("16@17T12:00 run")
    (row,) = await story.fetch(OPEN, ["STATEMENT_MISSING"])
    facts = msgspec.json.decode(row["facts"])
    assert facts["expected_by"] == "2026-11-17T06:00:00Z"
    assert facts["cut_off_at"] == "2026-11-16T20:00:00Z"


async def test_a_statement_that_comes_late_ends_what_was_found_and_makes_another_version(
    story: Story,
) -> None:
    await story.play(
        """
        16 ledger +100 A
        16@17T12:00 run version 1
        18T09:00<16 053 1000 1100 A+100
        16 run version 2 became RUN proof 0 bank 1100
        16 close
        """
    )
    assert await open_kinds(story, "STATEMENT_MISSING") == []


async def test_a_corrected_statement_after_the_close_is_a_numbered_correction(
    story: Story,
) -> None:
    await story.play(
        """
        16 ledger +100 A
        16 053 1000 1100 A+100
        16 run version 1
        16 close
        18T09:00<16 053 1000 1105 A+100 F+5
        16 run version 2 became CORRECTED bank 1105 proof 0 items BANK_NOT_IN_LEDGER:5
        """
    )
    first, second = await story.fetch("SELECT * FROM closing.snapshot ORDER BY version")
    assert second["corrects"] == first["sha256"]
    assert await story.fetch("SELECT 1 FROM closing.day WHERE state = 'REOPENED'")
    report = await reports.latest(story.pool, "eod-2026-11-16")
    assert report is not None
    assert report.record.report_id == "eod-2026-11-16-v2"
    dataset = dataset_from_bytes(await reports.read(story.pool, report.record.report_id))
    assert isinstance(dataset, EodDataset)
    before = await reports.latest(story.pool, "eod-2026-11-16", version=1)
    assert before is not None
    assert dataset.corrects == before.record.sha256
    changed = {change.what: (change.before, change.after) for change in dataset.changes}
    assert changed["bank"] == ("1100", "1105")
    assert changed["difference"] == ("0", "5")


async def test_a_movement_that_comes_late_corrects_the_closed_day_it_is_of(story: Story) -> None:
    await story.play(
        """
        16 053 1000 1000
        16 run version 1
        16 close
        16T11:00 ledger +1 Z
        16 run version 2 became CORRECTED ledger 1001 items LEDGER_NOT_AT_BANK:1 proof 0
        16 close
        """
    )


async def test_figures_that_changed_since_they_were_looked_at_are_not_signed(story: Story) -> None:
    await story.play(
        """
        16 053 1000 1000
        16 run version 1
        16 ledger +1 Z
        16 close refused
        """
    )
    (answer,) = story.answers
    assert answer.refused == ("its figures changed since version 1; look at the new ones",)
    assert answer.day.version == 2, "they are there to be looked at"
    await story.play("16 close")


async def test_a_day_that_nobody_looked_at_is_not_signed(story: Story) -> None:
    await story.play("16 053 1000 1000\n16 close refused\n16 close")


async def test_a_closed_day_is_not_closed_twice_and_opened_again_once(story: Story) -> None:
    await story.play(
        """
        16 053 1000 1000
        16 run
        16 close
        16 close refused
        16 reopen
        16 reopen refused
        16 close
        """
    )
    rows = await story.fetch("SELECT action, to_state FROM closing.day_action ORDER BY sequence")
    assert [tuple(row) for row in rows] == [
        ("RUN", "RUN"),
        ("CLOSE", "CLOSED"),
        ("REOPEN", "REOPENED"),
        ("CLOSE", "CLOSED"),
    ]


async def test_a_statement_that_is_skipped_leaves_a_gap_and_a_proof(story: Story) -> None:
    await story.play(
        """
        16 053 no.1 1000 1070 A+70
        16 ledger +70 A
        16 run proof 0
        18 053 no.3 1200 1200
        18 run bank 1200 ledger 1070 proof 130 chain GAP
        18 close refused
        18 close accepting refused
        """
    )
    (answer,) = story.answers
    assert answer.refused == ("statements before it are missing: number 2",)
    assert await open_kinds(story, "BALANCE_MISMATCH") == [
        ("BALANCE_MISMATCH", "proof of 2026-11-18")
    ]
    await story.play(
        """
        19T07:00<17 053 no.2 1070 1200 C+130
        18 run proof 0 chain JOINED items BANK_NOT_IN_LEDGER:130
        18 close
        """
    )
    assert await open_kinds(story, "BALANCE_MISMATCH") == []


async def test_a_proof_that_is_not_zero_can_be_accepted_with_a_reason(story: Story) -> None:
    await story.play(
        """
        16 053 1000 1000
        16 run
        17 053 1009 1009
        17 run proof 9 chain BROKEN
        17 close refused
        17 close accepting
        """
    )
    (answer,) = story.answers
    assert answer.waived == ("CONTINUITY_BROKEN", "PROOF_NOT_ZERO")


async def test_a_holiday_owes_no_statement_and_has_no_day(unregistered: Story) -> None:
    await unregistered.registered(
        """accounts:
  - account_id: AE-1
    currency: AED
    bank_accounts: [{other: BANK-1}]
    calendar: AE
    time_zone: Asia/Dubai
    opening: {as_of: "2026-11-16T00:00:00+04:00", bank: "1000", ledger: "1000"}
"""
    )
    # The 21st of November 2026 is a Saturday.
    result = await unregistered.run("21")
    assert [account.became for account in result.accounts] == [Became.NO_BUSINESS_DAY]
    assert result.report_id is None
    assert await open_kinds(unregistered, "STATEMENT_MISSING") == []


async def test_a_bank_that_sends_a_statement_of_a_day_of_rest_is_taken_at_its_word(
    story: Story,
) -> None:
    await story.play("21 053 1000 1003 I+3\n21 run bank 1003 proof 0 became RUN")


async def test_what_the_ledger_does_on_a_weekend_belongs_to_monday(story: Story) -> None:
    await story.play(
        """
        21 ledger +5 W
        20 053 1000 1000
        20 run ledger 1000 proof 0
        23 053 1000 1005 W+5
        23 run bank 1005 ledger 1005 proof 0
        """
    )


async def test_a_bank_ends_its_day_when_its_registry_says(unregistered: Story) -> None:
    await unregistered.registered(
        """accounts:
  - account_id: AE-1
    currency: AED
    bank_accounts: [{other: BANK-1}]
    calendar: AE
    time_zone: Asia/Dubai
    statements: {cut_off: "18:00"}
    opening: {as_of: "2026-11-16T00:00:00+04:00", bank: "1000", ledger: "1000"}
"""
    )
    await unregistered.play(
        """
        16T17:59 ledger +1 A
        16T18:00 ledger +2 B
        16 053 1000 1001 A+1
        16 run bank 1001 ledger 1001 proof 0
        17 053 1001 1003 B+2
        17 run bank 1003 ledger 1003 proof 0
        """
    )


async def test_an_entry_valued_earlier_belongs_to_the_day_it_was_booked_on(story: Story) -> None:
    await story.play(
        """
        16 053 1000 1000
        16 run proof 0
        17 ledger +4 V
        17 053 1000 1004 V+4
        16 run became UNCHANGED
        17 run proof 0 bank 1004
        """
    )


async def test_a_day_that_is_not_over_is_not_run(story: Story) -> None:
    result = await story.run("18", at=story.clock)
    assert [account.became for account in result.accounts] == [Became.NOT_OVER]


async def test_a_day_before_the_opening_is_not_run(story: Story) -> None:
    result = await story.run("13")
    assert [account.became for account in result.accounts] == [Became.BEFORE_OPENING]


async def test_an_account_without_attested_figures_begins_with_its_first_statement(
    unregistered: Story,
) -> None:
    await unregistered.registered(
        """accounts:
  - account_id: AE-1
    currency: AED
    bank_accounts: [{other: BANK-1}]
    time_zone: Asia/Dubai
    opening: {as_of: "2026-11-16T00:00:00+04:00", ledger: "1000"}
"""
    )
    await unregistered.play(
        """
        16 ledger +10 A
        16 053 1500 1510 A+10
        16 run bank 1510 ledger 1010 items OPENING_DIFFERENCE:500 proof 0
        17 053 1510 1512 B+2
        17 run items OPENING_DIFFERENCE:500,BANK_NOT_IN_LEDGER:2 proof 0
        """
    )


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
        "bank.statements": 1,
        "ledger.movements": 1,
    }
    (kept,) = await story.fetch("SELECT version, content FROM closing.calendar_version")
    assert kept["version"] == story.calendars.version
    assert date(2026, 11, 16) == day.on


SHORT_DAYS = """accounts:
  - account_id: AE-1
    currency: AED
    bank_accounts: [{other: BANK-1}]
    calendar: AE
    time_zone: Asia/Dubai
    statements: {cut_off: "18:00"}
    opening: {as_of: "2026-11-16T00:00:00+04:00", bank: "1000", ledger: "1000"}
"""


async def test_what_the_ledger_does_in_the_evening_is_outstanding_if_the_bank_was_quicker(
    unregistered: Story,
) -> None:
    await unregistered.registered(SHORT_DAYS)
    await unregistered.play(
        """
        16 053 1000 1001 A+1
        16T18:30 ledger +1 A
        16T18:40 ledger +2 B
        16T19:00 ledger +3 C
        16 run bank 1001 ledger 1000 items MATCHED_LATER:1 proof 0
        17 053 1001 1003 B+2
        16 run became UNCHANGED
        17 run bank 1003 ledger 1006 items LEDGER_NOT_AT_BANK:3 proof 0
        """
    )


async def test_a_statement_moves_an_entry_to_the_day_it_gives(story: Story) -> None:
    await story.play(
        """
        16 ledger +100 A
        16 054 A+100
        16 053 no.1 1000 1000
        16 run bank 1000 ledger 1100 proof -100
        17 053 no.2 1000 1100 A+100
        16 run version 2 items MATCHED_LATER:-100 proof 0
        17 run bank 1100 ledger 1100 explained 0 proof 0
        """
    )
    assert await open_kinds(story, "BALANCE_MISMATCH") == []


async def test_the_last_of_several_statements_of_a_day_closes_it(story: Story) -> None:
    await story.play(
        """
        17T09:00<16 053 no.1 1000 1004 A+4
        17T09:01<16 053 no.2 1004 1009 B+5
        16 run bank 1009 proof 0 chain JOINED
        17 053 no.3 1009 1009
        17 run bank 1009 proof 0 chain JOINED
        """
    )


async def test_a_match_of_one_bank_entry_and_one_movement_is_counted_by_its_rule(
    story: Story,
) -> None:
    await story.play("16 ledger +3 A\n16 053 1000 1003 A+3\n16 run")
    (total,) = (await story.day("16")).matched
    assert (total.rule, total.matches, total.bank_amount) == ("bank reference", 1, "3")
