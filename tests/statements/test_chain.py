"""Each statement opens with the closing of the one before; numbers only name what is missing."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.statements.chain import (
    Link,
    Relation,
    continuity,
    earlier_version,
    is_later,
    is_older_version,
    neighbours,
)


def link(day: int, opening: str, closing: str, **more: Any) -> Link:
    """Return the statement of a day of November 2026; days below 1 are in December of 2025."""
    on = date(2026, 11, day) if day > 0 else date(2025, 12, 31 + day)
    name = f"{day} {opening} {closing} {more}".encode()
    said = {"key": name, "content": name, "origin": f"s/0/{day}", "path": "Stmt[1]", **more}
    return Link(closing_on=on, opening=Decimal(opening), closing=Decimal(closing), **said)


@pytest.mark.parametrize(
    ("numbers", "opening", "relation", "missing"),
    [
        ((5, 6), "7", Relation.CONNECTED, ()),
        ((None, None), "7", Relation.CONNECTED, ()),
        ((5, 9), "7", Relation.RENUMBERED, ()),
        ((5, 8), "9", Relation.GAP, (6, 7)),
        ((5, 6), "9", Relation.BROKEN, ()),
        ((None, 6), "9", Relation.BROKEN, ()),
        ((5, 500), "9", Relation.BROKEN, ()),
        ((5, 3), "9", Relation.BACKWARD, ()),
    ],
)
def test_balances_prove_the_chain_and_numbers_name_what_is_missing(
    numbers: tuple[int | None, int | None],
    opening: str,
    relation: Relation,
    missing: tuple[int, ...],
) -> None:
    before = link(19, "1", "7", electronic_sequence=numbers[0])
    after = link(20, opening, "9", electronic_sequence=numbers[1])
    found = continuity(before, after)
    assert (found.relation, found.missing) == (relation, missing)
    assert found.difference == Decimal(opening) - 7


def test_numbers_that_restart_with_the_year_name_what_is_missing_since_then() -> None:
    before, after = link(0, "1", "7"), link(2, "7", "9")
    last = {"electronic_sequence": 251}
    first = {"electronic_sequence": 1}
    assert continuity(link(0, "1", "7", **last), link(2, "7", "9", **first)).connects
    third = link(2, "8", "9", electronic_sequence=3)
    assert continuity(link(0, "1", "7", **last), third).missing == (1, 2)
    assert continuity(before, after).connects


def test_electronic_and_legal_numbers_count_apart() -> None:
    before = link(19, "1", "7", electronic_sequence=5, legal_sequence=1)
    after = link(20, "9", "9", electronic_sequence=6, legal_sequence=3)
    assert continuity(before, after).relation is Relation.BROKEN
    legal = continuity(link(19, "1", "7", legal_sequence=1), link(20, "9", "9", legal_sequence=3))
    assert legal.missing == (2,)


def test_two_statements_of_one_day_follow_each_other_by_number_else_by_balance() -> None:
    first, second = link(20, "1", "7"), link(20, "7", "4")
    assert is_later(second, first)
    assert not is_later(first, second)
    assert earlier_version([first], second) is None, "it goes on where the first one ended"
    numbered = link(20, "7", "4", electronic_sequence=5), link(20, "1", "7", electronic_sequence=6)
    assert is_later(numbered[1], numbered[0])


def test_the_same_number_on_the_same_day_is_another_version() -> None:
    known = link(20, "1", "7", electronic_sequence=5)
    assert earlier_version([known], link(20, "1", "8", electronic_sequence=5)) == known
    assert earlier_version([known], link(20, "1", "8", electronic_sequence=6)) is None
    assert earlier_version([known], link(19, "1", "8", electronic_sequence=5)) is None
    same_id = link(20, "1", "7", statement_id="S")
    assert earlier_version([same_id], link(20, "2", "8", statement_id="S")) == same_id


def test_which_version_is_the_older_one_is_the_banks_clock() -> None:
    at = datetime(2026, 11, 20, 18, tzinfo=UTC)
    early = link(20, "1", "7", created_at=at)
    late = link(20, "1", "8", created_at=at.replace(hour=19))
    assert is_older_version(early, late)
    assert not is_older_version(late, early)


@given(st.permutations(range(1, 9)))
def test_the_neighbours_of_a_statement_do_not_depend_on_the_order_of_arrival(
    order: list[int],
) -> None:
    links = [link(day, f"{day}", f"{day + 1}") for day in order]
    before, after = neighbours(links, link(4, "4", "5"))
    assert before is not None
    assert after is not None
    assert (before.closing_on.day, after.closing_on.day) == (3, 5)
