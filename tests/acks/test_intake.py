"""An acknowledgement counts once, of a service we know and a change that happened."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from recon_streams.acks.intake import BreakerAcks
from recon_streams.acks.store import claims
from recon_streams.book.intake import Reading
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.clock import utc_now
from recon_streams.kernel.disposition import Disposition, Held, Outcome
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.log.record import Record

pytestmark = pytest.mark.postgres

SCOPE = "account:A:AED"
INTAKE = BreakerAcks(("p1", "p2"))
CHANGE = {"scope": SCOPE, "state": "SUSPENDED", "epoch": 1, "seq": 1}


def ack(offset: int, *, key: str = "p1", **fields: Any) -> Record:
    said = {
        "client_id": "p1",
        "through_offset": 40 + offset,
        "acked_at": "2026-11-20T08:41:07.412Z",
        **fields,
    }
    return Record(
        "recon.breaker.acks", 0, offset, key.encode(), msgspec.json.encode(said), (), utc_now()
    )


def refusal(record: Record) -> Refused:
    with pytest.raises(Refused) as caught:
        INTAKE.read(record)
    return caught.value


async def claimed(pool: asyncpg.Pool) -> dict[str, int]:
    return {each.client_id: each.claimed_offset for each in await claims(pool)}


async def decide(pool: asyncpg.Pool, *records: Record) -> Sequence[Outcome]:
    readings = []
    for each in records:
        try:
            readings.append(Reading(each, INTAKE.read(each)))
        except Refused as refused:
            readings.append(Reading(each, None, Held.of(refused)))
    async with UnitOfWork(pool) as unit:
        return await INTAKE.decide(unit, readings)


async def test_a_service_says_how_far_it_has_come_and_what_it_now_denies(
    pool: asyncpg.Pool,
) -> None:
    outcomes = await decide(pool, ack(0), ack(1, **CHANGE))
    assert [each.disposition for each in outcomes] == [Disposition.OBSERVATION] * 2
    assert await claimed(pool) == {"p1": 41}
    row = await pool.fetchrow("SELECT * FROM acks.ack")
    assert (row["client_id"], row["scope"], row["epoch"], row["state"]) == (
        "p1", SCOPE, 1, "SUSPENDED",
    )  # fmt: skip
    assert utc_now() - row["heard_at"] < timedelta(minutes=1), "by the log's clock, not theirs"


async def test_the_same_change_acknowledged_again_is_a_duplicate(pool: asyncpg.Pool) -> None:
    first = await decide(pool, ack(0, **CHANGE), ack(1, **CHANGE))
    again = await decide(pool, ack(2, **CHANGE))
    dispositions = [each.disposition for each in (*first, *again)]
    assert dispositions == [Disposition.OBSERVATION, Disposition.DUPLICATE, Disposition.DUPLICATE]
    assert await pool.fetchval("SELECT count(*) FROM acks.ack") == 1


async def test_a_service_that_starts_anew_says_anew_how_far_it_is(pool: asyncpg.Pool) -> None:
    await decide(pool, ack(60))
    await decide(pool, ack(61, through_offset=3))
    assert await claimed(pool) == {"p1": 3}


async def test_a_scope_nobody_knows_and_an_epoch_nobody_published_are_held(
    pool: asyncpg.Pool,
) -> None:
    outcomes = await decide(
        pool,
        ack(0, **{**CHANGE, "scope": "corridor:XX"}),
        ack(1, **{**CHANGE, "epoch": 2}),
        ack(2, **{**CHANGE, "epoch": 0}),
        ack(3, **CHANGE),
    )
    held = [[(h.code, h.field) for h in each.held] for each in outcomes]
    assert held == [
        [(RefusalCode.UNKNOWN_SCOPE, "/scope")],
        [(RefusalCode.OUT_OF_RANGE, "/epoch")],
        [(RefusalCode.OUT_OF_RANGE, "/epoch")],
        [],
    ]
    assert await claimed(pool) == {"p1": 43}, "of what is held nothing counts"


def test_a_service_nobody_registered_is_refused_by_name() -> None:
    refused = refusal(ack(0, key="p9", client_id="p9"))
    assert (refused.code, refused.field) == (RefusalCode.UNKNOWN_CLIENT, "/client_id")
    assert "breaker.clients" in refused.rule


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"key": "p2"}, RefusalCode.INVALID_IDENTIFIER, "/client_id"),
        ({"scope": SCOPE}, RefusalCode.MISSING_FIELD, "/state"),
        ({**CHANGE, "state": "AJAR"}, RefusalCode.WRONG_TYPE, "/state"),
        ({"through_offset": -1}, RefusalCode.OUT_OF_RANGE, "/through_offset"),
        ({"through_offset": "7"}, RefusalCode.WRONG_TYPE, "/through_offset"),
        ({"schema_version": 2}, RefusalCode.UNKNOWN_SCHEMA_VERSION, "/schema_version"),
    ],
)
def test_what_is_wrong_is_named_by_field(
    fields: dict[str, Any], code: RefusalCode, field: str
) -> None:
    refused = refusal(ack(0, **fields))
    assert (refused.code, refused.field) == (code, field)


def test_ten_megabytes_are_no_acknowledgement() -> None:
    refused = refusal(ack(0, padding="x" * 10_000_000))
    assert refused.code is RefusalCode.TOO_LARGE
