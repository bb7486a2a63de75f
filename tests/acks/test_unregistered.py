"""A payout service that nobody registered is named to on-call, with what to do about it."""

from collections.abc import Sequence

import asyncpg
import msgspec
import pytest

from recon_streams.acks.intake import BreakerAcks
from recon_streams.book import inputs, streams
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.clock import utc_now
from recon_streams.kernel.disposition import Held, quarantined
from recon_streams.kernel.refusal import Refused
from recon_streams.log.record import Batch, Record, TopicPartition
from topics.alerts import Alert

pytestmark = pytest.mark.postgres

ACKS = TopicPartition("recon.breaker.acks", 0)


def _ack(offset: int, client: str) -> Record:
    said = {"client_id": client, "through_offset": 1, "acked_at": "2026-11-20T08:41:07Z"}
    value = msgspec.json.encode(said)
    return Record(ACKS.topic, 0, offset, client.encode(), value, (), utc_now())


async def _take(pool: asyncpg.Pool, *records: Record) -> int:
    """Take in what an intake that knows p1 alone refuses; return the stream."""
    await streams.open_positions(pool, {ACKS: 0})
    stream: int = await pool.fetchval("SELECT stream FROM book.stream WHERE topic = $1", ACKS.topic)
    outcomes = []
    for record in records:
        with pytest.raises(Refused) as caught:
            BreakerAcks(("p1",)).read(record)
        outcomes.append(quarantined(Held.of(caught.value)))
    batch = Batch(ACKS.topic, 0, records[0].offset, records[-1].offset + 1, records)
    async with UnitOfWork(pool) as unit:
        await inputs.write(unit, stream, batch, outcomes)
    return stream


async def _told(pool: asyncpg.Pool) -> Sequence[Alert]:
    rows = await pool.fetch(
        "SELECT payload FROM book.outbox WHERE topic = 'recon.alerts' ORDER BY outbox_id"
    )
    alerts = [msgspec.json.decode(row["payload"], type=Alert) for row in rows]
    return [each for each in alerts if each.alert_class == "QUARANTINE"]


async def test_each_service_that_is_not_registered_is_one_alert_that_says_what_to_do(
    pool: asyncpg.Pool,
) -> None:
    await _take(pool, _ack(0, "paymaster"), _ack(1, "paymaster"), _ack(2, "topup"))
    told = await _told(pool)
    assert [each.dedup_key for each in told] == [
        "quarantine:recon.breaker.acks/0:UNKNOWN_CLIENT:paymaster",
        "quarantine:recon.breaker.acks/0:UNKNOWN_CLIENT:topup",
    ]
    for name, alert in zip(("paymaster", "topup"), told, strict=True):
        assert f"The payout service {name} acknowledges" in alert.summary
        assert "breaker.clients" in alert.summary


async def test_it_ends_for_the_one_whose_acknowledgements_were_answered(pool: asyncpg.Pool) -> None:
    first, second = _ack(0, "paymaster"), _ack(1, "topup")
    stream = await _take(pool, first, second)
    async with UnitOfWork(pool) as unit:
        await unit.connection.execute(
            "INSERT INTO book.quarantine_action (quarantine_id, action, actor) "
            "SELECT quarantine_id, 'REPLAYED', 'ana' FROM book.quarantine WHERE off = 0"
        )
        await inputs.resolve_alerts(unit, stream, first)
    told = await _told(pool)
    assert [(each.action, each.dedup_key.rpartition(":")[2]) for each in told] == [
        ("trigger", "paymaster"),
        ("trigger", "topup"),
        ("resolve", "paymaster"),
    ]
