"""Redis killed, flushed, frozen, lying: no decision changes, and no permit outlives its lease."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from recon_streams.testing.redis_reader import RedisReader

pytestmark = [
    pytest.mark.storm,
    pytest.mark.kafka,
    pytest.mark.postgres,
    pytest.mark.timeout(300),
]
Matrix = Any  # of the conftest
LIMIT_NS = 15 * 10**9


class Readers:
    """Readers of Redis, ended when the test does."""

    def __init__(self) -> None:
        self.all: list[RedisReader] = []

    def of(self, matrix: Matrix, trial: Any) -> RedisReader:
        """Return a reader of the trial's account that has its permit already."""
        reader = RedisReader(matrix.site.redis, trial.scope)
        reader.start()
        self.all.append(reader)
        matrix.site.until(lambda: reader.last_granted_ns > 0, "the permit is in Redis")
        return reader


@pytest.fixture
def readers() -> Iterator[Readers]:
    found = Readers()
    yield found
    for each in found.all:
        each.end()


def test_a_trip_takes_the_key_away_before_it_is_announced(matrix: Matrix, readers: Readers) -> None:
    trial, site = matrix.trial("none, by Redis"), matrix.site
    reader = readers.of(matrix, trial)
    site.issue(trial.account)
    denied = site.denied_at(trial.account)
    site.until(lambda: matrix.topic.said_of(trial.scope)[-1].state == "OPEN", "it is announced")
    read_at_ns = time.monotonic_ns()
    time.sleep(0.5)
    assert reader.last_granted_ns < read_at_ns, "nobody finds the key once OPEN can be read"
    trial.feel("the key was deleted", is_felt=reader.last_granted_ns < denied.seen_ns + 3 * 10**9)
    trial.denied_at_once()
    matrix.passed(trial)


def test_a_killed_redis_grants_nothing_and_stops_nobody_else(
    matrix: Matrix, readers: Readers
) -> None:
    trial, site = matrix.trial("Redis killed"), matrix.site
    reader = readers.of(matrix, trial)
    site.redis.kill()
    time.sleep(3)
    trial.feel("Redis did not answer", is_felt=reader.silent > 20)
    assert all(each.is_granted(trial.scope) for each in site.services.values())
    site.issue(trial.account)
    trial.denied_at_once()
    assert trial.last_permit_seconds < 3, "a Redis that is dead holds up no denial"
    site.redis.start()
    control = readers.of(matrix, matrix.control)
    assert control.last_granted_ns > 0, "and what may be paid is back in it"
    matrix.passed(trial)


def test_a_flushed_redis_denies_until_the_next_lease(matrix: Matrix, readers: Readers) -> None:
    trial, site = matrix.trial("Redis flushed"), matrix.site
    reader = readers.of(matrix, trial)
    site.redis.ask("FLUSHALL")
    flushed_ns = time.monotonic_ns()
    trial.feel("the keys were gone", is_felt=site.redis.ask("DBSIZE") == "0")
    assert all(each.is_granted(trial.scope) for each in site.services.values())
    site.until(lambda: reader.last_granted_ns > flushed_ns, "the permit is back")
    site.issue(trial.account)
    trial.denied_at_once()
    matrix.passed(trial)


def test_a_frozen_redis_that_wakes_up_executes_no_old_permit(
    matrix: Matrix, readers: Readers
) -> None:
    trial, site = matrix.trial("Redis frozen, 20 s"), matrix.site
    reader = readers.of(matrix, trial)
    site.redis.freeze()
    time.sleep(4)
    site.issue(trial.account)
    denied = site.denied_at(trial.account)
    trial.denied()
    assert trial.last_permit_seconds < 3, "a Redis that stands still holds up no denial"
    site.redis.thaw()
    time.sleep(3)
    trial.feel("Redis did not answer", is_felt=reader.silent > 2)
    late = reader.last_granted_ns - denied.seen_ns
    assert late <= LIMIT_NS, f"a permit was found {late / 1e9:.1f} s after the denial"
    assert site.redis.ask("GET", f"permit:{trial.scope}") == ""
    matrix.passed(trial)


def test_a_lying_redis_changes_no_decision(matrix: Matrix) -> None:
    trial, site = matrix.trial("Redis lies"), matrix.site
    site.issue(trial.account)
    trial.denied_at_once()
    site.redis.ask("SET", f"permit:{trial.scope}", '{"scope": "all is well"}')
    trial.feel("a permit nobody gave", is_felt=bool(site.redis.ask("GET", f"permit:{trial.scope}")))
    assert not any(each.is_granted(trial.scope) for each in site.services.values())
    site.until(
        lambda: not site.redis.ask("GET", f"permit:{trial.scope}"),
        "what is not ours is taken out again",
        seconds_max=15,
    )
    matrix.passed(trial)


def test_nobody_was_told_yes_after_a_denial_that_had_reached_everybody(matrix: Matrix) -> None:
    """Of every scope that was stopped and never let go, to the end of the last bound."""
    matrix.nobody_was_told_yes()
