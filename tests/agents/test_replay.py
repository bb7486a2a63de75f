"""A replay beside a batch under way: what the alerts say in the end is what waits in the end."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import asyncpg
import msgspec
import pytest

from recon_streams.book import inputs, streams
from recon_streams.book.connection import open_pool
from recon_streams.book.intake import Reading
from recon_streams.book.migrate import migrate
from recon_streams.book.replay import replay_codes
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Disposition, Held, Outcome, quarantined
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.log.record import Batch, Record, TopicPartition
from topics.alerts import Alert

pytestmark = pytest.mark.postgres

NOTICES: Final = TopicPartition("bank.notifications", 0)
CODE: Final = RefusalCode.UNKNOWN_ACCOUNT
HELD: Final = quarantined(Held(code=CODE, field="", rule="a rule"))


class Mended:
    """Takes everything, as an intake does once what was missing is there."""

    name = NOTICES.topic

    def read(self, record: Record) -> bytes | None:
        return record.value

    async def decide(
        self, _unit: UnitOfWork, readings: Sequence[Reading[bytes | None]]
    ) -> list[Outcome]:
        return [Outcome(disposition=Disposition.APPLIED) for _ in readings]


async def test_an_alert_is_not_resolved_while_a_batch_under_way_quarantines_for_its_cause(
    database: str,
) -> None:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    await streams.open_positions(pool, {NOTICES: 0})
    async with UnitOfWork(pool) as unit:
        await _hold_back(unit, 0)
    async with UnitOfWork(pool) as unit:
        await _hold_back(unit, 1)
        replay = asyncio.create_task(
            replay_codes(pool, [CODE], {NOTICES.topic: Mended()}, actor="t")
        )
        await asyncio.sleep(0.3)
        assert not replay.done(), "it waits for the batch"
    assert [each.disposition for each in (await replay).values()] == [Disposition.APPLIED]
    assert await _alerts(pool) == ["trigger"]
    await replay_codes(pool, [CODE], {NOTICES.topic: Mended()}, actor="t")
    assert await _alerts(pool) == ["trigger", "resolve"]
    await pool.close()


async def _hold_back(unit: UnitOfWork, offset: int) -> None:
    """Take in one record that cannot be used, as far as just before the commit."""
    now = datetime.now(UTC)
    batch = Batch(*NOTICES, offset, offset + 1, (Record(*NOTICES, offset, None, b"-", (), now),))
    stream = await streams.advance(
        unit, NOTICES, expected=offset, following=offset + 1, through_at=now
    )
    await inputs.write(unit, stream, batch, [HELD])
    await unit.flush()


async def _alerts(pool: asyncpg.Pool) -> list[str]:
    rows = await pool.fetch(
        "SELECT payload FROM book.outbox WHERE topic = 'recon.alerts' ORDER BY outbox_id"
    )
    return [msgspec.json.decode(row["payload"], type=Alert).action for row in rows]
