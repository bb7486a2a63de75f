"""What a person has decided holds until its facts change, on a real PostgreSQL."""

from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest
from register_book import AT, LATER, acted, every, looked, missing, noted, proven

from recon_streams.discrepancies.action import (
    Assigned,
    ReasonCode,
    Resolved,
)
from recon_streams.discrepancies.unchanged import HOLDING
from topics.discrepancies import DiscrepancyState as State

pytestmark = pytest.mark.postgres


async def test_what_a_person_resolved_is_reopened_in_place_by_a_new_occurrence(
    pool: asyncpg.Pool,
) -> None:
    found = missing("ledger:P-1")
    await noted(pool, found, evidence="run 1")
    ((identity, *_),) = [(each.id, each) for each in await every(pool)]
    await acted(pool, Assigned(at=AT, actor="ana", owner="ben"), identity)
    timing = Resolved(at=AT, actor="ben", reason_code=ReasonCode.TIMING, reason="on its way")
    await acted(pool, timing, identity)
    await noted(pool, found, evidence="run 2", at=LATER)
    (only,) = await every(pool)
    assert (only.id, only.life.state, only.life.reopenings) == (identity, State.OPEN, 1)
    assert (only.life.owner, only.life.reason, only.life.opened_at) == (None, None, LATER)
    kinds = await pool.fetch("SELECT kind, actor, from_state, to_state FROM discrepancies.action")
    assert [tuple(each) for each in kinds] == [
        ("found", "recon-streams", None, "OPEN"),
        ("assigned", "ana", "OPEN", "ASSIGNED"),
        ("resolved", "ben", "ASSIGNED", "RESOLVED"),
        ("found", "recon-streams", "RESOLVED", "OPEN"),
    ]


async def test_a_run_that_finds_what_the_last_one_found_writes_no_line(pool: asyncpg.Pool) -> None:
    await noted(pool, looked(), evidence="run 1")
    await noted(pool, looked(), evidence="run 2", at=LATER)
    (only,) = await every(pool)
    assert only.life.version == 1
    await noted(pool, looked(facts={"a": "c"}), evidence="run 3", at=LATER)
    (only,) = await every(pool)
    assert (only.life.version, only.life.facts) == (2, {"a": "c"})


@pytest.mark.parametrize("code", sorted(HOLDING))
async def test_what_a_person_has_decided_holds_until_the_facts_change(
    pool: asyncpg.Pool, code: ReasonCode
) -> None:
    await noted(pool, looked(on=AT.date()), evidence="run 1")
    decided = Resolved(at=AT, actor="ben", reason_code=code, reason="asked the bank")
    await acted(pool, decided, (await every(pool))[0].id)
    await noted(pool, looked(on=AT.date(), facts={"nearest": "x"}), evidence="run 2", at=LATER)
    (only,) = await every(pool)
    assert (only.life.state, only.life.reason_code) == (State.RESOLVED, code)
    await noted(pool, looked(amount=Decimal("100.01")), evidence="run 3", at=LATER)
    (only,) = await every(pool)
    assert (only.life.state, only.life.amount) == (State.OPEN, Decimal("100.01"))


@pytest.mark.parametrize(
    ("code", "days", "state"),
    [
        (ReasonCode.TIMING, 3, State.RESOLVED),
        (ReasonCode.TIMING, 4, State.OPEN),
        (ReasonCode.ACCEPTED, 400, State.RESOLVED),
        (ReasonCode.CORRECTED_AT_BANK, 0, State.OPEN),
    ],
)
async def test_that_it_is_on_its_way_holds_for_its_age_and_that_it_was_corrected_for_no_time(
    pool: asyncpg.Pool, code: ReasonCode, days: int, state: State
) -> None:
    """A Friday: Monday is one business day later, Tuesday two, which is the next age."""
    await noted(pool, looked(on=AT.date()), evidence="run 1")
    decided = Resolved(at=AT, actor="ben", reason_code=code, reason="asked the bank")
    await acted(pool, decided, (await every(pool))[0].id)
    later = LATER + timedelta(days=days)
    await noted(pool, looked(on=AT.date()), evidence="run 2", at=later)
    assert (await every(pool))[0].life.state is state


async def test_what_was_proven_gone_begins_again_when_it_is_found_again(
    pool: asyncpg.Pool,
) -> None:
    await noted(pool, looked(), evidence="run 1")
    await noted(pool, proven(looked()), evidence="run 2")
    await noted(pool, looked(), evidence="run 3")
    (only,) = await every(pool)
    assert (only.life.state, only.life.reopenings) == (State.OPEN, 1)
