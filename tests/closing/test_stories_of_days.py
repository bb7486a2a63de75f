"""What a day says of an account, told as an accountant tells it, on a real PostgreSQL."""

import msgspec
import pytest
from closing_stories import OPENING, REGISTRY, Story

from recon_streams.closing.day import DayState
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
    assert answer.refused == ("no statement of the day is there that adds up",)


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
        16 close refused
        16 close critical
        """
    )


async def test_figures_that_changed_since_they_were_looked_at_are_not_signed(story: Story) -> None:
    await story.play(
        """
        16 053 1000 1000
        16 run version 1
        16 ledger +1 Z
        16 close critical refused
        """
    )
    (answer,) = story.answers
    assert answer.refused == ("its figures changed since version 1; look at the new ones",)
    assert answer.day.version == 2, "they are there to be looked at"
    await story.play("16 close critical")


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
        18 close accepting critical refused
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
        18 close critical
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
        17 close accepting refused
        17 close accepting critical
        """
    )
    (answer,) = story.answers
    assert answer.waived == ("CONTINUITY_BROKEN", "PROOF_NOT_ZERO", "CRITICAL")


async def test_a_statement_moves_an_entry_to_the_day_it_gives(story: Story) -> None:
    await story.play(
        """
        16 ledger +100 A
        16 054 A+100
        16 053 no.1 1000 1000
        16 run bank 1000 ledger 1100 items ANNOUNCED_NOT_STATED:-100 proof 0
        """
    )
    day = await story.day("16")
    assert (day.uncovered, day.tier.value) == ("-100", "CRITICAL"), "explained, and still missing"
    assert await open_kinds(story, "BALANCE_MISMATCH") == []
    assert len(await open_kinds(story, "NOTIFICATION_UNCONFIRMED")) == 1
    await story.play(
        """
        17 053 no.2 1000 1100 A+100
        16 run version 2 items MATCHED_LATER:-100 proof 0
        17 run bank 1100 ledger 1100 explained 0 proof 0
        """
    )
    assert await open_kinds(story, "NOTIFICATION_UNCONFIRMED") == []


async def test_what_is_announced_and_neither_stated_nor_in_the_ledger_stands_between_nothing(
    story: Story,
) -> None:
    await story.play(
        """
        16 054 A+100 B-30
        16 053 1000 1000
        16 run bank 1000 ledger 1000 items - explained 0 proof 0
        17 ledger +100 A
        17 053 1000 1000
        16 run bank 1000 ledger 1000 explained 0 proof 0
        17 run bank 1000 ledger 1100 items ANNOUNCED_NOT_STATED:-100 proof 0
        """
    )
    assert (await story.day("16")).tier.value == "OK"


async def test_an_announced_debit_that_is_not_stated_yet_is_money_on_its_way(story: Story) -> None:
    await story.play(
        """
        16 ledger -30 B
        16 054 B-30
        16 053 1000 1000
        16 run bank 1000 ledger 970 items ANNOUNCED_NOT_STATED:30 proof 0
        """
    )
    assert (await story.day("16")).uncovered == "0"


async def test_what_was_announced_for_a_day_without_statement_is_in_the_balance_after_it(
    story: Story,
) -> None:
    await story.play(
        """
        16 053 no.1 1000 1000
        17 ledger +100 A
        17 054 A+100
        18 053 no.3 1100 1100
        18 run bank 1100 ledger 1100 explained 0 proof 0 chain GAP
        """
    )


async def test_a_weekends_announcement_that_mondays_statement_does_not_hold_is_not_at_the_bank(
    story: Story,
) -> None:
    await story.play(
        """
        16 053 no.1 1000 1000
        17 ledger +100 A
        17 054 A+100
        18 053 no.2 1000 1000
        18 run bank 1000 ledger 1100 items ANNOUNCED_NOT_STATED:-100 proof 0 chain JOINED
        """
    )


async def test_the_first_statement_alone_gives_what_the_bank_had_before_it(
    unregistered: Story,
) -> None:
    only_ledger = OPENING.replace(' bank: "1000",', "")
    await unregistered.registered(REGISTRY + only_ledger)
    await unregistered.play(
        """
        16 ledger +100 A
        16 054 A+100
        16 053 1000 1000
        17 053 1000 1000
        17 run bank 1000 ledger 1100 items ANNOUNCED_NOT_STATED:-100 proof 0
        """
    )


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
