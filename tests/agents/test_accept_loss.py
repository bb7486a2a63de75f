"""Inputs that expired unread stop a partition until a person accepts it, and only then."""

import asyncio
from typing import Any

import msgspec
import pytest

from recon_streams.log import aiokafka_untyped as untyped
from recon_streams.log.postgres_admin import PostgresAdmin
from recon_streams.log.record import TopicPartition
from recon_streams.runtime.exit_codes import ExitCode
from topics.alerts import Alert, Severity

pytestmark = pytest.mark.timeout(120)

MOVEMENTS = TopicPartition("ledger.movements", 0)
SAYING = ("--actor", "Noor", "--reason", "retention was too short")
LOST = 3


@pytest.fixture(
    params=[
        pytest.param("fresh_kafka_stack", marks=[pytest.mark.kafka, pytest.mark.postgres]),
        pytest.param("fresh_stack", marks=pytest.mark.postgres),
    ]
)
def fresh(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


async def test_expired_inputs_are_passed_once_a_person_accepts_it(fresh: Any) -> None:
    stack = fresh
    first = await start_of(stack)
    await work(stack, [await stack.append_good(MOVEMENTS)])
    reached = await position(stack)
    await refused(stack, "nothing is lost")
    for _ in range(LOST):
        await stack.append_good(MOVEMENTS)
    kept = await stack.append_good(MOVEMENTS)
    await expire(stack, kept)
    assert await start_of(stack) == kept > first

    worker = stack.installation.worker()
    worker.start(None)
    assert await asyncio.to_thread(worker.running.wait, 30) == ExitCode.LOST_RECORDS
    assert "topics accept-loss ledger.movements 0" in worker.log.read_text()

    said = await accept(stack)
    assert f"{kept - reached} offsets from {reached} on are gone" in said.stdout
    assert await position(stack) == kept
    (row,) = await stack.rows(MOVEMENTS, reached)
    assert (row["span"], row["disposition"], row["duplicate_of"]) == (
        kept - reached,
        "CONTROL",
        "expired",
    )
    alert = await newest_alert(stack)
    assert alert.severity is Severity.CRITICAL
    assert "Noor: retention was too short" in alert.summary
    await refused(stack, "nothing is lost")

    await work(stack, [kept])
    assert [flaw for flaw in await stack.flaws() if flaw.topic == MOVEMENTS.topic] == []


@pytest.mark.postgres
async def test_a_partition_nobody_has_read_has_lost_nothing(fresh_stack: Any) -> None:
    await refused(fresh_stack, "the book has never read ledger.movements/0")
    done = await accept(fresh_stack, partition="99", code=ExitCode.REFUSED)
    assert "no partition ledger.movements/99" in done.stderr


async def accept(stack: Any, *, partition: str = "0", code: int = 0) -> Any:
    words = ("topics", "accept-loss", MOVEMENTS.topic, partition, *SAYING)
    return await asyncio.to_thread(stack.installation.command, *words, code=code)


async def refused(stack: Any, why: str) -> None:
    done = await accept(stack, code=ExitCode.REFUSED)
    assert why in done.stderr.replace("\n", " ")


async def work(stack: Any, offsets: list[int]) -> None:
    """Let a worker decide these offsets, and stop it."""
    worker = stack.installation.worker()
    worker.start(None)
    for offset in offsets:
        await stack.decided(MOVEMENTS, offset, seconds=30)
    worker.signal(15)
    assert await asyncio.to_thread(worker.running.wait, 30) == 0


async def position(stack: Any) -> int:
    found: int = await stack.pool.fetchval(
        "SELECT next_offset FROM book.stream WHERE topic = $1 AND part = $2", *MOVEMENTS
    )
    return found


async def start_of(stack: Any) -> int:
    found: int = (await stack.logs.probe.start_offsets([MOVEMENTS]))[MOVEMENTS]
    return found


async def newest_alert(stack: Any) -> Alert:
    payload = await stack.pool.fetchval(
        "SELECT payload FROM book.outbox WHERE topic = 'recon.alerts' "
        "ORDER BY outbox_id DESC LIMIT 1"
    )
    return msgspec.json.decode(payload, type=Alert)


async def expire(stack: Any, before: int) -> None:
    if stack.installation.options[-2] != "--bootstrap":
        await PostgresAdmin(stack.owner).expire(MOVEMENTS, before)
        return
    client = untyped.admin_client(bootstrap_servers=stack.bootstrap)
    await client.start()
    records = {untyped.kafka_partition(*MOVEMENTS): untyped.records_to_delete(before)}
    await client.delete_records(records)
    await client.close()
