"""The guard on a real Apache Kafka and a real PostgreSQL: the same answers from both."""

import asyncio
import secrets
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recon_streams.client.guard import AsyncBreakerGuard, BreakerGuard
from recon_streams.client.permit import Permit
from recon_streams.log.record import TopicPartition
from recon_streams.testing.asking import reason_is
from recon_streams.testing.kafka import TestKafka
from recon_streams.testing.logs import KafkaLog
from topics.breaker_acks import BreakerAck

A, B = "account:A:AED", "account:B:ZMW"


async def test_a_payout_is_permitted_under_a_lease_and_stopped_by_one_record(place: Any) -> None:
    publisher = place.publisher
    await publisher.write(
        publisher.state(A, "CLOSED", 3, "all"), publisher.state("all", "CLOSED", 1)
    )
    kept: list[Permit] = []
    with place.guard(BreakerGuard) as guard:
        guard.on_permit = kept.append
        await reason_is(guard, "NO_LEASE")
        await publisher.lease()
        answer = await reason_is(guard, "GRANTED")
        assert (answer.granted, answer.payout_id) == (True, "p-1")
        assert (answer.scope, answer.epoch, answer.seq, answer.lease_seq) == (A, 3, 3, 2)
        assert answer.relied_on == ((A, 3, 3), ("all", 1, 1))
        assert guard.permit(A, B).reason == "UNKNOWN_SCOPE"
        written_at = time.monotonic()
        await publisher.write(publisher.state(A, "OPEN", 4))
        assert (await reason_is(guard, "OPEN")).epoch == 4
        assert time.monotonic() - written_at < 2
        await publisher.write(publisher.state("all", "SUSPENDED", 2))
        await publisher.write(publisher.state(A, "CLOSED", 5, "all"))
        await reason_is(guard, "PARENT_SUSPENDED")
    assert guard.permit(A).reason == "NOT_RUNNING"
    assert kept[-1].reason == "NOT_RUNNING"
    assert guard.counts()["NOT_RUNNING"] == 1
    assert guard.counts()["GRANTED"] == sum(each.granted for each in kept) > 0


async def test_what_was_applied_is_acknowledged_once_each(place: Any) -> None:
    publisher = place.publisher
    await publisher.write(publisher.state(A, "CLOSED", 3))
    with place.guard(BreakerGuard) as guard:
        await reason_is(guard, "NO_LEASE")
        await until_acks(place, 1)
        await publisher.write(publisher.state(A, "OPEN", 4), publisher.state(A, "OPEN", 4))
        await until_acks(place, 2)
        await publisher.write(publisher.state(A, "CLOSED", 5))
        caught_up, opened, closed = (found := await until_acks(place, 3))[:3]
        assert len(found) == 3, found
    assert caught_up["client_id"] == "payouts-1"
    assert caught_up["through_offset"] == 1
    assert "scope" not in caught_up
    assert (opened["scope"], opened["state"], opened["epoch"], opened["seq"]) == (A, "OPEN", 4, 4)
    assert opened["through_offset"] == 2
    assert (closed["state"], closed["epoch"]) == ("CLOSED", 5)
    for each in (caught_up, opened, closed):
        msgspec.convert(each, BreakerAck)


