"""The engine against an oracle that shares no code with it, and the SQL against the engine."""

from collections import Counter
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matching_books import Books
from matching_notation import RULES, a_pile, matched
from matching_oracle import best_assignments, by_references, sums

from recon_streams.matching.assignment import Component, assign, components
from recon_streams.matching.subsets import ways_to

ONLY_REFERENCES = msgspec.structs.replace(RULES, batch=None, composite=None, sums=None)


@pytest.mark.parametrize("seed", range(300))
def test_exact_references_are_matched_as_the_oracle_does(seed: int) -> None:
    banks, ledgers = a_pile(seed)
    answer = matched(banks, ledgers, ONLY_REFERENCES)
    expected = by_references(banks, ledgers)
    got = {(m.bank[0].sequence, m.ledger[0].sequence) for m in answer.matches}
    # Behind the k-th with the k-th the engine also finds partners nearer in time.
    assert expected <= got


@given(
    st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 3)), st.integers(1, 4), max_size=8)
)
def test_what_is_certain_is_in_every_best_assignment(scores: dict[tuple[int, int], int]) -> None:
    expected = set.intersection(*map(set, best_assignments(scores))) if scores else set()
    possible = set().union(*best_assignments(scores)) if scores else set()
    ones = dict.fromkeys(range(4), 1)
    certain: set[tuple[int, int]] = set()
    undecided: set[tuple[int, int]] = set()
    for part in components(ones, ones, scores):
        found = assign(part)
        certain |= set(found.certain)
        undecided |= found.open_pairs
    assert certain == expected
    assert undecided == possible - expected


def test_interchangeable_items_are_assigned_by_their_number() -> None:
    part = Component({1: 3}, {1: 2, 2: 2}, {(1, 1): 5, (1, 2): 5})
    found = assign(part)
    assert found.certain == {(1, 1): 1, (1, 2): 1}
    assert found.open_pairs == {(1, 1), (1, 2)}


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=8),
    st.integers(2, 30),
    st.integers(2, 5),
)
def test_a_sum_has_as_many_ways_as_trying_all_of_them_finds(
    amounts: list[int], target: int, most: int
) -> None:
    kinds = sorted(Counter(Decimal(n) for n in amounts).items())
    found = ways_to(Decimal(target), kinds, legs_min=2, legs_max=most, steps_max=100_000)
    expected = sums(Decimal(target), [Decimal(n) for n in amounts], most)
    assert len(found.ways) == min(2, len(expected))
    for way in found.ways:
        taken = [kind for (kind, _), n in zip(kinds, way, strict=True) for _ in range(n)]
        assert tuple(taken) in expected


@pytest.mark.parametrize("seed", range(12))
async def test_sql_and_engine_give_the_same_answer(books: Books, seed: int) -> None:
    await books.open(2)
    piles = {1: a_pile(seed, 20), 2: a_pile(seed + 1000, 20)}
    for number, (banks, ledgers) in piles.items():
        await books.write(banks, ledgers, number=number)
    await books.run(day=30)
    content = await books.content()
    for number, (banks, ledgers) in piles.items():
        # The ledger's contract has no counterparty, and neither have its rows.
        answer = matched(banks, ledgers)
        rows = [row for row in content["match"] if row[0] == number]
        got_bank = sorted((row[2], row[4]) for row in rows if row[4] is not None)
        got_ledger = sorted((row[2], row[6]) for row in rows if row[6] is not None)
        assert got_bank == sorted((m.rule, k.sequence) for m in answer.matches for k in m.bank)
        assert got_ledger == sorted((m.rule, k.sequence) for m in answer.matches for k in m.ledger)
        opened = {
            (row[1], row[2]): (row[8], row[9]) for row in content["open_item"] if row[0] == number
        }
        assert opened == {
            (u.side.value, u.key.sequence): (u.why.value, u.text) for u in answer.unmatched
        }
