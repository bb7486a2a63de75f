"""Which day something is of: by the bank's calendar, its clock, and where the account begins."""

import pytest
from closing_stories import Story

from recon_streams.closing.run import Became

pytestmark = pytest.mark.postgres

SHORT_DAYS = """accounts:
  - account_id: AE-1
    currency: AED
    bank_accounts: [{other: BANK-1}]
    calendar: AE
    time_zone: Asia/Dubai
    statements: {cut_off: "18:00"}
    opening: {as_of: "2026-11-16T00:00:00+04:00", bank: "1000", ledger: "1000"}
"""


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
    assert await unregistered.fetch("SELECT 1 FROM discrepancies.discrepancy") == []


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
        24 053 1512 1512
        24 run items OPENING_DIFFERENCE:500,BANK_NOT_IN_LEDGER:2
        """
    )
    opening, _ = (await unregistered.day("24")).items
    assert (opening.on.day, opening.age_business_days, opening.bucket) == (16, 6, "6-10")


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
    (item,) = (await unregistered.day("16")).items
    assert (item.reference, item.reason) == ("A", "booked after the bank had ended its day")


async def test_both_legs_of_a_payment_of_the_next_day_are_nothing_of_this_one(
    unregistered: Story,
) -> None:
    await unregistered.registered(SHORT_DAYS)
    await unregistered.play(
        """
        16T18:40 ledger +2 B
        16 053 1000 1000
        17 053 1000 1002 B+2
        16 run bank 1000 ledger 1000 items - proof 0
        17 run bank 1002 ledger 1002 items - proof 0
        """
    )
    assert (await unregistered.day("16")).groups == ()


async def test_a_bank_that_sends_no_statements_closes_its_day_with_a_report(
    unregistered: Story,
) -> None:
    await unregistered.registered(SHORT_DAYS.replace('cut_off: "18:00"', "day_record: camt.052"))
    await unregistered.play(
        """
        16 ledger +3 A
        16 052 1000 1003 A+3
        16 run bank 1003 ledger 1003 proof 0
        16 close
        """
    )
