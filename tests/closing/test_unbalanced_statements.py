"""A statement that came and does not add up is not a statement that never came."""

import json

import pytest
from closing_stories import Story

pytestmark = pytest.mark.postgres
MISSING = (
    "SELECT amount, facts FROM discrepancies.discrepancy "
    "WHERE kind = 'STATEMENT_MISSING' AND state <> 'RESOLVED'"
)


async def test_a_statement_that_does_not_add_up_is_named_with_difference_and_quarantine(
    story: Story,
) -> None:
    await story.play("16 ledger +100 A")
    # The notation takes what is held for a mistake in the story; here it is the story.
    with pytest.raises(AssertionError, match="STATEMENT_UNBALANCED"):
        await story.play("16 053 1000 1101 A+100")
    await story.play("16 run")
    (row,) = await story.fetch(MISSING)
    facts = json.loads(row["facts"])
    assert facts["what"] == "it came, and does not add up by 1"
    ((number,),) = await story.fetch("SELECT quarantine_id FROM book.quarantine")
    assert facts["quarantine"] == f"{number}"
    assert row["amount"] == 1
    await story.play(
        """
        16 053 1000 1100 A+100
        16 run
        """
    )
    assert await story.fetch(MISSING) == []


async def test_a_statement_that_never_came_is_said_to_be_missing(story: Story) -> None:
    await story.play("16 run")
    (row,) = await story.fetch(MISSING)
    assert json.loads(row["facts"])["what"] == "it has not come"
