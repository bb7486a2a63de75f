"""One batch, one transaction: evidence, state, decisions, outbox and position together, or nothing.

This is where exactly-once effect is made. The position is moved by compare-and-set inside the same
transaction, so whatever dies, and whoever else believes to own the partition, each record has its
effect once.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg

from agents.unwritable import OF_A_RECORD, decide_and_write, find_unwritable
from recon_streams.book import streams
from recon_streams.book.intake import DECISION_RULE, DecisionFailed, Intake, Reading
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel import faultpoint
from recon_streams.kernel.disposition import Held, Outcome
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.log.record import Batch


async def commit_batch(
    pool: asyncpg.Pool, intake: Intake[Any], batch: Batch, readings: Sequence[Reading[Any]]
) -> list[Outcome]:
    """Take `batch` into the book and return what became of each of its records.

    Raises:
        Fenced: The book is not where the batch begins; this process must leave.
    """
    assert len(readings) == len(batch.records), "every record was read or refused"
    while True:
        try:
            return await _attempt(pool, intake, batch, readings)
        except DecisionFailed as failed:
            # Nothing of the attempt was kept. The record the core tripped over is held, and the
            # batch is decided again without it; each round holds one more, so this ends.
            readings = _without(readings, failed.index)
        except OF_A_RECORD:
            # Rows are written together, so which record they are of has to be found.
            index = await find_unwritable(pool, intake, batch, readings)
            if index is None or _is_held_for_us(readings[index]):
                raise
            readings = _without(readings, index)


async def was_committed(pool: asyncpg.Pool, batch: Batch) -> bool:
    """Return whether the book already stands behind `batch`.

    Asked after a connection broke during a commit, when nobody can tell whether it happened.
    """
    known = await streams.positions(pool, [batch.topic_partition])
    position = known.get(batch.topic_partition)
    return position is not None and position.next_offset == batch.next_offset


async def _attempt(
    pool: asyncpg.Pool, intake: Intake[Any], batch: Batch, readings: Sequence[Reading[Any]]
) -> list[Outcome]:
    async with UnitOfWork(pool) as unit:
        stream = await streams.advance(
            unit,
            batch.topic_partition,
            expected=batch.first_offset,
            following=batch.next_offset,
            through_at=batch.records[-1].appended_at if batch.records else None,
        )
        outcomes = await decide_and_write(unit, intake, batch, readings, stream=stream)
        faultpoint.hit("before_commit")
    faultpoint.hit("after_commit")
    return outcomes


def _without(readings: Sequence[Reading[Any]], index: int) -> list[Reading[Any]]:
    held = Held(code=RefusalCode.DECISION_FAILED, field="", rule=DECISION_RULE)
    remaining = list(readings)
    remaining[index] = Reading(readings[index].record, None, held)
    return remaining


def _is_held_for_us(reading: Reading[Any]) -> bool:
    return reading.held is not None and reading.held.code is RefusalCode.DECISION_FAILED
