"""A book from before there were scopes keeps every transition, and has `all` above accounts."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest
from alembic import command

from recon_streams.book import migrate as migrating
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.publisher.newest import records_of, states
from topics.breaker import BreakerEvent, BreakerRecord, BreakerState

pytestmark = pytest.mark.postgres
AT = datetime(2026, 11, 20, 9, 30, 0, 125000, UTC)
EVIDENCE = (
    b'{"event":{},"position":{"bank_side":{"topic":"bank.notifications","partition":1,"offset":42},'
    b'"ledger_side":{}},"rules_version":1}'
)


def to_before(dsn: str) -> None:
    """Bring an empty book to the version before scopes."""
    config = migrating._config()
    config.attributes["dsn"] = dsn
    command.upgrade(config, "0009")


async def fill(dsn: str) -> None:
    owner = await asyncpg.connect(dsn)
    await owner.execute(
        "INSERT INTO positions.account (account_id, currency) VALUES ('AE-1', 'AED'), ('AE-2', 'X')"
    )
    for number, epoch, before, after in (
        (1, 1, None, "SUSPENDED"),
        (1, 2, "SUSPENDED", "CLOSED"),
        (1, 3, "CLOSED", "OPEN"),
        (2, 1, None, "SUSPENDED"),
    ):
        await owner.execute(
            "INSERT INTO positions.breaker_transition "
            "VALUES ($1, $2, $2, $3, $4, 'R', $5, 'h', $6)",
            number,
            epoch,
            before,
            after,
            EVIDENCE,
            AT,
        )
    await owner.close()


async def test_what_was_recorded_is_kept_and_published_with_its_parents(database: str) -> None:
    await asyncio.to_thread(to_before, database)
    await fill(database)
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    found = await pool.fetch(
        "SELECT scope, epoch, from_state, to_state FROM breaker.transition ORDER BY 1, 2"
    )
    assert [tuple(row) for row in found] == [
        ("account:AE-1:AED", 1, None, "SUSPENDED"),
        ("account:AE-1:AED", 2, "SUSPENDED", "CLOSED"),
        ("account:AE-1:AED", 3, "CLOSED", "OPEN"),
        ("account:AE-2:X", 1, None, "SUSPENDED"),
        ("all", 1, None, "CLOSED"),
    ]
    rows = await pool.fetch("SELECT topic, payload FROM book.outbox ORDER BY outbox_id")
    records = {
        record.scope: record
        for row in rows
        if row["topic"] == "recon.breaker"
        for record in [msgspec.json.decode(row["payload"], type=BreakerRecord)]
    }
    assert records["account:AE-1:AED"] == BreakerRecord(
        scope="account:AE-1:AED",
        state=BreakerState.OPEN,
        epoch=3,
        seq=4,  # after what the log has of this epoch
        reason_code="R",
        evidence_hash="h",
        decided_at=AT,
        inputs_through={"bank.notifications/1": 42},
        parent_scopes=("all",),
    )
    assert records["all"].parent_scopes == ()
    (event,) = [row["payload"] for row in rows if row["topic"] == "recon.breaker.events"]
    assert msgspec.json.decode(event, type=BreakerEvent).to_state is BreakerState.CLOSED
    # What the publisher would write again says the same.
    assert {s: each.version for s, each in (await states(pool)).items()} == {
        s: (each.epoch, each.seq) for s, each in records.items()
    }
    await pool.execute("UPDATE book.outbox SET published_at = clock_timestamp()")
    again = await records_of(pool, list(records))
    for scope, (_, record) in again.items():
        assert record.value is not None
        assert msgspec.json.decode(record.value, type=BreakerRecord) == records[scope]
    # And the next change follows on it; the account is not moved here, so none is kept.
    async with pool.acquire() as connection:
        undone = connection.transaction()
        await undone.start()
        await connection.execute(
            "INSERT INTO breaker.transition (scope, epoch, seq, from_state, to_state, reason, "
            "evidence, evidence_hash, decided_at, parents, actor) "
            "VALUES ('account:AE-2:X', 2, 2, 'SUSPENDED', 'CLOSED', 'R', '', '', now(), "
            "'{all}', 'x')"
        )
        await undone.rollback()
    await pool.close()
