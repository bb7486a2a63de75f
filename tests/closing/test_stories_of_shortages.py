"""A shortage is not made good by other money, by a promise, or by a person."""

import pytest
from closing_stories import Story

pytestmark = pytest.mark.postgres


async def verdict(story: Story, day: str) -> tuple[str | None, str | None, str]:
    found = await story.day(day)
    return found.uncovered, found.shortage, found.tier.value


async def test_a_receipt_nobody_knows_makes_good_no_debit_nobody_announced(story: Story) -> None:
    await story.play(
        """
        16 053 no.1 1000 750 STOLEN-250
        17 053 no.2 750 1000 UNKNOWN+250
        16 run proof 0
        17 run bank 1000 ledger 1000 proof 0
        """
    )
    assert await verdict(story, "16") == ("-250", "-250", "CRITICAL")
    assert await verdict(story, "17") == ("0", "-250", "CRITICAL")
    await story.play("17 close refused")


async def test_a_debit_of_both_sides_is_missing_until_it_is_known_to_be_one(story: Story) -> None:
    await story.play(
        """
        16 ledger -100 X
        16 053 1000 900 Y-100
        16 run bank 900 ledger 900 proof 0
        """
    )
    assert await verdict(story, "16") == ("-100", "-100", "CRITICAL")
    await story.match_by_hand("16", "Y", "L1")
    await story.play("16 run items - proof 0")
    assert await verdict(story, "16") == ("0", "0", "OK")


async def test_what_the_bank_books_the_next_morning_makes_good_the_evening_before(
    story: Story,
) -> None:
    await story.play(
        """
        16 ledger +100 A
        16 053 no.1 1000 1000
        17 053 no.2 1000 1100 A+100
        17 run proof 0
        16 run items MATCHED_LATER:-100 proof 0
        """
    )
    assert await verdict(story, "16") == ("0", "0", "OK")


async def test_what_comes_days_later_makes_good_nothing(story: Story) -> None:
    await story.play(
        """
        16 ledger +100 A
        16 053 no.1 1000 1000
        17 053 no.2 1000 1000
        18 053 no.3 1000 1100 A+100
        18 run proof 0
        16 run items MATCHED_LATER:-100 proof 0
        17 run items MATCHED_LATER:-100 proof 0
        """
    )
    assert await verdict(story, "16") == ("-100", "-100", "CRITICAL")
    (item,) = (await story.day("17")).items
    assert item.reason.endswith("2 business days later, at most 1 may be between")


async def test_an_announcement_that_its_statement_denies_makes_good_nothing(story: Story) -> None:
    await story.play(
        """
        16 ledger +100 A
        17 054 A+100
        16 053 no.1 1000 1000
        16 run items MATCHED_LATER:-100 proof 0
        """
    )
    assert await verdict(story, "16") == ("0", "0", "OK")
    await story.play(
        """
        17 053 no.2 1000 1000
        17 run items ANNOUNCED_NOT_STATED:-100
        16 run version 2 items MATCHED_LATER:-100 proof 0
        """
    )
    assert await verdict(story, "16") == ("-100", "-100", "CRITICAL")


async def test_what_a_person_matched_to_a_later_day_makes_good_nothing(story: Story) -> None:
    await story.play(
        """
        16 ledger +100 FALSE
        16 053 no.1 1000 1000
        17 053 no.2 1000 1100 OTHER+100
        17 run proof 0
        """
    )
    await story.match_by_hand("17", "OTHER", "L1")
    await story.play("16 run items MATCHED_LATER:-100 proof 0")
    (item,) = (await story.day("16")).items
    assert item.reason == "whole on 2026-11-17; by hand"
    assert await verdict(story, "16") == ("-100", "-100", "CRITICAL")


@pytest.mark.parametrize("stated", ["A+60", "B+40"])
async def test_one_entry_of_several_that_is_denied_is_enough(story: Story, stated: str) -> None:
    await story.play(
        f"""
        16 ledger +100 WHOLE
        16 053 no.1 1000 1000
        17 054 A+60 B+40
        17 053 no.2 1000 10{stated[-2:]} {stated}
        17 run proof 0
        """
    )
    await story.match_by_hand("17", "A B", "L1")
    await story.play("16 run items MATCHED_LATER:-100 proof 0")
    (item,) = (await story.day("16")).items
    assert item.reason.endswith("by hand; the statement of that day does not hold it")
