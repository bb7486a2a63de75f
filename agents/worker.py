"""The worker: agents on batch topics, fed from the log where the book stands, until stopped."""

import asyncio
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Final

import structlog

from agents import (
    bank_balances,
    bank_notifications,
    bank_reports,
    bank_statements,
    breaker_acks,
    ledger_balances,
    ledger_movements,
    recon_commands,
    recon_ticks,
    rolling_positions,
)
from agents.consume import ConsumeParts, exit_code_of
from agents.intakes import aliases, input_topics
from agents.parts import WorkerParts
from agents.starting import Starting
from agents.ticks import note_caught_up_for_ever, take_due_for_ever
from recon_streams.book.streams import claim_log
from recon_streams.kernel.disposition import Outcome
from recon_streams.log.errors import OffsetOutOfRange
from recon_streams.log.record import Batch, TopicPartition
from recon_streams.positions.inputs import (
    BankNotifications,
    BankReports,
    BankStatements,
    LedgerBalances,
    LedgerMovements,
)
from recon_streams.runtime.batch_topic import BatchTopic
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.runtime.faust_app import make_app, start_app, stop_app
from recon_streams.runtime.leaving import leave_process
from recon_streams.runtime.source import LogSource, routes
from topics import bank_balances as balances
from topics import breaker_acks as acks
from topics import commands, ticks

_log = structlog.get_logger()

_AGENTS: Final = {
    BankNotifications.name: bank_notifications.attach,
    BankReports.name: bank_reports.attach,
    BankStatements.name: bank_statements.attach,
    LedgerMovements.name: ledger_movements.attach,
    LedgerBalances.name: ledger_balances.attach,
    ticks.TOPIC: recon_ticks.attach,
    balances.TOPIC: bank_balances.attach,
    acks.TOPIC: breaker_acks.attach,
    commands.TOPIC: recon_commands.attach,
}


async def run_worker(parts: WorkerParts, stop: asyncio.Event) -> None:
    """Work until `stop` is set, then let what is under way commit.

    Whatever fails ends the process: see `ExitCode`.
    """
    await claim_log(parts.pool, await parts.probe.log_identity())
    app = make_app("recon-streams", _leave)
    streams = {name: BatchTopic(app, name) for name in parts.intakes}
    rolling = BatchTopic(app, rolling_positions.TOPIC)
    table = rolling_positions.make_table(app)
    parts.view.attach(table)
    starting = Starting(parts, table)
    source = LogSource(
        parts.reader,
        routes((*streams.values(), rolling), aliases()),
        starting.positions_of,
        records_max=parts.records_max,
        wait_seconds=parts.wait_seconds,
    )
    for name, topic in streams.items():
        consuming = ConsumeParts(
            pool=parts.pool,
            intake=parts.intakes[name],
            on_committed=partial(_committed, parts, source),
            on_settled=topic.settle,
            retry_seconds=parts.retry_seconds,
        )
        _AGENTS[name](app, topic, consuming)
    rolling_positions.attach(app, rolling, table, partial(_settled, source, rolling))
    await start_app(app)
    await source.start()
    _log.info("worker_started", topics=len(input_topics()))
    await _work(parts, source, starting, stop)
    try:
        async with asyncio.timeout(parts.stop_seconds):
            await source.stop()
            await stop_app(app)
    except TimeoutError:
        leave_process("the stop passed its deadline", ExitCode.STOP_TOO_SLOW)
    _log.info("worker_stopped")


async def _work(
    parts: WorkerParts, source: LogSource, starting: Starting, stop: asyncio.Event
) -> None:
    """Run until told to stop; leave the process if any part ends before that."""
    tasks = [
        asyncio.create_task(source.run(), name="source"),
        asyncio.create_task(starting.watch(), name="restoring"),
        asyncio.create_task(
            note_caught_up_for_ever(
                parts.pool,
                parts.probe,
                partial(_inputs_of, source),
                every_seconds=parts.beat_seconds,
                retry_seconds=parts.retry_seconds,
            ),
            name="beat",
        ),
        asyncio.create_task(
            take_due_for_ever(
                parts.pool,
                parts.directories,
                every_seconds=parts.due_seconds,
                retry_seconds=parts.retry_seconds,
            ),
            name="due",
        ),
    ]
    if parts.watch is not None:
        tasks.append(asyncio.create_task(_watched(parts.watch(source)), name="watch"))
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        done, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            error = task.exception() or AssertionError(f"{task.get_name()} ended")
            leave_process(f"{task.get_name()}: {error!r}{_advice(error)}", exit_code_of(error))
    finally:
        for task in (*tasks, stopping):
            task.cancel()
        await asyncio.gather(*tasks, stopping, return_exceptions=True)


def _advice(error: BaseException) -> str:
    """Return what a person may do about `error` that no restart will."""
    if isinstance(error, OffsetOutOfRange) and error.wanted < error.start:
        topic, partition = error.partition
        return f"; if they are lost: recon-streams topics accept-loss {topic} {partition}"
    return ""


def _inputs_of(source: LogSource) -> list[TopicPartition]:
    """Return the assigned partitions that the book has positions of."""
    return [each for each in source.assigned if each.topic != rolling_positions.TOPIC]


def _settled(source: LogSource, topic: BatchTopic, batch: Batch) -> None:
    topic.settle(batch)
    source.note_settled(batch.topic_partition, batch.next_offset)


async def _watched(watching: Awaitable[None]) -> None:
    await watching


def _committed(
    parts: WorkerParts,
    source: LogSource,
    batch: Batch,
    outcomes: Sequence[Outcome],
) -> None:
    parts.on_committed(batch, outcomes)
    source.note_settled(batch.topic_partition, batch.next_offset)
    if batch.topic_partition in parts.reader.assignment:
        # For displays of lag only; the position that counts is the book's.
        parts.reader.advise(batch.topic_partition, batch.next_offset)


async def _leave(error: BaseException) -> None:
    leave_process(repr(error), exit_code_of(error))
