"""Which of several amounts add up to one: exactly, within bounds, and whether in one way only."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from recon_streams.kernel.money import EXACT, SCALE_MAX


class Found(NamedTuple):
    """The answer of a search.

    Attributes:
        ways: At most two ways, each with how many are taken of every amount.
        is_complete: Whether everything was looked at; two ways are enough to know.
        steps: What it cost.
    """

    ways: tuple[tuple[int, ...], ...]
    is_complete: bool
    steps: int


_WAYS_MAX: Final = 2


def ways_to(
    target: Decimal,
    amounts: Sequence[tuple[Decimal, int]],
    *,
    legs_min: int,
    legs_max: int,
    steps_max: int,
) -> Found:
    """Return the ways in which some of `amounts` add up to `target`.

    Args:
        target: The sum.
        amounts: Each with how many there are of it; those of the other sign are never taken.
        legs_min: How many must be taken at least.
        legs_max: How many may be taken.
        steps_max: When to give up.
    """
    sign = 1 if target > 0 else -1
    order = sorted(
        (place for place, (amount, _) in enumerate(amounts) if amount * sign > 0),
        key=lambda place: (-abs(amounts[place][0]), place),
    )
    search = _Search(
        [(_units(amounts[place][0]), amounts[place][1]) for place in order],
        (legs_min, legs_max, steps_max),
    )
    search.go(0, _units(target), legs_max)
    ways = []
    for counts in search.ways:
        taken = [0] * len(amounts)
        for place, count in zip(order, counts, strict=True):
            taken[place] = count
        ways.append(tuple(taken))
    return Found(tuple(ways), search.steps <= steps_max, search.steps)


class _Search:
    """Depth first, the largest amounts first, in whole units."""

    def __init__(self, amounts: list[tuple[int, int]], bounds: tuple[int, int, int]) -> None:
        self._amounts = amounts
        self._legs_min, self._legs_max, self._steps_max = bounds
        self._counts = [0] * len(amounts)
        self._rest = [0] * (len(amounts) + 1)
        for place in range(len(amounts) - 1, -1, -1):
            units, count = amounts[place]
            self._rest[place] = self._rest[place + 1] + units * count
        self.ways: list[tuple[int, ...]] = []
        self.steps = 0

    def go(self, place: int, missing: int, legs: int) -> None:
        """Look at every way to make `missing` of the amounts from `place` on with `legs` legs."""
        self.steps += 1
        if self.steps > self._steps_max or len(self.ways) >= _WAYS_MAX:
            return
        if missing == 0:
            if self._legs_max - legs >= self._legs_min:
                self.ways.append(tuple(self._counts))
            return
        if place == len(self._amounts) or self._rest[place] < missing:
            return
        units, count = self._amounts[place]
        if units * legs < missing:
            return  # even the largest ones left, as often as may be, are too little
        for taken in range(min(count, legs, missing // units), -1, -1):
            self._counts[place] = taken
            self.go(place + 1, missing - taken * units, legs - taken)
        self._counts[place] = 0


def _units(amount: Decimal) -> int:
    return int(abs(amount).scaleb(SCALE_MAX, context=EXACT))
