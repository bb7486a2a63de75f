"""A table of the book keeps the newest of each key, whatever it misses, repeats or gets late."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from recon_streams.positions.rolling import Rolling, push
from recon_streams.runtime.book_table import BookTable
from recon_streams.runtime.faust_app import make_app
from topics.positions import Position, Side, Tier

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def position(version: int, unexplained: str | None = "0", minute: int = 0) -> Position:
    return Position(
        account_id="A",
        currency="AED",
        version=version,
        ledger="1",
        bank="1",
        reserved="0",
        difference="0",
        explained="0",
        unexplained=unexplained,
        raw_tier=Tier.OK,
        tier=Tier.OK,
        rule="EQUAL",
        evaluated_at=AT + timedelta(minutes=minute),
        ledger_side=Side(),
        bank_side=Side(),
    )


async def nobody(error: BaseException) -> None:
    raise AssertionError(error)


async def test_old_news_changes_nothing() -> None:
    table: BookTable[Rolling, Position] = BookTable(make_app("t", nobody), "t", push)
    assert table.put("a", position(5, "7"))
    assert not table.put("a", position(5, "8"))
    assert not table.put("a", position(4, "9"))
    known = table.get("a")
    assert known is not None
    assert known.position.unexplained == "7"


async def test_restoring_beside_the_news_keeps_the_newer_of_the_two() -> None:
    table: BookTable[Rolling, Position] = BookTable(make_app("t", nobody), "t", push)
    table.put("a", position(6))
    assert table.restore([("a", position(5)), ("b", position(1))]) == 1
    assert {key: table.get(key).version for key in table} == {"a": 6, "b": 1}  # type: ignore[union-attr] # both are there


async def test_accounts_of_lost_partitions_are_forgotten() -> None:
    table: BookTable[Rolling, Position] = BookTable(make_app("t", nobody), "t", push)
    table.restore([("a", position(1)), ("b", position(1))])
    table.forget(lambda key: key == "a")
    assert list(table) == ["b"]


def test_minutes_are_kept_for_an_hour_and_each_says_its_last_word() -> None:
    rolling: Rolling | None = None
    for version, (minute, amount) in enumerate([(0, "1"), (0, "2"), (1, None), (90, "3")], start=1):
        rolling = push(rolling, position(version, amount, minute))
    assert rolling is not None
    assert [m.unexplained for m in rolling.minutes] == [Decimal(3)]
    rolling = push(push(None, position(1, "1")), position(2, "2"))
    assert [m.unexplained for m in rolling.minutes] == [Decimal(2)]
