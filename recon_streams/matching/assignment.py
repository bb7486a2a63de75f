"""The best assignment of many to many, and how much of it is certain.

The best one has the greatest sum of scores. Where several are equally good, only what all of them
have in common is taken; the rest is ambiguous. So no order of arrival can decide anything.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

# Beyond this many pairs that hang together, every one of them is left to a person.
PAIRS_MAX: Final = 150

Kind: TypeAlias = int
Pair: TypeAlias = tuple[Kind, Kind]


class Component(NamedTuple):
    """Kinds of items that hang together by pairs.

    Attributes:
        left: How many items there are of each kind; items of one kind are interchangeable.
        right: The same of the other side.
        scores: What each pair is worth, more than 0.
    """

    left: dict[Kind, int]
    right: dict[Kind, int]
    scores: dict[Pair, int]


class Assigned(NamedTuple):
    """The answer for one component.

    Attributes:
        certain: How often each pair is in every best assignment.
        open_pairs: Pairs that are in some of them and, so often, not in all.
    """

    certain: dict[Pair, int]
    open_pairs: frozenset[Pair]


def components(
    left: Mapping[Kind, int], right: Mapping[Kind, int], scores: Mapping[Pair, int]
) -> list[Component]:
    """Return the parts that have no pair in common, each in the order of its first pair."""
    leader: dict[tuple[int, Kind], tuple[int, Kind]] = {}

    def find(node: tuple[int, Kind]) -> tuple[int, Kind]:
        root = node
        while leader.get(root, root) != root:
            root = leader[root]
        while leader.get(node, node) != root:
            leader[node], node = root, leader.get(node, node)
        return root

    for one, other in scores:
        leader[find((1, other))] = find((0, one))
    found: dict[tuple[int, Kind], Component] = {}
    for (one, other), score in sorted(scores.items()):
        part = found.setdefault(find((0, one)), Component({}, {}, {}))
        part.left[one] = left[one]
        part.right[other] = right[other]
        part.scores[one, other] = score
    return list(found.values())


def assign(part: Component) -> Assigned:
    """Return what is in every best assignment of `part`, and what is not decided."""
    if len(part.scores) == 1:
        ((one, other),) = part.scores
        return Assigned({(one, other): min(part.left[one], part.right[other])}, frozenset())
    if len(part.scores) > PAIRS_MAX:
        return Assigned({}, frozenset(part.scores))
    best, flow = _solve(part, {})
    certain = {
        pair: least
        for pair, times in sorted(flow.items())
        if (least := _least(part, pair, times, best))
    }
    undecided = frozenset(pair for pair in part.scores if _can_be_more(part, pair, certain, best))
    return Assigned(certain, undecided)


def _least(part: Component, pair: Pair, times: int, best: int) -> int:
    """Return how often `pair` must be taken for a best assignment, at most `times`."""
    while times and _solve(part, {pair: times - 1})[0] == best:
        times -= 1
    return times


def _can_be_more(part: Component, pair: Pair, certain: Mapping[Pair, int], best: int) -> bool:
    """Return whether some best assignment takes `pair` more often than all of them do."""
    times = certain.get(pair, 0) + 1
    one, other = pair
    left = {**part.left, one: part.left[one] - times}
    right = {**part.right, other: part.right[other] - times}
    if min(left[one], right[other]) < 0:
        return False
    rest, _ = _solve(Component(left, right, part.scores), {})
    return rest + times * part.scores[pair] == best


def _solve(part: Component, limits: Mapping[Pair, int]) -> tuple[int, dict[Pair, int]]:
    """Return the greatest sum of scores and one assignment that has it.

    Successive best augmenting paths; `limits` bounds how often a pair may be taken.
    """
    left, right = dict(part.left), dict(part.right)
    flow: dict[Pair, int] = {}
    total = 0
    while True:
        gain, path = _best_path(part.scores, limits, flow, left, right)
        if gain <= 0:
            return total, {pair: times for pair, times in flow.items() if times}
        for pair, step in path:
            flow[pair] = flow.get(pair, 0) + step
        left[path[0][0][0]] -= 1
        right[path[-1][0][1]] -= 1
        total += gain


def _best_path(
    scores: Mapping[Pair, int],
    limits: Mapping[Pair, int],
    flow: Mapping[Pair, int],
    left: Mapping[Kind, int],
    right: Mapping[Kind, int],
) -> tuple[int, list[tuple[Pair, int]]]:
    """Return the most gainful way from free left to free right (Bellman-Ford)."""
    gains: dict[tuple[int, Kind], int] = {(0, kind): 0 for kind, free in left.items() if free}
    steps: dict[tuple[int, Kind], tuple[Pair, int]] = {}
    is_changing = True
    while is_changing:
        is_changing = False
        for pair, score in scores.items():
            one, other = (0, pair[0]), (1, pair[1])
            can_take = flow.get(pair, 0) < limits.get(pair, 1 << 30)
            if can_take and one in gains and gains[one] + score > gains.get(other, -1 << 60):
                gains[other], steps[other] = gains[one] + score, (pair, 1)
                is_changing = True
            can_give = flow.get(pair, 0) > 0
            if can_give and other in gains and gains[other] - score > gains.get(one, -1 << 60):
                gains[one], steps[one] = gains[other] - score, (pair, -1)
                is_changing = True
    ends = [(gains[1, kind], kind) for kind, free in right.items() if free and (1, kind) in gains]
    if not ends:
        return 0, []
    gain, end = max(ends)
    return gain, _traced(steps, end)


def _traced(
    steps: Mapping[tuple[int, Kind], tuple[Pair, int]], end: Kind
) -> list[tuple[Pair, int]]:
    path: list[tuple[Pair, int]] = []
    node = (1, end)
    while node in steps:
        pair, step = steps[node]
        path.append((pair, step))
        node = (0, pair[0]) if step > 0 else (1, pair[1])
    return path[::-1]


def indexed(kinds: Iterable[object]) -> dict[object, int]:
    """Return a number for each of `kinds`, in their order."""
    return {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
