"""A sweep's instants do not care what the clocks on the wall do."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from recon_streams.registry.definition import AccountDefinition, AccountSweep, BankAccount
from recon_streams.sweeps.terms import SweepTerms, next_sweep
from recon_streams.sweeps.windows import window_planner

BERLIN = ZoneInfo("Europe/Berlin")


def definition(every: int) -> AccountDefinition:
    return AccountDefinition(
        account_id="A",
        currency="EUR",
        scale=2,
        bank_accounts=(BankAccount(identification="B"),),
        sweep=AccountSweep(every_minutes=every),
        time_zone="Europe/Berlin",
    )


@pytest.mark.parametrize(
    ("day", "hours"),
    [((2026, 3, 28), 24), ((2026, 3, 29), 23), ((2026, 10, 24), 24), ((2026, 10, 25), 25)],
)
@pytest.mark.parametrize("every", [15, 20, 30, 60])
def test_each_hour_of_a_day_has_as_many_sweeps_as_any_other(
    day: tuple[int, int, int], hours: int, every: int
) -> None:
    starts = datetime(*day, tzinfo=BERLIN).astimezone(UTC)
    following = datetime(*day, tzinfo=BERLIN) + timedelta(days=1)  # wall clock: midnight again
    ends = following.astimezone(UTC)
    assert ends - starts == timedelta(hours=hours)
    found, at = [], starts
    while (at := next_sweep(definition(every), at)) <= ends:
        found.append(at)
    assert len(found) == hours * 60 // every
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(minutes=every)}


def test_a_window_is_due_after_its_grace_and_ends_on_the_full_half_hour() -> None:
    planner = window_planner(SweepTerms())
    at = datetime(2026, 10, 25, 0, 31, tzinfo=UTC)
    assert planner.next_due(at) == datetime(2026, 10, 25, 0, 33, tzinfo=UTC)
    assert planner.next_due(planner.next_due(at)) == datetime(2026, 10, 25, 1, 3, tzinfo=UTC)
