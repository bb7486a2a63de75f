"""Matching once more, by somebody who has not read the product: every way is tried, slowly.

It knows the references of `matching_notation.RULES`; for assignments and sums it has a search of
its own, which tries every way.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

REFERENCES = (
    ("uetr", "uetr"),
    ("servicer_reference", "bank_reference"),
    ("entry_reference", "bank_reference"),
    ("end_to_end_id", "reference"),
)


def workdays(a: date, b: date) -> int:
    """Count Monday to Friday strictly after the earlier one up to the later one."""
    low, high = sorted((a, b))
    return sum((low + timedelta(n)).weekday() < 5 for n in range(1, (high - low).days + 1))


def by_references(banks: Sequence[Any], ledgers: Sequence[Any]) -> set[tuple[int, int]]:
    """Return the pairs (bank number, ledger number) that exact references make."""
    left = sorted(banks, key=lambda i: (*_said(i), i.key))
    right = sorted(ledgers, key=lambda i: (*_said(i), i.key))
    pairs: set[tuple[int, int]] = set()
    for level, (mine, yours) in enumerate(REFERENCES):
        found = []
        names = {(getattr(b, mine), b.amount) for b in left if getattr(b, mine)}
        for name, amount in names:
            ours = [b for b in left if getattr(b, mine) == name and b.amount == amount]
            theirs = [g for g in right if getattr(g, yours) == name and g.amount == amount]
            for b, g in zip(ours, theirs, strict=False):
                if workdays(b.on, g.on) <= 5 and not _denied(b, g, level):
                    found.append((b, g))
        for b, g in found:
            left.remove(b)
            right.remove(g)
            pairs.add((b.key[0], g.key[0]))
    return pairs


def best_assignments(scores: dict[tuple[int, int], int]) -> Iterator[frozenset[tuple[int, int]]]:
    """Yield every assignment with the greatest sum of scores."""
    everything = list(_assignments(sorted(scores)))
    best = max((sum(scores[p] for p in each) for each in everything), default=0)
    for each in everything:
        if sum(scores[p] for p in each) == best:
            yield each


def sums(target: Decimal, amounts: Sequence[Decimal], most: int) -> Counter[tuple[Decimal, ...]]:
    """Return by amounts taken in how many ways at least two of them add up to `target`."""
    found: Counter[tuple[Decimal, ...]] = Counter()
    for size in range(2, most + 1):
        for taken in combinations(range(len(amounts)), size):
            if sum(amounts[n] for n in taken) == target:
                found[tuple(sorted(amounts[n] for n in taken))] += 1
    return found


def _assignments(
    pairs: Sequence[tuple[int, int]],
) -> Iterator[frozenset[tuple[int, int]]]:
    if not pairs:
        yield frozenset()
        return
    (one, other), rest = pairs[0], pairs[1:]
    yield from _assignments(rest)
    free = [(a, b) for a, b in rest if a != one and b != other]
    for each in _assignments(free):
        yield each | {(one, other)}


def _denied(b: Any, g: Any, level: int) -> bool:
    yours_now = REFERENCES[level][1]
    stronger: dict[str, list[str]] = {}
    for mine, yours in REFERENCES[:level]:
        stronger.setdefault(yours, []).append(mine)
    for yours, names in stronger.items():
        said = [getattr(b, mine) for mine in names if getattr(b, mine)]
        if yours != yours_now and said and getattr(g, yours) and getattr(g, yours) not in said:
            return True
    return False


def _said(item: Any) -> tuple[Any, ...]:
    names = (
        [
            "value_on",
            "uetr",
            "servicer_reference",
            "entry_reference",
            "clearing_reference",
            "end_to_end_id",
        ]
        if hasattr(item, "end_to_end_id")
        else ["uetr", "bank_reference", "reference"]
    )
    more = ["batch_reference", "counterparty", "remittance"]
    values = [getattr(item, name, None) for name in names + more]
    empty = [date.min if name == "value_on" else "" for name in names + more]
    return (
        item.on,
        item.amount,
        *[e if v is None else v for v, e in zip(values, empty, strict=True)],
    )
