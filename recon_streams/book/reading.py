"""Reads a batch while another commits: in slices, so that neither holds the loop for long."""

import asyncio
from typing import Any

from recon_streams.book.intake import DECISION_RULE, Intake, Reading
from recon_streams.kernel.disposition import Held
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.log.record import Batch, Record

# A message of 3 kB takes about 0.1 ms; sixteen of them leave the loop free every two.
_SLICE = 16


async def read_batch(intake: Intake[Any], batch: Batch) -> list[Reading[Any]]:
    """Return every record of `batch` as it was understood, or why it was not."""
    readings: list[Reading[Any]] = []
    for index, record in enumerate(batch.records, start=1):
        readings.append(read_record(intake, record))
        if index % _SLICE == 0:
            await asyncio.sleep(0)
    return readings


def read_record(intake: Intake[Any], record: Record) -> Reading[Any]:
    """Return `record` as it was understood, or why it was not."""
    try:
        return Reading(record, intake.read(record))
    except Refused as refusal:
        return Reading(record, None, Held.of(refusal))
    except Exception:  # noqa: BLE001 - held under a code that pages; the bytes are kept
        held = Held(code=RefusalCode.DECISION_FAILED, field="", rule=DECISION_RULE)
        return Reading(record, None, held)
