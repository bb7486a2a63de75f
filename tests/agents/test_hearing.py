"""Who has not heard is told of, and so is a lease that lapsed; both end by themselves."""

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.hearing import LAPSED_SECONDS_MAX, Hearing
from recon_streams.acks.watch import Deaf
from recon_streams.kernel.clock import utc_now
from recon_streams.log.record import OutgoingRecord
from recon_streams.runtime.metrics import Metrics
from recon_streams.runtime.sections import BreakerSettings
from recon_streams.runtime.telemetry import Telemetry
from recon_streams.signing.key_ring import KeyRing, KeySetFile, PublicHalves
from recon_streams.signing.public_keys import write_key_set
from recon_streams.testing.keys import new_key_ring
from topics.breaker import BreakerRecord, BreakerState

pytestmark = pytest.mark.postgres
Stack = Any  # of the conftest

SCOPE = "corridor:AE-IN"
RING = new_key_ring()


def listener(
    stack: Stack, *clients: str, patience: int = 0, keys: PublicHalves | None = RING
) -> Hearing:
    # Nobody's patience is as short in an installation.
    settings = BreakerSettings.model_construct(clients=clients, ack_seconds_max=patience)
    telemetry = Telemetry(Metrics())
    return Hearing(stack.pool, stack.logs.probe, settings, keys=keys, telemetry=telemetry)


async def look_twice(hearing: Hearing) -> list[Deaf]:
    """Look, and again when somebody should have answered."""
    await hearing.look()
    await asyncio.sleep(0.01)
    return await hearing.look()


async def say(stack: Stack, epoch: int, state: BreakerState, *, ring: KeyRing | None = RING) -> int:
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
    record_of_scope = OutgoingRecord("recon.breaker", SCOPE.encode(), value)
    if ring is not None:
        record_of_scope = ring.signer.seal(record_of_scope)
    (place,) = await stack.logs.writer.append([record_of_scope])
    return int(place.offset)


