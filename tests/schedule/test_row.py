"""Whenever and however often the schedule is looked at, each instant is emitted once, in order."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recon_streams.registry.definition import AccountDefinition, AccountSweep, BankAccount
from recon_streams.schedule.planner import next_aligned
from recon_streams.schedule.row import Row, Version, emitted, planned

START = datetime(2026, 3, 29, 0, 7, tzinfo=UTC)
END = START + timedelta(hours=8)
EVERY = (15, 20, 30, 60)


def definition(every: int) -> AccountDefinition:
    return AccountDefinition(
        account_id="A",
        currency="AED",
        scale=2,
        bank_accounts=(BankAccount(identification="B"),),
        sweep=AccountSweep(every_minutes=every),
        time_zone="Europe/Berlin",
    )


def due(of: AccountDefinition, after: datetime) -> datetime:
    return next_aligned(after, every=timedelta(minutes=of.sweep.every_minutes))


def unplanned() -> Row:
    return Row(
        kind="sweep", subject="account:A:AED", number=1, registry_version=0,
        after=START, due_at=None,
    )  # fmt: skip


def versions(changes: list[tuple[int, int]]) -> list[Version]:
    return [
        Version(
            number=1,
            version=number,
            applied_at=START + timedelta(seconds=seconds),
            definition=definition(every),
        )
        for number, (seconds, every) in enumerate(sorted(changes), start=1)
    ]


def expected(history: list[Version]) -> list[datetime]:
    """Return every instant, by walking through the minutes with the definition of each."""
    found = []
    at = START.replace(minute=0)
    while at <= END:
        # What is due at the very moment of a change is still due by the rules before it.
        in_force = [each for each in history if each.applied_at < at]
        if (
            in_force
            and at > START
            and due(in_force[-1].definition, at - timedelta(seconds=1)) == at
        ):
            found.append(at)
        at += timedelta(minutes=1)
    return found


def watched(history: list[Version], rounds: list[int]) -> list[datetime]:
    """Return what is emitted by looking at these seconds; a round sees what was applied by then."""
    row, found, seen = unplanned(), [], 0
    for seconds in [*sorted(rounds), (END - START).seconds]:
        now = START + timedelta(seconds=seconds)
        known = [each for each in history if each.applied_at <= now]
        row = planned(row, known[seen:], due)
        seen = len(known)
        while row.due_at is not None and row.due_at <= now:
            found.append(row.due_at)
            since = [each for each in known if each.version >= row.registry_version]
            row = emitted(row, since, due)
    return found


seconds_of_the_day = st.integers(0, 8 * 3600 - 1)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(seconds_of_the_day, st.sampled_from(EVERY)), max_size=4),
    st.lists(seconds_of_the_day, max_size=30),
)
def test_nothing_is_emitted_twice_or_skipped_whatever_changes_and_whenever_somebody_looks(
    changes: list[tuple[int, int]], rounds: list[int]
) -> None:
    history = versions([(0, 30), *changes])
    assert watched(history, rounds) == expected(history)


@given(st.integers(0, 10**9), st.sampled_from(EVERY))
def test_the_next_instant_is_the_first_one_after(seconds: int, every: int) -> None:
    after = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    found = next_aligned(after, every=timedelta(minutes=every))
    assert after < found <= after + timedelta(minutes=every)
    assert found.minute % every == 0


def test_a_row_without_a_next_instant_waits_for_a_definition_that_knows_one() -> None:
    (first,) = versions([(0, 30)])
    row = planned(unplanned(), [first], lambda _definition, _after: None)
    assert row.due_at is None
    second = replace(first, version=2, applied_at=START + timedelta(hours=1))
    assert planned(row, [second], due).due_at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
