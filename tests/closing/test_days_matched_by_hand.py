"""What people match by hand explains a day and hides nothing of it, on a real PostgreSQL."""

import pytest
from closing_stories import Story

pytestmark = pytest.mark.postgres


async def test_a_shortage_that_is_matched_away_with_a_cent_is_still_a_shortage(
    story: Story,
) -> None:
    await story.play(
        """
        16 ledger -0.01 PENNY
        16 053 1000 900 GONE-100
        16 run bank 900 ledger 999.99 proof 0
        """
    )
    match_id = await story.match_by_hand("16", "GONE", "L1", accept="-99.99")
    await story.play("16 run items HAND_DIFFERENCE:-99.99 explained -99.99 proof 0")
    day = await story.day("16")
    assert (day.uncovered, day.tier.value) == ("-99.99", "CRITICAL")
    (item,) = day.items
    assert not item.covers
    assert (item.reference, item.origin) == ("GONE, PENNY", f"match {match_id}")
    assert item.reason.startswith(f"match {match_id} by anna: looks like it (bank:")
    assert item.reason.endswith("GONE -100; ledger:L1 PENNY -0.01)")
    kinds = {row["kind"]: row["state"] for row in await story.fetch(_STATES)}
    assert kinds == {"MISSING_TXN": "RESOLVED", "AMOUNT_MISMATCH": "OPEN"}


async def test_a_match_by_hand_without_a_difference_leaves_nothing(story: Story) -> None:
    await story.play("16 ledger -100 X\n16 053 1000 900 Y-100\n16 run proof 0")
    await story.match_by_hand("16", "Y", "L1")
    await story.play("16 run items - explained 0 proof 0")
    assert (await story.day("16")).tier.value == "OK"
    assert {row["state"] for row in await story.fetch(_STATES)} == {"RESOLVED"}


_STATES = "SELECT kind, state FROM discrepancies.discrepancy"
