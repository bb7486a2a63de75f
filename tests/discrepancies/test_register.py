"""What checks find and people do is in the book and on its way to others, on a real PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest
from register_book import AT, LATER, WEEKDAYS, acted, every, missing, noted, proven, sent

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.action import (
    Assigned,
    Commented,
    ReasonCode,
    Reopened,
    Resolved,
    Snoozed,
)
from recon_streams.discrepancies.finding import Source
from recon_streams.discrepancies.life import NotPossible
from recon_streams.discrepancies.register import NotThere, escalate_overdue, note
from recon_streams.positions.registry_store import apply_registry
from recon_streams.registry.definition import AccountDefinition, BankAccount
from topics.alerts import Alert
from topics.discrepancies import DiscrepancyRecord
from topics.discrepancies import DiscrepancyState as State

pytestmark = pytest.mark.postgres


async def test_a_finding_opens_is_counted_and_is_closed_by_its_proof_alone(
    pool: asyncpg.Pool,
) -> None:
    found = missing("ledger:P-1")
    await noted(pool, found, evidence="run 1")
    await noted(pool, found, evidence="run 2", at=LATER)
    await noted(pool, missing("ledger:P-2"), evidence="run 3", at=LATER)
    first, second = await every(pool)
    assert (first.life.state, first.life.occurrences, first.life.version) == (State.OPEN, 2, 2)
    assert (first.life.opened_at, first.life.last_seen) == (AT, LATER)
    assert second.life.occurrences == 1
    await noted(pool, proven(found), evidence="run 4", at=LATER)
    first, second = await every(pool)
    assert (first.life.state, first.life.reason_code) == (State.RESOLVED, ReasonCode.PROVEN_GONE)
    assert second.life.state is State.OPEN, "nothing was said of it, and that proves nothing"
    body = await pool.fetchval(
        "SELECT body ->> 'proof' FROM discrepancies.action WHERE kind = 'proven_gone'"
    )
    assert msgspec.json.decode(body) == {"match": "77"}


async def test_the_same_check_on_the_same_evidence_counts_once_for_ever(
    pool: asyncpg.Pool,
) -> None:
    found = missing("ledger:P-1")
    await noted(pool, found, found, evidence="run 1")
    await noted(pool, found, evidence="run 1")
    await noted(pool, proven(found), evidence="run 2")
    await noted(pool, found, evidence="run 1")
    await noted(pool, proven(found), evidence="run 2")
    (only,) = await every(pool)
    assert (only.life.state, only.life.version) == (State.RESOLVED, 2)
    other = msgspec.structs.replace(found, source=Source.CLOSING)
    await noted(pool, other, found, evidence="run 3")
    (only,) = await every(pool)
    assert (only.life.state, only.life.occurrences) == (State.OPEN, 3)


async def test_an_alert_begins_with_the_trouble_and_ends_with_it(pool: asyncpg.Pool) -> None:
    mild, short = missing("ledger:P-1"), missing("ledger:P-2", amount="-3")
    await noted(pool, mild, short, evidence="run 1")
    await noted(pool, short, evidence="run 2")
    mild_id, short_id = (each.id for each in await every(pool))
    alerts = await sent(pool, "recon.alerts", Alert)
    assert [(a.dedup_key, a.action, a.severity) for a in alerts] == [
        (f"discrepancy:{short_id}", "trigger", "error")
    ]
    assert alerts[0].amounts == {"difference": "-3"}
    done = Resolved(at=AT, actor="ana", reason_code=ReasonCode.EXPLAINED, reason="a fee")
    await acted(pool, done, short_id, mild_id)
    (_, end) = await sent(pool, "recon.alerts", Alert)
    assert (end.dedup_key, end.action) == (f"discrepancy:{short_id}", "resolve")
    assert (alerts[0].source, end.source) == ("run 1", "person")


async def test_others_read_the_newest_of_each_without_names_of_people(pool: asyncpg.Pool) -> None:
    await noted(pool, missing("ledger:P-1", account=2, amount="100.50"), evidence="run 1")
    (only,) = await every(pool)
    await acted(pool, Assigned(at=AT, actor="ana", owner="ben"), only.id)
    record = (await sent(pool, "recon.discrepancies", DiscrepancyRecord))[-1]
    assert (record.account_id, record.currency, record.amount) == ("SAFE-ZMW", "ZMW", "100.5")
    assert (record.version, record.state, record.facts) == (2, State.ASSIGNED, {"a": "b"})
    keys = await pool.fetch("SELECT key FROM book.outbox WHERE topic = 'recon.discrepancies'")
    assert {row["key"] for row in keys} == {str(only.id).encode()}
    payloads = await pool.fetch("SELECT payload FROM book.outbox")
    assert not any(b"ben" in row["payload"] for row in payloads)


async def test_what_is_due_is_escalated_once_and_not_while_it_sleeps(pool: asyncpg.Pool) -> None:
    await noted(pool, missing("ledger:P-1"), missing("ledger:P-2"), evidence="run 1")
    first, second = await every(pool)
    assert first.life.due_at == datetime(2026, 11, 27, 8, 0, tzinfo=UTC), "five business days"
    snoozed_at = first.life.due_at - timedelta(hours=1)
    until = first.life.due_at + timedelta(days=3)
    await acted(pool, Snoozed(at=snoozed_at, actor="a", until=until, reason="r"), second.id)

    async def escalated(now: datetime) -> int:
        async with UnitOfWork(pool) as unit:
            return await escalate_overdue(unit, now, WEEKDAYS)

    assert await escalated(first.life.due_at - timedelta(seconds=1)) == 0
    assert await escalated(first.life.due_at) == 1
    assert await escalated(first.life.due_at) == 0
    assert await escalated(until) == 1
    assert {each.life.state for each in await every(pool)} == {State.ESCALATED}
    alerts = await sent(pool, "recon.alerts", Alert)
    assert [(a.action, a.severity, a.source) for a in alerts] == [("trigger", "error", "time")] * 2
    reasons = await pool.fetchval(
        "SELECT reason FROM discrepancies.action WHERE sequence = 2 AND kind = 'escalated'"
    )
    assert reasons == "due 2026-11-27 08:00:00Z, open for 5 business days"


async def test_a_person_acts_on_all_that_were_named_or_on_none(pool: asyncpg.Pool) -> None:
    await noted(pool, missing("ledger:P-1"), missing("ledger:P-2"), evidence="run 1")
    first, second = (each.id for each in await every(pool))
    with pytest.raises(NotPossible, match=f"^{first}: "):
        await acted(pool, Reopened(at=AT, actor="a", reason="r"), first, second)
    with pytest.raises(NotThere, match="no discrepancy has the id 99"):
        await acted(pool, Commented(at=AT, actor="a", reason="r"), first, 99)
    assert await pool.fetchval("SELECT count(*) FROM discrepancies.action") == 2
    gone = Resolved(at=AT, actor="a", reason_code=ReasonCode.FALSE_ALARM, reason="r")
    await acted(pool, gone, first)
    await acted(pool, Reopened(at=LATER, actor="a", reason="it was none"), first)
    life = (await every(pool))[0].life
    assert (life.state, life.opened_at, life.occurrences) == (State.OPEN, LATER, 1)


async def test_what_was_noted_is_seen_by_the_next_note_of_the_same_unit(
    pool: asyncpg.Pool,
) -> None:
    found = missing("ledger:P-1")
    async with UnitOfWork(pool) as unit:
        await note(unit, [found], [], at=AT, evidence="input 1")
        await note(unit, [found], [], at=AT, evidence="input 2")
        await note(unit, [], [proven(found)], at=LATER, evidence="input 3")
        await note(unit, [], [], at=LATER, evidence="input 4")
    (only,) = await every(pool)
    assert (only.life.state, only.life.occurrences) == (State.RESOLVED, 2)
    records = await sent(pool, "recon.discrepancies", DiscrepancyRecord)
    assert [record.version for record in records] == [1, 2, 3]


async def test_a_subject_that_no_key_can_hold_is_kept_apart_from_others(
    pool: asyncpg.Pool,
) -> None:
    long = [missing("x" * 5_000 + end) for end in ("a", "b", "\x00")]
    await noted(pool, *long, evidence="run 1")
    await noted(pool, *long, evidence="run 2")
    assert [each.life.occurrences for each in await every(pool)] == [2, 2, 2]
    await noted(pool, *map(proven, long), evidence="run 3")
    assert {each.life.state for each in await every(pool)} == {State.RESOLVED}


async def test_a_unit_that_rolls_back_leaves_nothing(pool: asyncpg.Pool) -> None:
    async def fail() -> None:
        async with UnitOfWork(pool) as unit:
            await note(unit, [missing("ledger:P-1")], [], at=AT, evidence="run 1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await every(pool) == []
    assert await sent(pool, "recon.discrepancies", DiscrepancyRecord) == []


async def test_units_that_note_the_same_causes_at_once_make_one_discrepancy_of_each(
    pool: asyncpg.Pool,
) -> None:
    subjects = [f"ledger:P-{n}" for n in range(300)]

    async def run(number: int) -> None:
        # Each begins elsewhere, and half of them know only some of the causes.
        turned = subjects[number * 37 % 300 :] + subjects[: number * 37 % 300]
        known = turned[: 200 + 20 * (number % 2)]
        findings = [missing(subject, account=1 + n % 3) for n, subject in enumerate(turned)]
        await noted(pool, *(f for f in findings if f.cause.subject in known), evidence=f"r{number}")

    await asyncio.gather(*(run(number) for number in range(6)))
    await asyncio.gather(*(run(number) for number in range(6)))
    found = await every(pool)
    assert len({each.cause for each in found}) == len(found)
    assert sum(each.life.occurrences for each in found) == 3 * 200 + 3 * 220


async def test_thousands_of_findings_take_no_statement_each(pool: asyncpg.Pool) -> None:
    findings = [missing(f"ledger:P-{n}", account=1 + n % 3) for n in range(5_000)]
    async with asyncio.timeout(20):
        await noted(pool, *findings, evidence="run 1")
        await noted(pool, *findings, evidence="run 2")
        await noted(pool, *findings, evidence="run 2")
        await noted(pool, *map(proven, findings), evidence="run 3")
    counts = await pool.fetchrow(
        "SELECT count(*), min(version), max(version) FROM discrepancies.discrepancy"
    )
    assert tuple(counts) == (5_000, 3, 3)


async def test_an_account_whose_calendar_only_the_operator_knows_counts_weekdays(
    pool: asyncpg.Pool,
) -> None:
    definition = AccountDefinition(
        account_id="OWN",
        currency="AED",
        scale=2,
        bank_accounts=(BankAccount(identification="OWN"),),
        calendar="OUR-BANK",
    )
    await apply_registry(pool, [definition], source="t", actor="t", now=AT)
    number = await pool.fetchval("SELECT number FROM positions.account WHERE account_id = 'OWN'")
    await noted(pool, missing("ledger:P-1", account=number, amount="-1"), evidence="run 1")
    (only,) = await every(pool)
    assert only.life.due_at == datetime(2026, 11, 23, 8, 0, tzinfo=UTC), "Monday"
