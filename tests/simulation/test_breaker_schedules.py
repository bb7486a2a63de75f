"""A hundred thousand unlucky schedules: fifteen seconds after a trip nobody pays, and no stale
CLOSED ever opens a scope again. And clients with one rule less, which the checker must catch."""

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from breaker_world import KEYS, Broken, World, play, the_product

from recon_streams.client.follower import Follower
from topics.breaker import BreakerRecord, LeaseRecord

SCHEDULES = int(os.environ.get("RECON_SCHEDULES", "100000"))
SCHEDULES_TO_CATCH = 20_000
PORTION = 500
# Each of these must happen this often in ten thousand schedules, or they prove nothing.
FELT = {
    "permit": 50_000,
    "stale CLOSED met": 1_000,
    "stale OPEN met": 100,
    "pause": 10_000,
    "hold": 10_000,
    "append of unknown outcome": 10_000,
    "publisher found itself replaced": 1_000,
    "record compacted": 10_000,
    "client restarted": 1_000,
    "vandalism": 1_000,
    "deposed leader": 1_000,
}


class AnyEpoch(Follower):
    """Believes whatever came last."""

    def _apply_state(self, key: bytes, said: object) -> str | None:
        if isinstance(said, BreakerRecord) and said.scope in self._scopes:
            self._scopes[said.scope].number = ()
        return super()._apply_state(key, said)  # type: ignore[arg-type]


class FromReceipt(Follower):
    """Counts a lease from when it was received."""

    def _apply_lease(self, lease: LeaseRecord, offset: int) -> str | None:
        if self._ends:
            self._seen = self._seen[0], self._ends[-1][0]
        return super()._apply_lease(lease, offset)


class FromItself(Follower):
    """Counts a lease from when it was not there itself, instead of the one before it."""

    def _apply_lease(self, lease: LeaseRecord, offset: int) -> str | None:
        self._seen = self._seen[0], self._anchor_ms(offset)
        return super()._apply_lease(lease, offset)


class NoMatterTheNumber(Follower):
    """Lets a lease follow on any lower one of its publisher."""

    def _apply_lease(self, lease: LeaseRecord, offset: int) -> str | None:
        before, anchor_ms = self._seen
        number = lease.publisher_epoch, lease.lease_seq
        if before and before[0] == number[0] and before < number:
            self._seen = (number[0], number[1] - 1), anchor_ms
        return super()._apply_lease(lease, offset)


class NoMatterThePublisher(Follower):
    """Lets a lease follow on that of another publisher."""

    def _apply_lease(self, lease: LeaseRecord, offset: int) -> str | None:
        before, anchor_ms = self._seen
        number = lease.publisher_epoch, lease.lease_seq
        if before and before[0] != number[0]:
            self._seen = (number[0], number[1] - 1), anchor_ms
        return super()._apply_lease(lease, offset)


class TrustsWhoeverAnswers(Follower):
    """Takes what a deposed leader said about the end for what the new one would have said."""

    def note_end(self, asked_at_ms: int, end: int | None) -> bool:
        return end is None or super().note_end(asked_at_ms, end)


# What each of them breaks, so that no promise of the checker is an empty one; some schedules are
# rare, and are looked for from a seed near one.
MUTANTS = [
    (AnyEpoch, "stale", 0),
    (AnyEpoch, "trip", 0),
    (FromReceipt, "trip", 0),
    (FromReceipt, "silence", 0),
    (FromItself, "trip", 0),
    (NoMatterTheNumber, "silence", 0),
    (NoMatterTheNumber, "trip", 40_500),
    (NoMatterThePublisher, "silence", 0),
    (NoMatterThePublisher, "trip", 58_300),
    (TrustsWhoeverAnswers, "silence", 0),
    (TrustsWhoeverAnswers, "trip", 0),
]


@pytest.mark.timeout(900)
def test_no_schedule_leads_to_a_permit_that_must_not_be() -> None:
    portions = [range(n, min(n + PORTION, SCHEDULES)) for n in range(0, SCHEDULES, PORTION)]
    felt: Counter[str] = Counter()
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for each in pool.map(play, portions):
            felt += each
    rare = {what: felt[what] for what, many in FELT.items() if felt[what] * 1e4 < many * SCHEDULES}
    assert not rare, felt


@pytest.mark.parametrize(("mutant", "promise", "first"), MUTANTS)
@pytest.mark.timeout(900)
def test_a_client_with_one_rule_less_is_caught(
    mutant: type[Follower], promise: str, first: int
) -> None:
    seeds = range(first, first + SCHEDULES_TO_CATCH)
    with pytest.raises(Broken):
        play(seeds, lambda: mutant(KEYS, safety_ms=1), (promise,))


def test_a_seed_is_a_history() -> None:
    def history(seed: int) -> list[object]:
        world = World(seed, the_product)
        world.run()
        return [world.log, world.appended_at, world.felt]

    for seed in range(50):
        assert history(seed) == history(seed)
