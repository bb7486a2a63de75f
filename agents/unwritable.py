"""Which record of a batch the book cannot write: without it, one record would stop its partition.

All rows of a batch go to the database at once, and its answer names none of the records they are
of. So ever shorter beginnings of the batch are tried, and none of them is kept.
"""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg
from msgspec.structs import replace

from recon_streams.book import inputs, streams
from recon_streams.book.intake import DecisionFailed, Intake, Reading
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Outcome
from recon_streams.log.record import Batch

# What a value can do to a statement. A table that is not there, or a right that was taken away,
# concerns every record alike: then we leave.
OF_A_RECORD: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
    OverflowError,
)


class _Enough(Exception):
    """Ends a unit of work that is not to be kept."""


async def decide_and_write(
    unit: UnitOfWork,
    intake: Intake[Any],
    batch: Batch,
    readings: Sequence[Reading[Any]],
    *,
    stream: int,
) -> list[Outcome]:
    """Decide `readings`, the records of `batch`, and write everything into the open `unit`."""
    outcomes = await intake.decide(unit, readings) if readings else []
    await inputs.write(unit, stream, batch, outcomes)
    await unit.flush()
    return outcomes


async def find_unwritable(
    pool: asyncpg.Pool, intake: Intake[Any], batch: Batch, readings: Sequence[Reading[Any]]
) -> int | None:
    """Return the place of the record with which `batch` can first not be written.

    None if all of it can be written now, or not even a batch without records.
    """
    good, bad = 0, len(readings)
    if not bad or await _can_write(pool, intake, batch, readings):
        return None
    if not await _can_write(pool, intake, _beginning(batch, 0), []):
        return None
    while bad - good > 1:
        middle = (good + bad) // 2
        if await _can_write(pool, intake, _beginning(batch, middle), readings[:middle]):
            good = middle
        else:
            bad = middle
    return good


async def _can_write(
    pool: asyncpg.Pool, intake: Intake[Any], batch: Batch, readings: Sequence[Reading[Any]]
) -> bool:
    try:
        await _write_and_drop(pool, intake, batch, readings)
    except _Enough:
        return True
    except (DecisionFailed, *OF_A_RECORD):
        return False
    raise AssertionError("what was tried is not kept")


async def _write_and_drop(
    pool: asyncpg.Pool, intake: Intake[Any], batch: Batch, readings: Sequence[Reading[Any]]
) -> None:
    async with UnitOfWork(pool) as unit:
        stream = await streams.advance(
            unit,
            batch.topic_partition,
            expected=batch.first_offset,
            following=batch.next_offset,
            through_at=None,
        )
        await decide_and_write(unit, intake, batch, readings, stream=stream)
        raise _Enough


def _beginning(batch: Batch, count: int) -> Batch:
    """Return the first `count` records of `batch` and what is proven to be between them."""
    until = batch.records[count - 1].offset + 1 if count else batch.first_offset
    gaps = tuple(gap for gap in batch.gaps if gap.until <= until)
    return replace(batch, next_offset=until, records=batch.records[:count], gaps=gaps)
