"""Who has not heard is told of, and so is a lease that lapsed; both end by themselves."""

import asyncio
from typing import Any

import msgspec
import pytest

from agents.hearing import LAPSED_SECONDS_MAX, Hearing
from recon_streams.kernel.clock import utc_now
from recon_streams.log.record import OutgoingRecord
from topics.breaker import BreakerRecord, BreakerState

pytestmark = pytest.mark.postgres
Stack = Any  # of the conftest

SCOPE = "corridor:AE-IN"


async def say(stack: Stack, epoch: int, state: BreakerState) -> int:
    record = BreakerRecord(
        scope=SCOPE,
        state=state,
        epoch=epoch,
        seq=1,
        reason_code="MANUAL",
        evidence_hash="",
        decided_at=utc_now(),
        inputs_through={},
    )
    value = msgspec.json.encode(record)
    (place,) = await stack.logs.writer.append(
        [OutgoingRecord("recon.breaker", SCOPE.encode(), value)]
    )
    return int(place.offset)


async def hear(stack: Stack, client_id: str, through_offset: int) -> None:
    await stack.owner.execute(
        "INSERT INTO acks.client VALUES ($1, $2, now(), now()) ON CONFLICT (client_id) "
        "DO UPDATE SET through_offset = excluded.through_offset",
        client_id,
        through_offset,
    )


async def read(stack: Stack, *, seconds_ago: int = 0) -> None:
    """Have what services say be read until so long ago."""
    await stack.owner.execute(
        "INSERT INTO book.stream (topic, part, first_offset, next_offset, through_at) VALUES "
        "('recon.breaker.acks', 0, 0, 0, clock_timestamp() - $1 * interval '1 second') "
        "ON CONFLICT (topic, part) DO UPDATE SET through_at = excluded.through_at",
        seconds_ago,
    )


async def firing(stack: Stack) -> dict[str, str]:
    rows = await stack.pool.fetch(
        "SELECT dedup_key, alert_class FROM alerts.alert WHERE state <> 'RESOLVED' "
        "AND alert_class IN ('BREAKER_NOT_ACKNOWLEDGED', 'LEASE_LAPSED')"
    )
    return {row["dedup_key"]: row["alert_class"] for row in rows}


async def test_a_service_that_does_not_hear_is_told_of_until_it_hears(fresh_stack: Stack) -> None:
    stack = fresh_stack
    hearing = Hearing(stack.pool, stack.logs.probe, ("p1", "p2"), ack_seconds_max=0)
    offset = await say(stack, 2, BreakerState.OPEN)
    await hear(stack, "p1", offset + 1)
    await read(stack)
    await hearing.look()
    await asyncio.sleep(0.01)
    assert [each.client_id for each in await hearing.look()] == ["p2"]
    assert await firing(stack) == {"breaker_not_acknowledged:p2": "BREAKER_NOT_ACKNOWLEDGED"}
    await hear(stack, "p2", offset + 1)
    assert await hearing.look() == []
    assert await firing(stack) == {}


async def test_two_who_watch_tell_of_a_deaf_service_once(fresh_stack: Stack) -> None:
    stack = fresh_stack
    both = [Hearing(stack.pool, stack.logs.probe, ("p1",), ack_seconds_max=0) for _ in range(2)]
    await say(stack, 2, BreakerState.OPEN)
    await read(stack)
    for each in both * 3:
        await each.look()
        await asyncio.sleep(0.01)
    told = await stack.pool.fetchval(
        "SELECT count(*) FROM book.outbox WHERE topic = 'recon.alerts' "
        "AND convert_from(key, 'UTF8') LIKE 'breaker_not%'"
    )
    assert told == 1


async def test_nobody_is_called_deaf_while_nobody_listens(fresh_stack: Stack) -> None:
    stack = fresh_stack
    hearing = Hearing(stack.pool, stack.logs.probe, ("p1",), ack_seconds_max=0)
    await say(stack, 2, BreakerState.OPEN)
    for seconds_ago, expected in ((10, 0), (0, 1), (10, 1)):
        await read(stack, seconds_ago=seconds_ago)
        await hearing.look()
        await asyncio.sleep(0.01)
        await hearing.look()
        assert len(await firing(stack)) == expected


async def test_a_record_that_nobody_can_read_is_not_waited_for(fresh_stack: Stack) -> None:
    stack = fresh_stack
    hearing = Hearing(stack.pool, stack.logs.probe, ("p1",), ack_seconds_max=0)
    for value in (None, b"{", b'{"scope": "corridor:AE-IN"}'):
        await stack.logs.writer.append([OutgoingRecord("recon.breaker", SCOPE.encode(), value)])
    await hearing.look()
    await asyncio.sleep(0.01)
    assert await hearing.look() == []


async def test_a_lease_that_lapsed_is_told_and_its_return_too(fresh_stack: Stack) -> None:
    stack = fresh_stack
    hearing = Hearing(stack.pool, stack.logs.probe, (), ack_seconds_max=5)
    await hearing.look()
    assert await firing(stack) == {}, "before there ever was a lease none has lapsed"
    for seconds, expected in (
        (LAPSED_SECONDS_MAX - 2, {}),
        (LAPSED_SECONDS_MAX + 2, {"lease_lapsed:all": "LEASE_LAPSED"}),
        (-10, {}),
    ):
        await stack.owner.execute(
            "UPDATE book.publisher SET lease_until = clock_timestamp() - $1 * interval '1 second'",
            seconds,
        )
        await hearing.look()
        assert await firing(stack) == expected