async def hear(stack: Stack, client_id: str, through_offset: int) -> None:
    await stack.owner.execute(
        "INSERT INTO acks.client VALUES ($1, $2, now(), now()) ON CONFLICT (client_id) "
        "DO UPDATE SET claimed_offset = excluded.claimed_offset, refused = NULL",
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
    hearing = listener(stack, "p1", "p2")
    offset = await say(stack, 2, BreakerState.OPEN)
    await hear(stack, "p1", offset + 1)
    await read(stack)
    assert [each.client_id for each in await look_twice(hearing)] == ["p2"]
    assert await firing(stack) == {"breaker_not_acknowledged:p2": "BREAKER_NOT_ACKNOWLEDGED"}
    await hear(stack, "p2", offset + 1)
    assert await hearing.look() == []
    assert await firing(stack) == {}


async def test_two_who_watch_tell_of_a_deaf_service_once(fresh_stack: Stack) -> None:
    stack = fresh_stack
    both = [listener(stack, "p1") for _ in range(2)]
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
    hearing = listener(stack, "p1")
    await say(stack, 2, BreakerState.OPEN)
    for seconds_ago, expected in ((10, 0), (0, 1), (10, 1)):
        await read(stack, seconds_ago=seconds_ago)
        await look_twice(hearing)
        assert len(await firing(stack)) == expected


async def test_a_record_that_nobody_can_read_is_not_waited_for(fresh_stack: Stack) -> None:
    stack = fresh_stack
    hearing = listener(stack, "p1")
    for value in (None, b"{", b'{"scope": "corridor:AE-IN"}'):
        await stack.logs.writer.append([OutgoingRecord("recon.breaker", SCOPE.encode(), value)])
    assert await look_twice(hearing) == []
    assert hearing.dropped == 3


async def test_what_nobody_we_know_has_signed_hides_no_denial(fresh_stack: Stack) -> None:
    stack = fresh_stack
    hearing = listener(stack, "p1")
    await read(stack)
    # Another key, and none: were they believed, the denial of a lower number were none any more.
    await say(stack, 2**40, BreakerState.CLOSED, ring=new_key_ring())
    await say(stack, 2**41, BreakerState.CLOSED, ring=None)
    await say(stack, 2, BreakerState.OPEN)
    await say(stack, 2**42, BreakerState.CLOSED, ring=None)
    assert [each.client_id for each in await look_twice(hearing)] == ["p1"]
    assert await firing(stack) == {"breaker_not_acknowledged:p1": "BREAKER_NOT_ACKNOWLEDGED"}
    assert hearing.dropped == 3


async def test_a_denial_that_nobody_we_know_has_signed_calls_nobody_deaf(
    fresh_stack: Stack,
) -> None:
    stack = fresh_stack
    hearing = listener(stack, "p1")
    await read(stack)
    await say(stack, 2, BreakerState.OPEN, ring=None)
    assert await look_twice(hearing) == []


async def test_who_knows_no_key_neither_calls_anybody_deaf_nor_takes_it_back(
    fresh_stack: Stack,
) -> None:
    stack = fresh_stack
    knows, knows_not = listener(stack, "p1"), listener(stack, "p1", keys=None)
    await read(stack)
    await say(stack, 2, BreakerState.OPEN)
    assert await look_twice(knows_not) == []
    assert await firing(stack) == {}
    await look_twice(knows)
    await look_twice(knows_not)
    assert list(await firing(stack)) == ["breaker_not_acknowledged:p1"]


async def test_keys_that_come_later_are_read_then(fresh_stack: Stack, tmp_path: Path) -> None:
    stack = fresh_stack
    file = tmp_path / "breaker-keys.json"
    hearing = listener(stack, "p1", keys=KeySetFile(public_keys_file=file))
    await read(stack)
    await say(stack, 2, BreakerState.OPEN)
    assert await look_twice(hearing) == []
    write_key_set(file, RING.trusted())
    assert len(await look_twice(hearing)) == 1
    file.unlink()
    assert len(await hearing.look()) == 1, "what was pinned holds until there is something newer"


async def test_nobody_has_heard_what_is_beyond_the_end_of_the_log(fresh_stack: Stack) -> None:
    stack = fresh_stack
    hearing = listener(stack, "p1")
    await read(stack)
    await hear(stack, "p1", 1_000_000)
    offset = await say(stack, 2, BreakerState.OPEN)
    assert [each.client_id for each in await look_twice(hearing)] == ["p1"]
    assert "does not count (BEYOND_THE_LOG)" in await summary(stack, "breaker_not_acknowledged:p1")
    await hear(stack, "p1", offset + 1)
    assert await hearing.look() == []
    assert await firing(stack) == {}


async def test_a_lease_that_lapsed_is_told_and_its_return_too(fresh_stack: Stack) -> None:
    stack = fresh_stack
    hearing = listener(stack)
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


async def test_who_is_told_that_no_lease_is_in_force_is_told_why(fresh_stack: Stack) -> None:
    stack = fresh_stack
    hearing = listener(stack)
    await lapse(stack, "EVALUATION_BEHIND")
    await hearing.look()
    assert "EVALUATION_BEHIND" in await summary(stack, "lease_lapsed:all")
    await lapse(stack, "LOG_SILENT")
    await hearing.look()
    assert "LOG_SILENT" in await summary(stack, "lease_lapsed:all"), "it is another one now"
    await lapse(stack, None)
    await hearing.look()
    assert "no publisher answers" in await summary(stack, "lease_lapsed:all")
    told = await stack.pool.fetchval(
        "SELECT count(*) FROM book.outbox WHERE convert_from(key, 'UTF8') = 'lease_lapsed:all'"
    )
    assert told == 1, "nobody is called again over another reason"


async def test_who_begins_to_watch_takes_nothing_back_that_others_know(
    fresh_stack: Stack,
) -> None:
    stack = fresh_stack
    await read(stack)
    await say(stack, 2, BreakerState.OPEN)
    await look_twice(listener(stack, "p1"))
    await listener(stack, "p1", patience=5).look()
    assert list(await firing(stack)) == ["breaker_not_acknowledged:p1"]


async def test_what_the_log_refuses_is_told_until_it_is_taken(fresh_stack: Stack) -> None:
    stack = fresh_stack
    hearing = listener(stack)
    for number in range(2):
        await stack.owner.execute(
            "INSERT INTO book.outbox (topic, payload, refused) VALUES ('recon.positions', '', $1)",
            f"too large {number}",
        )
    await hearing.look()
    words = await summary(stack, "message_held:recon.positions")
    assert words == (
        "2 messages are held that the log does not take for recon.positions: too large 0"
    )
    await stack.owner.execute("UPDATE book.outbox SET published_at = now()")
    await hearing.look()
    state = await stack.pool.fetchval(
        "SELECT state FROM alerts.alert WHERE dedup_key = 'message_held:recon.positions'"
    )
    assert state == "RESOLVED"


async def lapse(stack: Stack, refused: str | None) -> None:
    await stack.owner.execute(
        "UPDATE book.publisher SET lease_until = clock_timestamp() - interval '1 minute', "
        "asked_at = clock_timestamp(), refused = $1",
        refused,
    )


async def summary(stack: Stack, key: str) -> str:
    body = await stack.pool.fetchval("SELECT body FROM alerts.alert WHERE dedup_key = $1", key)
    return str(json.loads(body)["facts"]["summary"])
