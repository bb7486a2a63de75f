"""What a bank can write that no bank should: refused at its field, counted once, or said aloud."""

import itertools
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from bank_messages import detail, entry
from statement_office import Office

from recon_streams.book.connection import open_pool
from recon_streams.book.intake import DecisionFailed
from recon_streams.book.reading import read_record
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.log.record import Record
from recon_streams.positions.bank_message import Prepared
from recon_streams.positions.desk import PositionDesk
from recon_streams.positions.inputs import BankNotifications
from recon_streams.positions.invariants import InvariantChecks
from recon_streams.positions.known_store import Keys
from recon_streams.positions.registry_store import DirectoryCache

pytestmark = pytest.mark.postgres
PERIOD = (
    "<FrToDt><FrDtTm>0001-01-01T00:00:00Z</FrDtTm><ToDtTm>2026-11-19T08:00:00Z</ToDtTm></FrToDt>"
)
_NUMBERS = itertools.count(1)


@pytest.fixture
async def office(dsn: str) -> AsyncIterator[Office]:
    pool = await open_pool(dsn)
    made = Office(pool, f"SAFE-{next(_NUMBERS)}")
    await made.register()
    yield made
    broken = await InvariantChecks(pool).violations()
    assert broken["bank_figures_follow_their_statements"] == 0
    days = await made.rows("SELECT coalesce(sum(net), 0) FROM positions.bank_day WHERE number = $1")
    assert days == await made.rows(
        "SELECT coalesce(sum(net), 0) FROM positions.bank_entry WHERE number = $1"
    )
    await pool.close()


@pytest.mark.parametrize(
    ("line", "swap", "field"),
    [
        ("052 19: | a+1", ("Dt><Dt>2026-11-19", "Dt><Dt>0001-01-03"), "Rpt[1]/Ntry[1]/BookgDt"),
        (
            "053 19: 1000 > 1001 | a+1",
            ("<BookgDt><Dt>2026", "<BookgDt><Dt>0001"),
            "Ntry[1]/BookgDt",
        ),
        ("053 19: 1000 > 1000 | ", ("<Dt><Dt>2026", "<Dt><Dt>0001"), "Stmt[1]/Bal[1]/Dt"),
        ("054 19: | A+1", ("<BookgDt><Dt>2026", "<BookgDt><Dt>1969"), "Ntry[1]/BookgDt"),
        ("054 19: | A+1", ("<CreDtTm>2026", "<CreDtTm>0001"), "GrpHdr/CreDtTm"),
        ("052 19: 1 > 2 | ", ("<Acct>", f"{PERIOD}<Acct>"), "Rpt[1]/FrToDt"),
    ],
)
async def test_a_day_of_another_age_is_refused_at_its_field(
    office: Office, line: str, swap: tuple[str, str], field: str
) -> None:
    outcome = await office.hear(line, swap=swap)
    assert outcome.held[0].code is RefusalCode.INVALID_DATE
    assert outcome.held[0].field.endswith(field)
    assert await office.bank() == "1000"


@pytest.mark.parametrize("day", ["2999-01-01", "2027-11-19", "2026-12-05"])
async def test_what_is_booked_is_not_booked_in_the_future(office: Office, day: str) -> None:
    swap = ("<BookgDt><Dt>2026-11-19", f"<BookgDt><Dt>{day}")
    outcome = await office.hear("054 19: | A-5", swap=swap)
    (held,) = outcome.held
    assert (held.code, held.field[-8:]) == (RefusalCode.FUTURE_INSTANT, "/BookgDt")
    assert await office.bank() == "1000"


async def test_what_is_booked_after_the_cut_off_may_carry_the_next_business_day(
    office: Office,
) -> None:
    friday = datetime(2026, 11, 20, 18, tzinfo=UTC)
    (outcome,) = await office.tell("054 20: | A-5@23", at=friday)
    assert outcome.disposition is Disposition.APPLIED


async def test_a_day_that_begins_tomorrow_for_its_account_is_not_closed_today(
    office: Office,
) -> None:
    late = datetime(2026, 11, 19, 23, tzinfo=UTC)
    (outcome,) = await office.tell("053 20: 1000 > 1000 | ", at=late)
    assert outcome.held[0].code is RefusalCode.FUTURE_INSTANT
    await office.register(time_zone="Asia/Dubai")
    (outcome,) = await office.tell("053 20: 1000 > 1000 | id=X", at=late)
    assert outcome.disposition is Disposition.APPLIED


class Unaskable(BankNotifications):
    """Asks the book for something it cannot even be asked for, where a message is called so."""

    key: tuple[int, str] = (1, "")

    def ask(self, prepared: Prepared, keys: Keys) -> None:
        super().ask(prepared, keys)
        if any(report.booked[0].entry.servicer_reference == "BAD" for report in prepared.reports):
            keys.movements.add(self.key)


@pytest.mark.parametrize("key", [(2**40, "too large a number"), (1, "\0")])
async def test_a_record_the_book_cannot_be_asked_for_is_found_among_its_neighbours(
    office: Office, key: tuple[int, str]
) -> None:
    kind = Unaskable()
    kind.key = key
    desk = PositionDesk(kind, DirectoryCache())
    at = datetime(2026, 11, 29, 9, tzinfo=UTC)
    readings = []
    for offset, name in enumerate(["GOOD", "BAD", "FINE"]):
        payload = office.message(f"054 19: | {name}+1 id=M{offset}")
        record = Record("bank.notifications", 0, offset, b"k", payload, (), at)
        readings.append(read_record(desk, record))
    with pytest.raises(DecisionFailed) as caught:
        async with UnitOfWork(office.pool) as unit:
            await desk.decide(unit, readings)
    assert caught.value.index == 1


async def test_a_reference_that_never_ends_is_no_key_of_the_book(office: Office) -> None:
    # As random text it cannot be packed into a page of an index.
    ids = [secrets.token_hex(6_000) for _ in range(2)]
    entries = [
        entry("7.00", day="2026-11-19", ref=secrets.token_hex(6_000), details=detail(e2e=each))
        for each in ids
    ]
    outcome = await office.hear("054 19: | ", *entries)
    assert outcome.disposition is Disposition.APPLIED
    assert await office.bank() == "1014"
    rows = await office.rows(
        "SELECT end_to_end_id, length(end_to_end_id) FROM positions.bank_entry WHERE number = $1"
    )
    assert len({name for name, _ in rows}) == 2
    assert {length for _, length in rows} == {140}
    again = await office.hear("053 19: 1000 > 1014 | ", *entries)
    assert again.disposition is Disposition.APPLIED
    assert await office.bank() == "1014"
    assert await office.found() == {}
