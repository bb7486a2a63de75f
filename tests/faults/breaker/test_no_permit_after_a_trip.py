"""P4: whatever fails, nobody may pay later than fifteen seconds after we stopped it.

Three payout services ask fifty times a second each, for every account. The bound counts from the
commit of the denial, or from the moment we fell silent.
"""

import signal
import time
from typing import Any

import pytest

pytestmark = [
    pytest.mark.storm,
    pytest.mark.kafka,
    pytest.mark.postgres,
    pytest.mark.timeout(300),
]
Matrix = Any  # of the conftest

STOPPED_SECONDS = 60


def test_a_trip_reaches_everybody_when_nothing_fails(matrix: Matrix) -> None:
    trial = matrix.trial("none")
    matrix.site.issue(trial.account)
    trial.denied_at_once()
    trial.feel("the account is OPEN", is_felt=_state(matrix, trial.account) == "OPEN")
    assert trial.last_permit_seconds < 3, "P3: without a fault it takes no lease to run out"
    matrix.passed(trial)


def test_a_killed_publisher_falls_silent_and_silence_is_a_no(matrix: Matrix) -> None:
    trial, site = matrix.trial("kill -9 publisher"), matrix.site
    killed = site.publisher.exits[-signal.SIGKILL]
    site.publisher.signal(signal.SIGKILL)
    trial.begin()
    site.issue(trial.account)
    site.until(site.publisher.has_ended, "the publisher is dead")
    trial.feel(
        "the publisher ended by SIGKILL", is_felt=site.publisher.exits[-signal.SIGKILL] > killed
    )
    trial.holds()
    trial.feel("leases ran out", is_felt=trial.was_told("LEASE_EXPIRED"))
    matrix.told(trial, "LEASE_LAPSED")  # by the worker: who is dead says nothing
    site.publisher.start(None)
    matrix.passed(trial, alerts={"LEASE_LAPSED"})


def test_a_killed_worker_evaluates_nothing_so_leases_end(matrix: Matrix) -> None:
    trial, site = matrix.trial("kill -9 worker"), matrix.site
    killed = site.worker.exits[-signal.SIGKILL]
    site.worker.signal(signal.SIGKILL)
    trial.begin()
    site.until(site.worker.has_ended, "the worker is dead")
    trial.feel("the worker ended by SIGKILL", is_felt=site.worker.exits[-signal.SIGKILL] > killed)
    trial.holds()
    trial.feel("leases ran out", is_felt=trial.was_told("LEASE_EXPIRED"))
    matrix.told(trial, "LEASE_LAPSED")
    site.issue(trial.account)
    site.worker.start(None)
    trial.denied()
    matrix.passed(trial, alerts={"LEASE_LAPSED"})


@pytest.mark.parametrize("kind", ["publisher", "worker"])
def test_a_process_that_slept_a_minute_wakes_up_to_no_stale_yes(matrix: Matrix, kind: str) -> None:
    trial, site = matrix.trial(f"SIGSTOP {kind}, 60 s"), matrix.site
    sleeper = getattr(site, kind)
    sleeper.signal(signal.SIGSTOP)
    trial.begin()
    site.command("breaker", "trip", trial.scope, "--reason", "it sleeps", "--dsn", site.dsn)
    trial.feel("OPEN in the book while it slept", is_felt=bool(site.denied_at(trial.account)))
    trial.holds()
    time.sleep(max(0.0, STOPPED_SECONDS - (time.monotonic_ns() - trial.began_ns) / 1e9))
    sleeper.signal(signal.SIGCONT)
    time.sleep(3)
    if sleeper.has_ended():  # it may have found that others took over meanwhile
        sleeper.start(None)
    matrix.passed(trial, alerts={"LEASE_LAPSED"})
    assert not any(each.is_granted(trial.scope) for each in site.services.values())


def test_a_kafka_that_is_gone_lets_leases_run_out(matrix: Matrix) -> None:
    trial, site = matrix.trial("Kafka killed, all brokers"), matrix.site
    site.kafka.kill()
    trial.begin()
    trial.holds()
    trial.feel("leases ran out", is_felt=trial.was_told("LEASE_EXPIRED"))
    matrix.told(trial, "LEASE_LAPSED")  # in the book; it leaves once there is a way again
    site.kafka.start()
    _revive(matrix)
    site.issue(trial.account)
    trial.denied()
    matrix.passed(trial, alerts={"LEASE_LAPSED"})


def test_a_new_leader_tells_what_the_old_one_was_told(matrix: Matrix) -> None:
    trial, site = matrix.trial("leader of recon.breaker killed"), matrix.site
    leader = _leader(matrix)
    site.kafka.kill(leader)
    site.command("breaker", "trip", trial.scope, "--reason", "no leader", "--dsn", site.dsn)
    trial.denied()
    trial.feel("another broker leads", is_felt=_leader(matrix) != leader)
    site.kafka.start(leader)
    _revive(matrix)
    matrix.passed(trial, maybe={"LEASE_LAPSED", "BREAKER_NOT_ACKNOWLEDGED"})


def test_a_service_that_is_cut_off_denies_by_itself(matrix: Matrix) -> None:
    trial, site = matrix.trial("a service cut off from Kafka"), matrix.site
    lonely = site.services["payouts-3"]
    lonely.pipes.cut()
    trial.begin()
    site.issue(trial.account)
    denied = site.denied_at(trial.account)
    trial.holds()
    told = [each for each in lonely.told(trial.scope) if not each.granted]
    trial.feel("its lease ran out", is_felt=any(each.reason == "LEASE_EXPIRED" for each in told))
    matrix.told(trial, "BREAKER_NOT_ACKNOWLEDGED")
    lonely.pipes.heal()
    matrix.passed(trial, alerts={"BREAKER_NOT_ACKNOWLEDGED"})
    site.until(
        lambda: max(lonely.told(trial.scope), key=lambda each: each.last_ns).reason == "OPEN",
        "it has heard of the trip",
    )
    assert lonely.last_granted_ns(trial.scope) <= denied.seen_ns + 15 * 10**9


def test_a_database_that_is_gone_lets_leases_run_out(matrix: Matrix) -> None:
    trial, site = matrix.trial("PostgreSQL killed"), matrix.site
    site.postgres.kill()
    trial.begin()
    trial.holds()
    trial.feel("leases ran out", is_felt=trial.was_told("LEASE_EXPIRED"))
    site.restart_postgres()
    _revive(matrix)
    site.issue(trial.account)
    trial.denied()
    matrix.passed(trial, maybe={"LEASE_LAPSED"})


def _state(matrix: Matrix, account: str) -> str:
    state: str = matrix.site.commits.of(matrix.site.scope(account))[-1].state
    return state


def _leader(matrix: Matrix) -> int:
    leader: int = matrix.site.leader_of("recon.breaker")
    return leader


def _revive(matrix: Matrix) -> None:
    """Do what a service manager does: start again what has left."""
    matrix.site.revive()
