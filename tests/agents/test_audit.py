"""The audit finds what is not as it must be, and a worker stops before it passes a loss."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from agents.logs import topic_plans
from recon_streams.book.audit import Flaw, InputFlaw
from recon_streams.kernel.disposition import Disposition
from recon_streams.log import aiokafka_untyped as untyped
from recon_streams.log.partitioner import partition_of
from recon_streams.log.record import TopicPartition
from recon_streams.log.topic_plan import TopicPlan
from recon_streams.runtime.exit_codes import ExitCode

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

MOVEMENTS = TopicPartition("ledger.movements", 1)
# An alias is torn apart, so that whoever comes after finds the streams themselves whole.
TORN = TopicPartition("bank.notifications.debit", 1)
Stack = Any  # of the conftest


@pytest.fixture(params=[pytest.param("kafka", marks=pytest.mark.kafka), "postgres"])
def either_stack(request: pytest.FixtureRequest) -> Stack:
    name = "fresh_kafka_stack" if request.param == "kafka" else "fresh_stack"
    return request.getfixturevalue(name)


@pytest.fixture
async def ended() -> AsyncIterator[Callable[[Any], Any]]:
    """Return what ends a worker and returns its exit code; what still runs at the end is killed."""
    known = []

    async def end(worker: Any, number: int = 0) -> int:
        known.append(worker)
        worker.signal(number)
        code: int = await asyncio.to_thread(worker.running.wait, 30)
        return code

    yield end
    for worker in known:
        worker.signal(signal.SIGKILL)


async def audited(stack: Stack, code: ExitCode) -> list[InputFlaw]:
    """Return the flaws that the command finds."""
    done = await asyncio.to_thread(
        stack.installation.command, "audit", "inputs", "-o", "json", code=code
    )
    answer = json.loads(done.stdout)
    assert answer["proven"] is (code is ExitCode.OK)
    found = [each for partition in answer["partitions"] for each in partition["flaws"]]
    return msgspec.convert(found, list[InputFlaw])


def flaw(place: TopicPartition, first: int, until: int, kind: Flaw) -> InputFlaw:
    topic, partition = place
    return InputFlaw(topic=topic, partition=partition, first=first, until=until, flaw=kind)


async def test_the_audit_finds_what_somebody_did_to_the_book(
    fresh_stack: Stack, ended: Callable[..., Any]
) -> None:
    stack, owner = fresh_stack, fresh_stack.owner
    assert await audited(stack, ExitCode.OK) == [], "an empty log is proven"
    worker = stack.installation.worker()
    worker.start(None)
    *_, last = [await stack.append_good(MOVEMENTS) for _ in range(4)]
    await stack.decided(MOVEMENTS, last)
    assert await ended(worker, signal.SIGTERM) == ExitCode.OK
    assert await stack.flaws() == []
    stream = await owner.fetchval(
        "SELECT stream FROM book.stream WHERE (topic, part) = ($1, $2)", *MOVEMENTS
    )

    await owner.execute("CREATE TABLE kept AS SELECT * FROM book.input WHERE off = 2")
    await owner.execute("DELETE FROM book.input WHERE off = 2")
    assert await audited(stack, ExitCode.DIFFERENCES) == [flaw(MOVEMENTS, 2, 3, Flaw.MISSING)]
    await owner.execute("INSERT INTO book.input SELECT * FROM kept")
    assert await stack.flaws() == []

    foreign = (
        "INSERT INTO book.input (stream, off, at, payload, sha256, disposition) "
        "SELECT $1, $2, at, payload, sha256, disposition FROM kept"
    )
    await owner.execute(foreign, stream, 4)
    assert await audited(stack, ExitCode.DIFFERENCES) == [flaw(MOVEMENTS, 4, 5, Flaw.NOT_IN_LOG)]
    await owner.execute("DELETE FROM book.input WHERE off = 4")

    await owner.execute(foreign, 4_711, 0)
    (found,) = await stack.flaws()
    assert (found.topic, found.flaw) == ("unknown stream 4711", Flaw.NOT_IN_LOG)
    await owner.execute("DELETE FROM book.input WHERE stream = 4711")

    await owner.execute("UPDATE book.input SET sha256 = sha256(''::bytea) WHERE off = 3")
    await owner.execute("UPDATE book.input SET span = 2 WHERE off = 0")
    assert [(each.first, each.flaw) for each in await stack.flaws()] == [
        (1, Flaw.TWICE),
        (3, Flaw.OTHER_BYTES),
    ]


async def test_records_that_expired_unread_stop_the_worker_and_fail_the_audit(
    either_stack: Stack, ended: Callable[..., Any]
) -> None:
    stack, position = either_stack, await _worked_and_stopped(either_stack, ended)
    end = await _append(stack, 2)
    await _expire(stack, end)
    assert await stack.logs.probe.start_offsets([TORN]) == {TORN: end}
    worker = stack.installation.worker()
    worker.start(None)
    assert await ended(worker) == ExitCode.LOST_RECORDS
    assert f"the wanted one is {position}" in worker.log.read_text()
    assert "Traceback" not in worker.log.read_text()
    assert await stack.flaws() == [flaw(TORN, position, end, Flaw.EXPIRED_UNREAD)]


async def test_a_topic_made_anew_stops_the_worker_and_fails_the_audit(
    either_stack: Stack, ended: Callable[..., Any]
) -> None:
    stack = either_stack
    (before_all,) = (await stack.logs.probe.start_offsets([TORN])).values()
    position = await _worked_and_stopped(stack, ended)
    await _make_anew(stack)
    worker = stack.installation.worker()
    worker.start(None)
    assert await ended(worker) == ExitCode.LOST_RECORDS
    assert f"the wanted one is {position}" in worker.log.read_text()
    assert "Traceback" not in worker.log.read_text()
    assert await stack.flaws() == [flaw(TORN, before_all, position, Flaw.NOT_IN_LOG)]
    # Longer than the old one, the new log looks like it by its offsets; not by its bytes.
    await _append(stack, position + 1)
    assert flaw(TORN, before_all, position, Flaw.OTHER_BYTES) in await stack.flaws()
    worker.start(None)
    assert await ended(worker) == ExitCode.LOST_RECORDS
    assert "is not the one the book took from there" in worker.log.read_text()
    assert not await stack.rows(TORN, position)


async def test_what_compaction_took_is_proven_and_what_vanished_is_not(
    fresh_stack: Stack, ended: Callable[..., Any]
) -> None:
    stack = fresh_stack
    config = {"cleanup.policy": "compact"}
    await stack.logs.admin.apply([TopicPlan(name=TORN.topic, partitions=2, config=config)])
    key, _ = stack.good(TORN)
    for _ in range(3):
        await stack.append(TORN.topic, key, stack.good(TORN)[1])
    assert await stack.logs.admin.compact(TORN.topic) == 2
    worker = stack.installation.worker()
    worker.start(None)
    assert (await stack.decided(TORN, 2))["disposition"] == Disposition.APPLIED
    row = await stack.decided(TORN, 0)
    assert (row["disposition"], row["duplicate_of"], row["span"]) == ("CONTROL", "compacted", 2)
    assert await stack.flaws() == []
    assert await ended(worker, signal.SIGTERM) == ExitCode.OK

    *_, last = [await stack.append_good(MOVEMENTS) for _ in range(3)]
    await stack.owner.execute(
        "DELETE FROM log.record WHERE off = $1 AND topic_id = "
        "(SELECT topic_id FROM log.topic WHERE name = $2)",
        last - 1,
        MOVEMENTS.topic,
    )
    worker = stack.installation.worker()
    worker.start(None)
    assert await ended(worker) == ExitCode.LOST_RECORDS
    assert "cannot be explained" in worker.log.read_text()
    assert not await stack.rows(MOVEMENTS, last)


async def test_a_partition_nobody_planned_is_read_after_a_restart(
    either_stack: Stack, ended: Callable[..., Any]
) -> None:
    stack = either_stack
    await _worked_and_stopped(stack, ended)
    added = TopicPartition(TORN.topic, await _add_partition(stack))
    worker = stack.installation.worker()
    worker.start(None)
    key = next(k for k in (b"%d" % n for n in range(99)) if _place(k, added) == added.partition)
    # Its writer counts partitions once; this one comes after.
    await stack.logs.writer.stop()
    stack.logs = stack.installation.make_logs(stack.owner)
    await stack.logs.start()
    partition, offset = await stack.append(TORN.topic, key, stack.good(TORN)[1])
    assert partition == added
    assert (await stack.decided(added, offset))["disposition"] == Disposition.APPLIED
    assert await stack.flaws() == []
    assert await ended(worker, signal.SIGTERM) == ExitCode.OK
    await _make_anew(stack)


def _place(key: bytes, partition: TopicPartition) -> int:
    return partition_of(key, partition.partition + 1)


async def _worked_and_stopped(stack: Stack, ended: Callable[..., Any]) -> int:
    """Let a worker take some records of TORN; return the position it stopped at."""
    worker = stack.installation.worker()
    worker.start(None)
    position = await _append(stack, 2)
    await stack.decided(TORN, position - 1, 20)
    assert await ended(worker, signal.SIGTERM) == ExitCode.OK
    assert await stack.flaws() == []
    return position


async def _append(stack: Stack, count: int) -> int:
    ends: list[int] = [await stack.append_good(TORN) + 1 for _ in range(count)]
    return ends[-1]


def _is_kafka(stack: Stack) -> bool:
    return bool(stack.logs.name.startswith("Kafka"))


async def _expire(stack: Stack, before: int) -> None:
    if not _is_kafka(stack):
        await stack.logs.admin.expire(TORN, before)
        return
    async with _kafka_admin(stack) as admin:
        await admin.delete_records(
            {untyped.kafka_partition(*TORN): untyped.records_to_delete(before)}
        )


async def _make_anew(stack: Stack) -> None:
    if _is_kafka(stack):
        async with _kafka_admin(stack) as admin:
            await admin.delete_topics([TORN.topic])
            async with asyncio.timeout(20):
                while TORN.topic in await admin.list_topics():
                    await asyncio.sleep(0.05)
        done = await asyncio.to_thread(
            stack.installation.command,
            *("topics", "apply"),
            code=ExitCode.REFUSED,
            RECON__TOPICS__REPLICATION_FACTOR="3",
        )
        assert f"topic {TORN.topic} was refused" in done.stderr
    else:
        await stack.owner.execute(
            "WITH gone AS (DELETE FROM log.partition WHERE topic_id = (SELECT topic_id FROM "
            "log.topic WHERE name = $1) RETURNING topic_id) DELETE FROM log.record WHERE topic_id "
            "IN (SELECT topic_id FROM gone)",
            TORN.topic,
        )
        await stack.owner.execute("DELETE FROM log.topic WHERE name = $1", TORN.topic)
    await stack.logs.admin.apply(topic_plans(partitions=2))
    await stack.logs.stop()
    stack.logs = stack.installation.make_logs(stack.owner)
    await stack.logs.start()


async def _add_partition(stack: Stack) -> int:
    if _is_kafka(stack):
        async with _kafka_admin(stack) as admin:
            await admin.create_partitions({TORN.topic: untyped.new_partitions(3)})
        return 2
    await stack.owner.execute("UPDATE log.topic SET partitions = 3 WHERE name = $1", TORN.topic)
    await stack.owner.execute(
        "INSERT INTO log.partition (topic_id, part) "
        "SELECT topic_id, 2 FROM log.topic WHERE name = $1",
        TORN.topic,
    )
    return 2


@asynccontextmanager
async def _kafka_admin(stack: Stack) -> AsyncIterator[Any]:
    admin = untyped.admin_client(bootstrap_servers=stack.bootstrap)
    await admin.start()
    yield admin
    await admin.close()
