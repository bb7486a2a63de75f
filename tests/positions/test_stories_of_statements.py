"""What a statement does to a position: one economic event once, the record of the day wins."""

import pytest
from statement_office import ARRIVAL, Office

from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.refusal import RefusalCode

pytestmark = pytest.mark.postgres


async def test_what_was_announced_is_confirmed_and_never_booked_again(office: Office) -> None:
    await office.tell("054 19: | A+30 B-10")
    assert await office.bank() == "1020"
    (outcome,) = await office.tell("053 19: 1000 > 1020 | A+30 B-10")
    assert outcome.disposition is Disposition.APPLIED
    assert await office.bank() == "1020"
    state = await office.state()
    assert (str(state.stated_on), state.bank.anchor, state.bank.moved) == ("2026-11-19", 1020, 0)
    assert await office.found() == {}
    confirmed = await office.rows(
        "SELECT message, count(*) FROM positions.entry_confirmation WHERE number = $1 GROUP BY 1"
    )
    assert confirmed == [("camt.053", 2)]


async def test_a_notification_and_then_the_statement_equal_the_statement_alone(
    office: Office,
) -> None:
    await office.tell("053 19: 1000 > 1020 | A+30 B-10")
    assert await office.bank() == "1020"
    assert await office.found() == {}, "this account never had a notification"


async def test_a_late_statement_replaces_the_anchor_and_not_the_live_position(
    office: Office,
) -> None:
    await office.tell("054 19: | A+30", "054 20: | B+7")
    await office.tell("053 19: 1000 > 1030 | A+30")
    assert await office.bank() == "1037"
    assert (await office.state()).bank.moved == 7


async def test_an_entry_of_a_later_day_than_its_closing_is_still_in_the_closing(
    office: Office,
) -> None:
    await office.tell("053 19: 1000 > 1030 | A+30@20")
    assert await office.bank() == "1030"


async def test_the_booking_day_of_the_statement_counts(office: Office) -> None:
    await office.tell("054 20: | A+30", "053 19: 1000 > 1030 | A+30@19")
    assert await office.bank() == "1030", "announced for the 20th, in the closing of the 19th"


async def test_a_notification_after_the_statement_of_its_day_moves_nothing(
    office: Office,
) -> None:
    await office.tell("053 19: 1000 > 1000 |", "054 19: | A+30")
    assert await office.bank() == "1000"
    assert list((await office.found()).values()) == ["30"]
    assert await office.kinds() == ["NOTIFICATION_UNCONFIRMED"]


async def test_an_announced_payment_that_is_in_no_statement_is_a_discrepancy_until_one_has_it(
    office: Office,
) -> None:
    await office.tell("054 19: | A+30 B+5", "053 19: 1000 > 1005 | B+5")
    assert await office.bank() == "1005", "the statement wins"
    assert await office.kinds() == ["NOTIFICATION_UNCONFIRMED"]
    await office.tell("053 20: 1005 > 1035 | A+30@20")
    assert await office.bank() == "1035"
    assert await office.found() == {}


async def test_what_nobody_announced_is_a_late_notification_and_no_shortage(
    office: Office,
) -> None:
    await office.tell("054 19: | A+30", "053 19: 1000 > 1027 | A+30 B-5 C+2")
    assert await office.bank() == "1027"
    assert await office.found() == {"LATE_NOTIFICATION 2026-11-19": "-3"}


async def test_a_statement_that_does_not_add_up_changes_nothing_and_says_by_how_much(
    office: Office,
) -> None:
    await office.tell("054 19: | A+30")
    (outcome,) = await office.tell("053 19: 1000 > 1031 | A+30 B-5")
    assert outcome.disposition is Disposition.QUARANTINED
    assert outcome.held[0].code is RefusalCode.STATEMENT_UNBALANCED
    assert "difference 6" in outcome.held[0].detail
    assert await office.bank() == "1030"
    assert await office.found() == {"STATEMENT_UNBALANCED 2026-11-19": "6"}
    await office.tell("053 19: 1000 > 1030 | A+30")
    assert await office.found() == {}


async def test_a_statement_sent_again_under_another_id_changes_nothing(office: Office) -> None:
    line = "053 19 #5: 1000 > 1030 | A+30"
    await office.tell(line + " id=M1")
    (again,) = await office.tell(line + " id=M2")
    assert (again.disposition, again.events) == (Disposition.DUPLICATE, 0)
    assert await office.found() == {}


