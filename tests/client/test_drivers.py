"""What a driver tells of its log: since when, by whose word, and that something is missing."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from typing_extensions import override

from recon_streams.client.guard import BreakerGuard
from recon_streams.client_drivers import port
from recon_streams.client_drivers.kafka import KafkaBreakerLog
from recon_streams.client_drivers.port import now_ms
from recon_streams.client_drivers.postgres import PostgresBreakerLog
from recon_streams.log.record import TopicPartition
from recon_streams.testing.asking import reason_is

A, B = "account:A:AED", "account:B:ZMW"


class StandsStill:
    """Stops the thread of a guard, as a machine does that is short of everything."""

    def __init__(self, guard: BreakerGuard) -> None:
        self._loop, self._go_on = guard._loop, threading.Event()

    async def __aenter__(self) -> None:
        self._loop.call_soon_threadsafe(self._go_on.wait, 60)
        await asyncio.sleep(1)  # what it has asked for is answered within half of that

    async def __aexit__(self, *_: object) -> None:
        self._go_on.set()


async def test_a_guard_that_the_start_of_the_log_has_passed_reads_it_again(
    log: Any, make_place: Any
) -> None:
    place = await make_place(log, cleanup_policy="compact,delete")
    publisher = place.publisher
    here = TopicPartition(publisher.topic, 0)
    await publisher.write(publisher.state(A, "CLOSED", 3), publisher.state(B, "OPEN", 7))
    with place.guard(BreakerGuard) as guard:
        await reason_is(guard, "NO_LEASE")
        await publisher.lease()
        assert (await reason_is(guard, "GRANTED")).epoch == 3
        async with StandsStill(guard):
            await publisher.write(publisher.state(A, "OPEN", 4))
            await publisher.lease()
            (end,) = (await log.probe.end_offsets([here])).values()
            await log.expire(here, end)
        # It can never hear of the OPEN, and has a lease for some ten seconds more.
        await reason_is(guard, "UNKNOWN_SCOPE", seconds_max=8)
        assert guard.permit(B).reason == "OPEN"
        await publisher.write(publisher.state(A, "CLOSED", 6))
        await publisher.lease()
        assert (await reason_is(guard, "GRANTED")).epoch == 6
        assert guard.permit(B).reason == "OPEN"


async def test_a_guard_starts_where_the_log_starts(log: Any, make_place: Any) -> None:
    place = await make_place(log, cleanup_policy="compact,delete")
    publisher = place.publisher
    await publisher.write(publisher.state(B, "CLOSED", 1), publisher.state(A, "CLOSED", 3))
    await log.expire(TopicPartition(publisher.topic, 0), 1)
    with place.guard(BreakerGuard) as guard:
        await reason_is(guard, "NO_LEASE")
        await publisher.lease()
        assert (await reason_is(guard, "GRANTED")).epoch == 3
        assert guard.permit(B).reason == "UNKNOWN_SCOPE"


@pytest.mark.kafka
async def test_nobody_vouches_for_the_first_answer_of_a_connection_to_kafka(
    kafka_log: Any, make_place: Any
) -> None:
    place = await make_place(kafka_log)
    await place.publisher.write(place.publisher.state(A, "CLOSED", 3))
    log = KafkaBreakerLog(kafka_log.connection.bootstrap, topic=place.publisher.topic)
    for _ in "12":
        await log.open()
        try:
            # Whoever answered may have been deposed before we asked who leads.
            assert (await log.look(0)).end is None
            assert (await log.look(0)).end == 1
            assert (await log.look(1)).end == 1
        finally:
            await log.close()


class Led(KafkaBreakerLog):
    """A log on Kafka of which another broker seems to lead whenever the test says so."""

    leaders: list[int]

    @override
    def _leader_now(self) -> object:
        return self.leaders.pop(0) if len(self.leaders) > 1 else self.leaders[0]


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("leaders", "end"),
    [
        ([1, 1], 1),
        ([1, 2, 2], None),  # while it was asked
        ([2, 2], None),  # since it was asked before
        ([2, 1], None),  # and back again
    ],
)
async def test_nobody_vouches_for_the_end_while_another_broker_comes_to_lead(
    kafka_log: Any, make_place: Any, leaders: list[int], end: int | None
) -> None:
    place = await make_place(kafka_log)
    await place.publisher.write(place.publisher.state(A, "CLOSED", 3))
    log = Led(kafka_log.connection.bootstrap, topic=place.publisher.topic)
    log.leaders = [1]
    await log.open()
    try:
        await log.look(0)
        log.leaders = leaders
        assert (await log.look(1)).end == end
        log.leaders = [leaders[-1]]
        assert (await log.look(1)).end == 1
    finally:
        await log.close()


async def since_when(log: Any, seconds: float) -> bool:
    """Whether the next answer, which takes `seconds`, says that it holds from their beginning on.

    The end may have been true only then, however long the answer was on its way.
    """
    began_at_ms = now_ms()
    answer = await log.look(1)
    assert now_ms() - began_at_ms > 1_000 * seconds
    assert answer.end == 1
    return bool(answer.asked_at_ms < began_at_ms + 500 * seconds)


@pytest.mark.postgres
async def test_an_answer_of_postgres_holds_from_when_it_was_asked_for(
    postgres_log: Any, make_place: Any
) -> None:
    place = await make_place(postgres_log)
    await place.publisher.write(place.publisher.state(A, "CLOSED", 3))
    log = PostgresBreakerLog(postgres_log.address)
    await log.open()
    try:
        async with postgres_log.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("LOCK TABLE log.record IN ACCESS EXCLUSIVE MODE")
            asyncio.get_running_loop().call_later(
                2.5, lambda: asyncio.ensure_future(transaction.rollback())
            )
            assert await since_when(log, 2)
    finally:
        await log.close()


@pytest.mark.kafka
async def test_an_answer_of_kafka_holds_from_when_it_was_asked_for(
    kafka_log: Any, make_place: Any
) -> None:
    if kafka_log.server is None:
        pytest.skip("somebody else's Kafka is not ours to stop")
    place = await make_place(kafka_log)
    await place.publisher.write(place.publisher.state(A, "CLOSED", 3))
    log = KafkaBreakerLog(kafka_log.connection.bootstrap, topic=place.publisher.topic)
    await log.open()
    try:
        await log.look(0)
        os.kill(kafka_log.server.pid(), signal.SIGSTOP)
        asyncio.get_running_loop().call_later(2.5, os.kill, kafka_log.server.pid(), signal.SIGCONT)
        assert await since_when(log, 2)
    finally:
        os.kill(kafka_log.server.pid(), signal.SIGCONT)
        await log.close()


def test_the_clock_of_the_guard_runs_while_the_machine_sleeps() -> None:
    if not hasattr(time, "CLOCK_BOOTTIME"):
        pytest.skip("this system has no such clock")
    assert port._CLOCK == time.CLOCK_BOOTTIME
    inside = "from recon_streams.client_drivers.port import now_ms; print(now_ms())"
    # A namespace in which the machine has slept for a day: only that clock has run meanwhile.
    namespace = ["--user", "--map-root-user", "--time", "--boottime", "86400"]
    words = ["unshare", *namespace, sys.executable, "-c", inside]
    began_at_ms = now_ms()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this system lets nobody make one: {done.stderr}")
    assert int(done.stdout) >= began_at_ms + 86_400_000
