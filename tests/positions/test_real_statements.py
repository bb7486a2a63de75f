"""Files of real banks: what they say about each other is found by the program itself."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from statement_office import Office

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions.invariants import InvariantChecks
from recon_streams.positions.registry_store import apply_registry
from recon_streams.registry.definition import AccountDefinition, AccountStatements, BankAccount

pytestmark = pytest.mark.postgres
CAMT = Path(__file__).parents[1] / "data" / "camt"
RELATIONS: list[dict[str, Any]] = json.loads((CAMT / "expected.json").read_text())["relations"]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def office(database: str) -> AsyncIterator[Office]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    yield Office(pool)
    assert (await InvariantChecks(pool).violations())["bank_figures_follow_their_statements"] == 0
    await pool.close()


async def register(office: Office, *accounts: tuple[str, str], **statements: Any) -> None:
    definitions = [
        AccountDefinition(
            account_id=name,
            currency=currency,
            scale=2,
            bank_accounts=(BankAccount(identification=name, scheme="IBAN"),),
            statements=AccountStatements(**statements),
            time_zone="Europe/Vilnius",
        )
        for name, currency in accounts
    ]
    await apply_registry(office.pool, definitions, source="t", actor="t", now=NOW)


async def take(office: Office, sample: str) -> Outcome:
    payload = (CAMT / "public" / sample).read_bytes()
    kind = next(kind for kind in ("052", "053", "054") if f"camt.{kind}.001".encode() in payload)
    (outcome,) = await office.take(kind, [payload])
    return outcome


async def found(office: Office) -> list[tuple[Any, ...]]:
    rows = await office.pool.fetch(
        "SELECT kind, subject, amount FROM discrepancies.discrepancy WHERE state <> 'RESOLVED' "
        "ORDER BY kind, subject"
    )
    return [tuple(row) for row in rows]


async def test_a_notification_that_stops_at_500_transactions_is_found_by_its_report(
    office: Office,
) -> None:
    await register(office, ("LT809872649478701594", "EUR"))
    pairs = [each for each in RELATIONS if each["kind"].startswith("intraday report against")]
    for pair in pairs:
        for sample in (pair["report"], pair["notification"]):
            assert (await take(office, sample)).disposition is Disposition.OBSERVATION
    assert len(pairs) == 21
    ((kind, subject, amount),) = await found(office)
    assert (kind, subject, f"{amount}") == ("SOURCE_DISAGREEMENT", "total 2024-10-05", "-759")


async def test_the_daily_statements_of_two_accounts_are_two_chains(office: Office) -> None:
    accounts = [("LT625883379695428516", "EUR"), ("LT414319056143772570", "EUR")]
    await register(office, *accounts, unsigned_balances="credit")
    chain = [each for each in RELATIONS if each["kind"].startswith("daily chain")]
    samples = sorted({sample for each in chain for sample in each["files"]})
    for sample in reversed(samples):
        await take(office, sample)
    assert [row for row in await found(office) if row[0] == "CONTINUITY_BROKEN"] == []
    closings = {
        (row["account_id"], f"{row['closing']}")
        for row in await office.pool.fetch(
            "SELECT account_id, closing FROM positions.statement "
            "JOIN positions.account USING (number) WHERE status = 'ACCEPTED'"
        )
    }
    assert {(each["account"], each["closing"]) for each in chain} <= closings


async def test_without_a_direction_nothing_is_guessed(office: Office) -> None:
    await register(office, ("LT625883379695428516", "EUR"), ("LT414319056143772570", "EUR"))
    await take(office, "Subite-eu__camt-to-coda/LT625883379695428516/CAMT_053/2024-03-07.xml")
    assert {row[0] for row in await found(office)} == {"STATEMENT_INCOMPLETE"}
    anchors = await office.pool.fetch("SELECT bank FROM positions.account_state")
    assert {row["bank"] for row in anchors} == {None}


async def test_one_debit_in_a_report_and_a_notification_of_other_days_is_one_movement(
    office: Office,
) -> None:
    (movement,) = (each for each in RELATIONS if each["kind"].startswith("one movement in two"))
    await register(office, ("CH2909000000250094239", "CHF"))
    outcomes = [await take(office, sample) for sample in movement["files"]]
    assert [outcome.disposition.value for outcome in outcomes] == ["APPLIED", "DUPLICATE"]
    same = await office.pool.fetchval(
        "SELECT count(*) FROM positions.bank_entry WHERE abs(amount) = $1::text::numeric",
        movement["amount"],
    )
    assert same == 1


async def test_a_closing_that_waits_for_a_value_date_is_told_with_its_difference(
    office: Office,
) -> None:
    (twice,) = (each for each in RELATIONS if each["kind"].startswith("two different entries"))
    await register(office, ("CH2909000000250094239", "CHF"))
    outcome = await take(office, twice["files"][0])
    assert outcome.held[0].code is RefusalCode.STATEMENT_UNBALANCED
    ((kind, subject, amount),) = await found(office)
    assert (kind, subject, f"{amount}") == ("STATEMENT_UNBALANCED", "2020-11-24", "-1537")
    facts = await office.pool.fetchval("SELECT facts FROM discrepancies.discrepancy")
    assert "VALUED_LATER_LEFT_OUT" in facts