async def until_acks(place: Any, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(15):
        while len(found := await place.acks()) < count:
            await asyncio.sleep(0.05)
    return list(found)


async def test_silence_means_no(place: Any) -> None:
    publisher = place.publisher
    await publisher.write(publisher.state(A, "CLOSED", 3))
    async with place.guard(AsyncBreakerGuard) as guard:
        await reason_is(guard, "NO_LEASE")
        asked_at = time.monotonic()
        await publisher.lease(ttl_ms=2_500)
        await reason_is(guard, "GRANTED")
        await reason_is(guard, "LEASE_EXPIRED", seconds_max=5)
        assert time.monotonic() - asked_at < 2.6
        await publisher.lease()
        await reason_is(guard, "GRANTED")


async def test_a_record_of_ten_million_bytes_denies_its_scope_and_delays_no_other(
    place: Any,
) -> None:
    publisher = place.publisher
    await publisher.write(publisher.state(A, "CLOSED", 3), publisher.state(B, "CLOSED", 1))
    await publisher.write(publisher.signed(A, b" " * 10_000_000))
    with place.guard(BreakerGuard) as guard:
        await reason_is(guard, "NO_LEASE", B)
        await publisher.lease()
        await reason_is(guard, "GRANTED", B)
        assert guard.permit(A).reason == "UNREADABLE"
        await publisher.write(publisher.signed(B, b" " * 10_000_000))
        await reason_is(guard, "UNREADABLE", B)
        await publisher.write(publisher.state(B, "CLOSED", 2))
        await reason_is(guard, "GRANTED", B)


async def test_a_log_without_the_topic_is_waited_for(place: Any) -> None:
    publisher = place.publisher
    topic = publisher.topic
    await place.hide(place.acks_topic)
    await place.hide(topic)
    with place.guard(BreakerGuard) as guard:
        await asyncio.sleep(1)
        assert guard.permit(A).reason == "NOT_CAUGHT_UP"
    await place.hide(topic, show=True)
    await publisher.write(publisher.state(A, "CLOSED", 3))
    with place.guard(BreakerGuard) as guard:
        await reason_is(guard, "NO_LEASE")
        await publisher.lease()
        await reason_is(guard, "GRANTED")  # although no acknowledgement can be sent
        await publisher.write(publisher.state(A, "OPEN", 4))
        await reason_is(guard, "OPEN")


@pytest.mark.postgres
async def test_a_log_that_comes_back_after_a_restart_is_followed_on(
    postgres_log: Any, make_place: Any
) -> None:
    place = await make_place(postgres_log)
    publisher = place.publisher
    await publisher.write(publisher.state(A, "CLOSED", 3))
    with place.guard(BreakerGuard) as guard:
        await reason_is(guard, "NO_LEASE")
        await place.log.restart()
        await publisher.write(publisher.state(A, "CLOSED", 4))
        await asyncio.sleep(1)
        await publisher.lease()
        assert (await reason_is(guard, "GRANTED")).epoch == 4
        async with asyncio.timeout(15):
            while 4 not in {each.get("epoch") for each in await place.acks()}:
                await asyncio.sleep(0.05)


@pytest.mark.kafka
async def test_a_transaction_that_somebody_left_open_hides_nothing_and_makes_nothing_younger(
    kafka_log: Any, make_place: Any
) -> None:
    place = await make_place(kafka_log)
    publisher = place.publisher
    await publisher.write(publisher.state(A, "CLOSED", 3))
    with place.guard(BreakerGuard) as guard:
        await reason_is(guard, "NO_LEASE")
        left_open = await place.log.begin([publisher.signed("drill:x", b"{}")])
        await publisher.lease(ttl_ms=5_000)
        await reason_is(guard, "GRANTED")
        await publisher.write(publisher.state(A, "OPEN", 4))
        await reason_is(guard, "OPEN")
        await left_open.abort()
        await publisher.write(publisher.state(A, "CLOSED", 5))
        await publisher.lease()
        assert (await reason_is(guard, "GRANTED")).epoch == 5


@pytest.mark.kafka
async def test_a_topic_that_was_made_anew_is_read_anew(kafka_log: Any, make_place: Any) -> None:
    from recon_streams.log import aiokafka_untyped as untyped  # noqa: PLC0415 - beside its use
    from recon_streams.log.topic_plan import TopicPlan  # noqa: PLC0415 - as above

    place = await make_place(kafka_log)
    publisher = place.publisher
    await publisher.write(*(publisher.state(A, "CLOSED", 100 + n) for n in range(20)))
    with place.guard(BreakerGuard) as guard:
        await reason_is(guard, "NO_LEASE")
        await publisher.lease()
        assert (await reason_is(guard, "GRANTED")).epoch == 119
        admin = untyped.admin_client(bootstrap_servers=kafka_log.connection.bootstrap)
        await admin.start()
        await admin.delete_topics([publisher.topic])
        await admin.close()
        await asyncio.sleep(1)
        plan = TopicPlan(name=publisher.topic, partitions=1, config={"cleanup.policy": "compact"})
        await kafka_log.admin.apply([plan])
        await kafka_log.writer.stop()
        await publisher.write(publisher.state(A, "CLOSED", 7))
        # An older book: its yes is numbered below the one that was heard.
        await reason_is(guard, "UNKNOWN_SCOPE", seconds_max=30)
        await publisher.lease()
        assert guard.permit(A).reason == "UNKNOWN_SCOPE"
        await publisher.write(publisher.state(A, "CLOSED", 120))
        assert (await reason_is(guard, "GRANTED")).epoch == 120


@pytest.mark.postgres
async def test_a_login_with_the_role_of_the_guide_can_follow_and_acknowledge(
    postgres_log: Any, make_place: Any
) -> None:
    place = await make_place(postgres_log)
    login = f"payouts_{secrets.token_hex(4)}"
    await postgres_log.pool.execute(f"CREATE ROLE {login}; GRANT recon_payouts TO {login}")
    publisher = place.publisher
    await publisher.write(publisher.state(A, "CLOSED", 3))
    try:
        with place.guard(BreakerGuard, server_settings={"role": login}) as guard:
            await reason_is(guard, "NO_LEASE")
            await publisher.lease()
            await reason_is(guard, "GRANTED")
            await until_acks(place, 1)
    finally:
        await postgres_log.pool.execute(f"DROP ROLE {login}")


@pytest.mark.kafka
async def test_a_log_that_ends_with_the_marker_of_a_transaction_is_read_to_its_end(
    kafka_log: Any, make_place: Any
) -> None:
    place = await make_place(kafka_log)
    publisher = place.publisher
    await publisher.write(publisher.state(A, "CLOSED", 3))
    for end in ("abort", "commit"):
        transaction = await place.log.begin([publisher.state(B, "CLOSED", 1)])
        await getattr(transaction, end)()
        with place.guard(BreakerGuard) as guard:
            await reason_is(guard, "NO_LEASE")


async def test_a_client_that_joins_after_compaction_knows_the_newest_of_each_scope(
    log: Any, make_place: Any
) -> None:
    settings = {"segment_ms": "100", "min_cleanable_dirty_ratio": "0.01"}
    place = await make_place(log, **settings)
    publisher = place.publisher
    await publisher.write(publisher.state(B, "OPEN", 1))
    for number in range(20):
        await publisher.write(publisher.state(A, "CLOSED", number), publisher.next_lease())
    await asyncio.sleep(0.3)
    await publisher.write(publisher.state(A, "CLOSED", 20))  # makes a new segment
    here = TopicPartition(publisher.topic, 0)
    async with asyncio.timeout(20):
        while True:
            await log.compact(publisher.topic)
            (end,) = (await log.probe.end_offsets([here])).values()
            left = [each.offset async for each in log.probe.read(here, 0, end)]
            if len(left) < 8:
                break
            await asyncio.sleep(0.2)
    with place.guard(BreakerGuard) as guard:
        await reason_is(guard, "NO_LEASE")
        await publisher.lease()
        assert (await reason_is(guard, "GRANTED")).epoch == 20
        assert guard.permit(B).reason == "OPEN"


@pytest.mark.kafka
async def test_a_kafka_that_was_killed_ends_permits_and_is_followed_on_when_it_is_back(
    tmp_path: Path, make_place: Any
) -> None:
    server = TestKafka(tmp_path / "kafka")
    await asyncio.to_thread(server.start)
    log = KafkaLog(server.bootstrap, server)
    await log.open()
    try:
        place = await make_place(log)
        publisher = place.publisher
        await publisher.write(publisher.state(A, "CLOSED", 3))
        with place.guard(BreakerGuard) as first, place.guard(BreakerGuard) as second:
            guards = first, second
            for guard in guards:
                await reason_is(guard, "NO_LEASE")
            await publisher.lease(ttl_ms=4_000)
            for guard in guards:
                await reason_is(guard, "GRANTED")
            await asyncio.to_thread(server.kill)
            for guard in guards:
                await reason_is(guard, "LEASE_EXPIRED")
            await asyncio.sleep(4)
            await asyncio.to_thread(server.start)
            await log.close()
            await log.open()
            await publisher.write(publisher.state(A, "CLOSED", 4))
            await asyncio.sleep(1)
            for guard in guards:
                async with asyncio.timeout(30):
                    while not guard.permit(A).granted:
                        await publisher.lease()
                        await asyncio.sleep(0.5)
                assert guard.permit(A).epoch == 4
            async with asyncio.timeout(15):
                while sum(each.get("epoch") == 4 for each in await place.acks()) < 2:
                    await asyncio.sleep(0.2)
    finally:
        await log.close()
        await asyncio.to_thread(server.kill)
