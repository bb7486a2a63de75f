"""What others write to `recon.breaker`, and clocks that lie: nobody may pay because of it."""

import json
import signal
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from recon_streams.log.record import OutgoingRecord
from recon_streams.testing.wall_clock import WallClock

pytestmark = [
    pytest.mark.storm,
    pytest.mark.kafka,
    pytest.mark.postgres,
    pytest.mark.timeout(300),
]
Matrix = Any  # of the conftest


def test_a_deleted_record_is_a_no_until_it_is_written_again(matrix: Matrix) -> None:
    trial, site = matrix.trial("tombstone"), matrix.site
    site.append([OutgoingRecord("recon.breaker", trial.scope.encode(), None)])
    trial.begin()
    site.until(lambda: trial.was_told("TOMBSTONE"), "every service met it")
    trial.feel("every service denied because of it")
    site.until_all_pay(trial.account)
    trial.feel("the publisher wrote the record again")
    site.issue(trial.account)
    trial.denied_at_once()
    site.append([OutgoingRecord("recon.breaker", trial.scope.encode(), None)])
    time.sleep(8)
    assert not any(each.is_granted(trial.scope) for each in site.services.values())
    matrix.passed(trial)


def test_a_zombies_old_yes_opens_nothing_and_is_written_over(matrix: Matrix) -> None:
    trial, site = matrix.trial("an old CLOSED written last"), matrix.site
    (old,) = [each for each in matrix.topic.said_of(trial.scope) if each.state == "CLOSED"][-1:]
    site.issue(trial.account)
    trial.denied_at_once()
    granted_before = trial.granted()
    # As it was: signed with the right key, by a publisher that slept.
    site.append([old.again()])
    site.until(
        lambda: matrix.topic.said_of(trial.scope)[-1].state == "OPEN",
        "the newest stands last again",
    )
    trial.feel("the publisher wrote OPEN over it")
    late = site.join("late-joiner")
    site.until(lambda: late.was_told(trial.scope, "OPEN"), "who joins now hears OPEN")
    assert trial.granted() == granted_before
    assert late.last_granted_ns(trial.scope) is None
    late.end()
    matrix.passed(trial)


def test_who_joins_after_compaction_hears_no_stale_yes(matrix: Matrix) -> None:
    trial, site = matrix.trial("compaction kept an old CLOSED"), matrix.site
    (old,) = [each for each in matrix.topic.said_of(trial.scope) if each.state == "CLOSED"][-1:]
    site.issue(trial.account)
    trial.denied_at_once()
    opened = matrix.topic.said_of(trial.scope)[-1]
    site.publisher.signal(signal.SIGSTOP)
    matrix.topic.compact()

    def is_dropped() -> bool:
        # Each one begins a new segment; only what is behind the newest is compacted.
        site.append([old.again()])
        return opened.offset not in {each.offset for each in matrix.topic.said_of(trial.scope)}

    try:
        site.until(is_dropped, "compaction dropped OPEN", seconds_max=60)
        trial.feel("only the old CLOSED was left on the log")
        late = site.join("late-joiner")
        site.until(lambda: bool(late.told(trial.scope)), "it asks")
        time.sleep(5)
    finally:
        site.publisher.signal(signal.SIGCONT)
    site.until(lambda: late.was_told(trial.scope, "OPEN"), "it hears OPEN", seconds_max=60)
    assert late.last_granted_ns(trial.scope) is None, "not even for a moment"
    late.end()
    matrix.topic.keep()
    matrix.passed(trial, maybe={"LEASE_LAPSED"})


@pytest.mark.parametrize("jump", ["+1h", "-2h"])
def test_a_wall_clock_that_jumps_moves_no_bound(matrix: Matrix, jump: str) -> None:
    trial, site = matrix.trial(f"wall clock {jump}"), matrix.site
    clock = WallClock(site.directory)
    usual = site.worker, site.publisher
    site.replace(*(site.make(kind, clock.environment) for kind in ("worker", "publisher")))
    site.until_all_pay(trial.account, seconds_max=90)
    clock.jump(jump)
    time.sleep(4)
    site.command("breaker", "trip", trial.scope, "--reason", "it jumps", "--dsn", site.dsn)
    trial.denied()
    hours = {_hours_off(each.log.read_text()) for each in (site.worker, site.publisher)}
    trial.feel(f"its log is {jump} off", is_felt=hours == {int(jump[:-1])})
    # Silence, while the clock lies, is still silence.
    second = site.worker
    second.signal(signal.SIGKILL)
    trial.begin()
    trial.holds("FAULT-CONTROL")
    site.replace(*usual)
    matrix.passed(trial, maybe={"LEASE_LAPSED"})


def _hours_off(log: str) -> int:
    """Return how many hours the newest line of `log` is ahead."""
    said = datetime.fromisoformat(json.loads(log.splitlines()[-1])["timestamp"])
    return round((said - datetime.now(UTC)).total_seconds() / 3600)