async def test_another_content_under_the_same_number_is_a_correction(office: Office) -> None:
    await office.tell("053 19 #5: 1000 > 1035 | A+30 B+5 made=18")
    await office.tell("053 19 #5: 1000 > 1032 | A+30 C+2 made=19")
    assert await office.bank() == "1032"
    assert await office.found() == {"STATEMENT_CORRECTED 2026-11-19#5": "-3"}
    versions = await office.rows(
        "SELECT version, status FROM positions.statement WHERE number = $1 ORDER BY version"
    )
    assert versions == [(1, "SUPERSEDED"), (2, "ACCEPTED")]
    booked = await office.rows("SELECT sum(net) FROM positions.bank_entry WHERE number = $1")
    assert booked == [(32,)], "what the correction no longer has is taken back"


async def test_what_a_correction_took_back_is_new_when_it_comes_again(office: Office) -> None:
    await office.tell("053 19 #5: 1000 > 1035 | A+30 B+5 made=18")
    await office.tell("053 19 #5: 1000 > 1030 | A+30 made=19")
    await office.tell("053 20 #6: 1030 > 1035 | B+5")
    assert await office.bank() == "1035"
    assert await office.rows("SELECT sum(net) FROM positions.bank_entry WHERE number = $1") == [
        (35,)
    ]


async def test_the_older_version_that_comes_late_does_not_count(office: Office) -> None:
    await office.tell("053 19 #5: 1000 > 1035 | A+30 B+5 made=19")
    (late,) = await office.tell("053 19 #5: 1000 > 1030 | A+30 made=18")
    assert late.disposition is Disposition.OBSERVATION
    assert await office.bank() == "1035"


async def test_equal_payments_without_references_pair_one_by_one(office: Office) -> None:
    await office.tell("054 19: | x-5", "054 19: | y-5")
    assert await office.bank() == "990"
    await office.tell("053 19: 1000 > 985 | x-5 y-5 z-5")
    assert await office.bank() == "985"
    entries = await office.rows("SELECT count(*) FROM positions.bank_entry WHERE number = $1")
    assert entries == [(3,)]
    assert await office.found() == {"LATE_NOTIFICATION 2026-11-19": "-5"}


async def test_a_reference_finds_its_payment_before_looks_decide(office: Office) -> None:
    await office.tell("054 19: | A-5", "053 19: 1000 > 990 | x-5 A-5")
    assert await office.found() == {"LATE_NOTIFICATION 2026-11-19": "-5"}


async def test_a_statement_that_closes_before_it_opens_is_refused(office: Office) -> None:
    (outcome,) = await office.tell("053 19: 1000 > 1000 | opened=20")
    assert outcome.held[0].code is RefusalCode.INVALID_DATE
    assert outcome.held[0].field == "Stmt[1]/Bal"


async def test_a_statement_of_a_day_to_come_is_refused(office: Office) -> None:
    at = ARRIVAL.replace(day=19)
    (outcome,) = await office.tell("053 25: 1000 > 1000 | made=1", at=at)
    assert outcome.held[0].code is RefusalCode.FUTURE_INSTANT


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("account=NOBODY", RefusalCode.UNKNOWN_ACCOUNT),
        ("currency=USD", RefusalCode.CURRENCY_MISMATCH),
    ],
)
async def test_a_statement_of_another_account_or_currency_is_kept(
    office: Office, word: str, code: RefusalCode
) -> None:
    (outcome,) = await office.tell(f"053 19: 1000 > 1000 | {word}")
    assert [held.code for held in outcome.held] == [code]


async def test_a_statement_without_a_closing_counts_provisionally_and_is_told(
    office: Office,
) -> None:
    await office.tell("053 19: 1000 > ? | A+30")
    assert await office.bank() == "1030"
    assert await office.kinds() == ["STATEMENT_INCOMPLETE"]
    await office.tell("053 19: 1000 > 1030 | A+30 made=9")
    assert await office.found() == {}


async def test_a_message_of_another_kind_is_on_the_wrong_topic(office: Office) -> None:
    (outcome,) = await office.take("053", [office.message("054 19: | A+30")])
    assert outcome.held[0].code is RefusalCode.WRONG_TOPIC


async def test_statements_of_one_batch_know_of_each_other(office: Office) -> None:
    lines = (
        "053 20 #6: 1030 > 1037 | B+7",
        "053 19 #5: 1000 > 1030 | A+30",
        "053 19 #5: 1000 > 1030 | A+30 id=again",
        "053 21 #7: 1037 > 1037 |",
    )
    payloads = [office.message(line) for line in lines]
    outcomes = await office.take("053", payloads)
    assert [outcome.disposition.value for outcome in outcomes] == [
        "APPLIED",
        "OBSERVATION",
        "DUPLICATE",
        "APPLIED",
    ]
    assert await office.bank() == "1037"
    assert await office.found() == {}
