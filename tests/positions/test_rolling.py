"""What a worker remembers of an account is the same, however often and late it hears of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from recon_streams.positions.rolling import Past, Rolling, Seen, push
from topics.positions import Position, Side, Tier

START = datetime(2026, 11, 20, tzinfo=UTC)


def position(version: int) -> Position:
    return Position(
        account_id="A", currency="AED", version=version, ledger="1", bank="1", reserved="0",
        difference="0", explained="0", unexplained=str(version), raw_tier=Tier.OK, tier=Tier.OK,
        rule="EQUAL", evaluated_at=START + timedelta(minutes=7 * version),
        ledger_side=Side(), bank_side=Side(),
    )  # fmt: skip


def rolled(*news: Position | Past) -> Rolling:
    found = reduce(push, news, None)
    assert found is not None
    return found


def test_a_day_is_kept_and_no_more() -> None:
    rolling = rolled(*(position(version) for version in range(1, 500)))
    assert rolling.half_hours[-1].at - rolling.half_hours[0].at < timedelta(hours=24)
    assert 47 <= len(rolling.half_hours) <= 49
    assert len(rolling.minutes) <= 60
    assert rolling.half_hours[-1] == Seen(position(499).evaluated_at, Decimal(499))


def test_each_half_hour_keeps_the_last_that_was_seen_in_it() -> None:
    rolling = rolled(*(position(version) for version in range(1, 5)))
    assert [seen.unexplained for seen in rolling.half_hours] == [4]


def test_the_past_of_the_book_fills_what_was_not_heard_and_replaces_nothing() -> None:
    heard = rolled(position(10))
    past = Past(
        position=position(10),
        seen=(Seen(START + timedelta(minutes=5), Decimal(-5)),
              Seen(position(10).evaluated_at, Decimal(-10))),
    )  # fmt: skip
    rolling = push(heard, past)
    assert [seen.unexplained for seen in rolling.half_hours] == [-5, 10]
    assert push(rolling, past) is rolling


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30), st.integers(0, 30))
def test_the_newest_version_wins_whatever_comes_again(versions: list[int], again: int) -> None:
    ordered = [position(version) for version in sorted(set(versions))]
    once = rolled(*ordered)
    assert rolled(*ordered, *ordered[:again]) == once
