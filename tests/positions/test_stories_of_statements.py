"""What a statement does to a position: one economic event once, the record of the day wins."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest
from statement_office import ARRIVAL, Office

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions.invariants import InvariantChecks
from recon_streams.testing.postgres import TestPostgres

pytestmark = pytest.mark.postgres
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def dsn(postgres: TestPostgres) -> str:
    """One migrated database for all the stories, each of which has an account of its own."""
    name = f"t_{secrets.token_hex(6)}"

    async def create() -> None:
        connection = await asyncpg.connect(postgres.dsn)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(create())
    migrate(postgres.dsn_of(name))
    return postgres.dsn_of(name)


@pytest.fixture
async def office(dsn: str) -> AsyncIterator[Office]:
    pool = await open_pool(dsn)
    made = Office(pool, f"SAFE-{next(_NUMBERS)}")
    await made.register()
    yield made
    broken = await InvariantChecks(pool).violations()
    assert broken["bank_figures_follow_their_statements"] == 0
    await _check_days(pool)
    await pool.close()


async def _check_days(pool: asyncpg.Pool) -> None:
    """Two roads to what each account booked: its days, and its entries one by one."""
    rows = await pool.fetch(
        "SELECT number, d.net AS days, e.net AS entries FROM "
        "(SELECT number, sum(net) AS net FROM positions.bank_day GROUP BY 1) AS d "
        "FULL JOIN (SELECT number, sum(net) AS net FROM positions.bank_entry GROUP BY 1) AS e "
        "USING (number) WHERE d.net IS DISTINCT FROM e.net"
    )
    assert not rows


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
    assert "difference -6" in outcome.held[0].detail
    assert await office.bank() == "1030"
    assert await office.found() == {"STATEMENT_UNBALANCED 2026-11-19": "-6"}
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


async def test_a_correction_of_an_older_day_leaves_the_anchor_and_is_judged_forward(
    office: Office,
) -> None:
    await office.tell("053 19 #5: 1000 > 1030 | A+30", "053 20 #6: 1030 > 1037 | B+7")
    await office.tell("053 19 #5: 1000 > 1029 | A+29 made=20")
    assert await office.bank() == "1037"
    found = await office.found()
    assert found["CONTINUITY_BROKEN 2026-11-20#6"] == "1"


async def test_an_older_statement_after_a_newer_one_leaves_the_anchor(office: Office) -> None:
    await office.tell("053 20 #6: 1030 > 1037 | B+7", "053 19 #5: 1000 > 1030 | A+30")
    assert await office.bank() == "1037"
    assert await office.found() == {}


async def test_a_skipped_number_is_a_missing_statement_until_it_comes(office: Office) -> None:
    await office.tell("053 18 #4: 1000 > 1001 | A+1", "053 20 #6: 1030 > 1037 | B+7")
    assert await office.found() == {
        "CONTINUITY_BROKEN 2026-11-20#6": "29",
        "STATEMENT_MISSING number 2026/5": "",
    }
    await office.tell("053 19 #5: 1001 > 1030 | C+29")
    assert await office.found() == {}
    assert await office.bank() == "1037"


async def test_skipped_numbers_over_balances_that_connect_miss_nothing(office: Office) -> None:
    await office.tell("053 18 #4: 1000 > 1001 | A+1", "053 20 #60: 1001 > 1008 | B+7")
    assert await office.found() == {}


async def test_an_opening_that_is_not_the_last_closing_is_a_broken_chain(office: Office) -> None:
    await office.tell("053 19: 1000 > 1030 | A+30", "053 20: 1031 > 1031 |")
    assert await office.bank() == "1031"
    assert await office.found() == {"CONTINUITY_BROKEN 2026-11-20": "1"}


async def test_a_number_that_goes_back_is_a_broken_chain(office: Office) -> None:
    await office.tell("053 19 #9: 1000 > 1030 | A+30", "053 20 #7: 1020 > 1020 |")
    assert await office.kinds() == ["CONTINUITY_BROKEN"]


async def test_a_statement_without_entries_moves_the_chain_on(office: Office) -> None:
    await office.tell("053 19: 1000 > 1030 | A+30", "053 20: 1030 > 1030 |")
    (outcome,) = await office.tell("053 21: 1030 > 1031 | B+1")
    assert outcome.disposition is Disposition.APPLIED
    assert str((await office.state()).stated_on) == "2026-11-21"
    assert await office.found() == {}


async def test_two_statements_of_one_day_follow_each_other(office: Office) -> None:
    await office.tell("053 19: 1030 > 1033 | B+3", "053 19: 1000 > 1030 | A+30")
    assert await office.bank() == "1033"
    assert await office.found() == {}


async def test_a_statement_older_than_the_opening_is_no_anchor(office: Office) -> None:
    await office.tell("053 17: 800 > 900 | A+100")
    assert await office.bank() == "1000"
    assert (await office.state()).stated_on is None


async def test_pages_that_add_up_by_themselves_wait_for_each_other(office: Office) -> None:
    one = "053 19 #5: 1000 > 1030 | A+30 id=S page=1/2 close=ITBD"
    two = "053 19 #5: 1030 > 1025 | B-5 id=S page=2/2 open=ITBD"
    await office.tell(two)
    assert await office.bank() == "1000"
    assert await office.kinds() == ["STATEMENT_INCOMPLETE"]
    assert (await office.state()).stated_on is None
    await office.tell(one)
    assert await office.bank() == "1025"
    assert str((await office.state()).stated_on) == "2026-11-19"
    assert await office.found() == {}
    (again,) = await office.tell(one)
    assert again.disposition is Disposition.DUPLICATE


async def test_pages_of_which_nobody_knows_whether_they_add_up_count_as_they_come(
    office: Office,
) -> None:
    await office.tell("053 19 #5: ? > 1025 | B-5 id=S page=2/2")
    assert await office.bank() == "995"
    await office.tell("053 19 #5: 1000 > ? | A+30 id=S page=1/2")
    assert await office.bank() == "1025"
    assert str((await office.state()).stated_on) == "2026-11-19"
    assert await office.found() == {}


async def test_pages_that_do_not_add_up_leave_the_last_anchor(office: Office) -> None:
    await office.tell(
        "053 19: 1000 > 1030 | A+30 id=S page=1/2 close=ITBD",
        "053 19: 1030 > 1026 | B-5 id=S page=2/2 open=ITBD",
    )
    assert (await office.state()).stated_on is None
    assert await office.found() == {"STATEMENT_UNBALANCED 2026-11-19": "-1"}


async def test_a_file_numbered_two_that_is_whole_by_itself_is_not_waited_for(
    office: Office,
) -> None:
    await office.tell("053 19: 1000 > 1030 | A+30 page=2/2")
    assert str((await office.state()).stated_on) == "2026-11-19"
    assert await office.found() == {}


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


async def test_a_report_of_the_whole_day_repeats_and_an_increment_adds(office: Office) -> None:
    await office.tell("052 19: 1000 > 1030 | a+30", "052 19: 1000 > 1040 | a+30 b+10")
    assert await office.bank() == "1040"
    await office.tell("052 19: | a+30")
    assert await office.bank() == "1070", "an increment without a reference is another payment"


async def test_the_balance_of_a_report_is_compared_and_never_taken_over(office: Office) -> None:
    at = ARRIVAL.replace(day=19, hour=9)
    await office.tell("052 19: 1000 > 1030 | A+25 made=9", at=at)
    assert await office.bank() == "1025"
    assert await office.found() == {"SOURCE_DISAGREEMENT balance 2026-11-19": "5"}
    await office.tell("053 19: 1000 > 1025 | A+25")
    assert await office.found() == {}


async def test_a_bank_that_sends_reports_only_closes_its_day_with_one(office: Office) -> None:
    other = Office(office.pool, office.account_id + "-052")
    await other.register(day_record="camt.052")
    await other.tell("052 19: 1000 > 1030 | A+30")
    assert (await other.state()).stated_on is None, "an interim balance closes nothing"
    await other.tell("052 19: 1000 > 1025 | A+30 B-5 close=CLBD")
    assert str((await other.state()).stated_on) == "2026-11-19"
    assert await other.bank() == "1025"


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
