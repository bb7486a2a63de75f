"""A statement is owed for each day on which the bank works, and missed from one instant on."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from recon_streams.discrepancies.finding import Cleared, Finding, Kind, Source
from recon_streams.kernel.calendars import Calendars
from recon_streams.registry.definition import AccountDefinition, AccountStatements
from recon_streams.statements.expectation import (
    Received,
    Unusable,
    expected_of,
    news_of,
    next_overdue,
    overdue_days,
)

CALENDARS = Calendars()
ZONES = ("Asia/Dubai", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC")
NAMES = ("AE", "DE", "US", "IN", "WEEKDAYS", "EVERY_DAY")


def account(
    *, calendar: str = "AE", zone: str = "Asia/Dubai", **statements: object
) -> AccountDefinition:
    return AccountDefinition(
        account_id="A-1",
        currency="AED",
        scale=2,
        bank_accounts=(),
        calendar=calendar,
        time_zone=zone,
        statements=AccountStatements(**statements),  # type: ignore[arg-type]  # of whatever is said
    )


def news(definition: AccountDefinition, on: date, now: str, *arrived: str) -> list[object]:
    expected = expected_of(7, definition, CALENDARS.named(definition.calendar), on)
    received = [
        Received(account=7, on=on, origin="bank.statements/0/1", arrived_at=_at(text))
        for text in arrived
    ]
    findings, cleared = news_of([expected] if expected else [], received, now=_at(now))
    return [*findings, *cleared]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_nothing_is_owed_for_a_day_on_which_the_bank_rests() -> None:
    calendar = CALENDARS.named("AE")
    assert expected_of(7, account(), calendar, date(2026, 11, 21)) is None
    assert expected_of(7, account(), calendar, date(2026, 12, 2)) is None


def test_what_is_owed_for_friday_is_expected_on_monday() -> None:
    expected = expected_of(7, account(), CALENDARS.named("AE"), date(2026, 11, 20))
    assert expected is not None
    assert expected.expected_at == _at("2026-11-23T10:00+04:00")


def test_before_its_instant_a_statement_is_no_news() -> None:
    assert news(account(), date(2026, 11, 20), "2026-11-23T09:59:59+04:00") == []


def test_from_its_instant_on_it_is_missing() -> None:
    (found,) = news(account(), date(2026, 11, 20), "2026-11-23T10:00+04:00")
    assert isinstance(found, Finding)
    assert found.cause.kind is Kind.STATEMENT_MISSING
    assert (found.source, found.on) == (Source.EXPECTATION, date(2026, 11, 20))
    assert found.facts["expected_by"] == "2026-11-23T06:00:00Z"


def test_a_bank_may_be_given_time_before_its_statement_counts_as_missing() -> None:
    patient = account(late_after_minutes=90)
    assert news(patient, date(2026, 11, 20), "2026-11-23T11:29+04:00") == []
    (found,) = news(patient, date(2026, 11, 20), "2026-11-23T11:30+04:00")
    assert isinstance(found, Finding)
    assert found.facts["overdue_since"] == "2026-11-23T07:30:00Z"


def test_a_statement_that_is_there_ends_what_was_missing_and_says_by_what() -> None:
    (found,) = news(
        account(), date(2026, 11, 20), "2026-11-24T10:00+04:00", "2026-11-24T09:00+04:00"
    )
    assert isinstance(found, Cleared)
    assert found.proof == {
        "statement": "bank.statements/0/1",
        "arrived_at": "2026-11-24T05:00:00Z",
    }


def test_a_statement_that_is_not_required_is_not_missed() -> None:
    assert news(account(required=False), date(2026, 11, 20), "2026-12-24T10:00Z") == []


def test_the_days_that_are_overdue_are_those_whose_instant_has_come() -> None:
    found = overdue_days(
        account(), CALENDARS.named("AE"), since=date(2026, 11, 18), now=_at("2026-11-23T06:00Z")
    )
    assert list(found) == [date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)]


@given(
    st.sampled_from(NAMES),
    st.sampled_from(ZONES),
    st.integers(0, 5),
    st.integers(0, 3000),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis adds the zone
)
def test_instants_follow_each_other_one_for_each_business_day(
    name: str, zone: str, days: int, late: int, after: datetime
) -> None:
    definition = account(
        calendar=name, zone=zone, expected_after_business_days=days, late_after_minutes=late
    )
    calendar = CALENDARS.named(name)
    first, on = next_overdue(definition, calendar, after)
    assert first > after
    second, following = next_overdue(definition, calendar, first)
    assert following == calendar.add_business_days(on, 1)
    assert second > first
    just_before, same = next_overdue(definition, calendar, first - timedelta(microseconds=1))
    assert (just_before, same) == (first, on), "no instant lies between"


def test_one_that_came_and_does_not_add_up_is_said_to_be_that() -> None:
    on = date(2026, 11, 20)
    expected = expected_of(7, account(), CALENDARS.named("AE"), on)
    assert expected is not None
    failed = [
        Unusable(
            account=7,
            on=on,
            origin=f"bank.statements/0/{place}",
            arrived_at=_at(f"2026-11-23T0{place}:00+04:00"),
            difference=Decimal(place),
            quarantine=place,
        )
        for place in (2, 1)
    ]
    late = _at("2026-11-23T10:00+04:00")
    ((found,), _) = news_of([expected], [], now=late, unusable=failed)
    assert found.amount == 2, "the last that came"
    assert found.facts["what"] == "it came, and does not add up by 2"
    assert (found.facts["statement"], found.facts["quarantine"]) == ("bank.statements/0/2", "2")
    assert news_of([expected], [], now=late - timedelta(hours=1), unusable=failed) == ([], [])
