"""What people do to breakers, on a real book: stop anything, let go by two, force for a while."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest
from desk_books import ACCOUNT, CORRIDOR, OTHER, REASON, Book, definition

from agents.expiring import end_overdue
from recon_streams.approvals.machine import RequestState
from recon_streams.approvals.store import find
from recon_streams.approvals.subject import ApprovalKind, NotAskable
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker_desk.trip import TripOrder, UnknownScope
from recon_streams.positions.due import take_due
from recon_streams.positions.event import Elapsed
from recon_streams.registry.definition import AccountSilence
from recon_streams.scopes.by_hand import end_overrides

pytestmark = pytest.mark.postgres
OVERRIDE = ApprovalKind.BREAKER_OVERRIDE


@pytest.mark.parametrize("scope", [ACCOUNT, CORRIDOR, "all", "drill:1"])
async def test_a_trip_works_for_every_scope_and_tells_everybody(book: Book, scope: str) -> None:
    await book.trip(scope)
    assert await book.stands(scope) == "OPEN by MANUAL_TRIP, epoch 2"
    record = await book.published(scope)
    assert (record["state"], record["epoch"], record["seq"]) == ("OPEN", 2, 2)
    event = msgspec.json.decode(
        await book.pool.fetchval(
            "SELECT payload FROM book.outbox WHERE topic = 'recon.breaker.events' AND key = $1 "
            "ORDER BY outbox_id DESC LIMIT 1",
            scope.encode(),
        )
    )
    assert "case 4711" in str(event["evidence"])
    assert event["evidence_hash"] == record["evidence_hash"]
    row = await book.pool.fetchrow(
        "SELECT actor, words FROM breaker.transition WHERE scope = $1 AND epoch = 2", scope
    )
    assert row is not None
    assert tuple(row) == ("fraud-desk", "case 4711")
    # No payout hangs on a drill, so nobody is called.
    assert any(scope in alert for alert in await book.alerts()) == (scope != "drill:1")


async def test_an_account_says_what_stands_above_it(book: Book) -> None:
    assert (await book.published(ACCOUNT))["parent_scopes"] == ["all", CORRIDOR]
    assert (await book.published(OTHER))["parent_scopes"] == ["all"]
    assert (await book.published(CORRIDOR))["parent_scopes"] == ["all"]
    assert "parent_scopes" not in await book.published("all")


async def test_what_nobody_knows_cannot_be_stopped(book: Book) -> None:
    for scope in ("account:AE-9:AED", "corridor:NOWHERE"):
        with pytest.raises(UnknownScope, match=scope):
            await book.trip(scope)
    with pytest.raises(UnknownScope, match="names no scope"):
        await book.trip("everything")


async def test_several_orders_of_one_batch_are_one_transition_each(book: Book) -> None:
    scopes = ["all", OTHER, ACCOUNT, CORRIDOR, ACCOUNT]
    orders = [
        TripOrder(scope=scope, reason=f"case {n}", actor="fraud-desk", at=datetime.now(UTC))
        for n, scope in enumerate(scopes)
    ]
    async with UnitOfWork(book.pool) as unit:
        done = await book.desk.trip_all(unit, orders)
    assert [each.epoch for each in done] == [2, 2, 2, 2, 3]
    assert await book.stands(ACCOUNT) == "OPEN by MANUAL_TRIP, epoch 3"


async def test_orders_that_cross_wait_for_each_other_and_not_for_ever(book: Book) -> None:
    async def stop(scopes: list[str]) -> None:
        async with UnitOfWork(book.pool) as unit:
            at = datetime.now(UTC)
            orders = [TripOrder(scope=s, reason="r", actor="a", at=at) for s in scopes]
            await book.desk.trip_all(unit, orders)

    scopes = [ACCOUNT, OTHER, "all", CORRIDOR]
    await asyncio.gather(*(stop(scopes if n % 2 else scopes[::-1]) for n in range(8)))
    for scope in scopes:
        assert await book.stands(scope) == "OPEN by MANUAL_TRIP, epoch 9"


async def test_a_trip_that_is_rolled_back_never_was(book: Book) -> None:
    async def stop_and_fail() -> None:
        async with UnitOfWork(book.pool) as unit:
            at = datetime.now(UTC)
            await book.desk.trip(unit, "all", reason="r", actor="a", at=at)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await stop_and_fail()
    assert await book.stands("all") == "CLOSED by INSTALLED, epoch 1"


async def test_two_people_let_go_an_account_that_is_sound(book: Book) -> None:
    await book.trip(ACCOUNT)
    await book.hear_the_bank()
    request = await book.ask(ACCOUNT)
    assert (await book.approve(request)).request.state is RequestState.APPROVED
    assert await book.stands(ACCOUNT) == "CLOSED by RESET, epoch 3"
    row = await book.pool.fetchrow(
        "SELECT approval_id, maker, checker, words FROM breaker.transition "
        "WHERE scope = $1 AND epoch = 3",
        ACCOUNT,
    )
    assert row is not None
    assert tuple(row) == (request.request_id, "amal", "bashir", REASON)
    await book.issue("0.01")
    assert await book.stands(ACCOUNT) == "OPEN by SHORTAGE, epoch 4"


async def test_what_both_are_shown_is_what_the_decision_rests_on(book: Book) -> None:
    await book.issue("0.01")
    facts = msgspec.json.decode((await book.ask(ACCOUNT)).facts)
    assert (facts["scope"], facts["state"], facts["epoch"]) == (ACCOUNT, "OPEN", 2)
    assert (facts["reason"], facts["stopped_by"]) == ("SHORTAGE", "recon-streams")
    assert facts["evidence_hash"] == (await book.published(ACCOUNT))["evidence_hash"]
    assert facts["evidence"] == {
        "tier": "CRITICAL",
        "raw_tier": "CRITICAL",
        "rule": "SHORTAGE",
        "unexplained": "-0.01",
        "rules_version": 1,
        "bank_fresh": True,
        "ledger_fresh": True,
    }


async def test_what_moves_with_every_payment_does_not_void_a_request(book: Book) -> None:
    await book.trip(ACCOUNT)
    request = await book.ask(ACCOUNT)
    await book.hear_the_bank()
    assert (await book.approve(request)).request.state is RequestState.APPROVED


async def test_nothing_heard_since_the_trip_speaks_against_a_release(book: Book) -> None:
    await book.trip(ACCOUNT)
    outcome = await book.approve(await book.ask(ACCOUNT))
    assert outcome.words == ("nothing was heard of bank or ledger since it was stopped",)
    assert await book.stands(ACCOUNT) == "OPEN by MANUAL_TRIP, epoch 2"


async def test_what_is_critical_still_is_not_let_go(book: Book) -> None:
    await book.issue("0.01")
    await book.hear_the_bank()
    outcome = await book.approve(await book.ask(ACCOUNT))
    assert outcome.words == ("it is CRITICAL by SHORTAGE still",)
    assert await book.stands(ACCOUNT) == "OPEN by SHORTAGE, epoch 2"


async def test_stale_evidence_lets_nothing_go(book: Book) -> None:
    silence = AccountSilence(bank_seconds_max=1)
    await book.register(msgspec.structs.replace(definition("AE-3"), silence=silence))
    await book.trip("account:AE-3:AED")
    await book.hear_the_bank("account:AE-3:AED")
    await asyncio.sleep(1.1)
    outcome = await book.approve(await book.ask("account:AE-3:AED"))
    assert outcome.words[0] == "the newest evidence is stale: BANK_SILENT"


async def test_inputs_that_wait_let_nothing_go(book: Book) -> None:
    await book.trip(ACCOUNT)
    await book.hear_the_bank()
    await book.pool.execute("UPDATE book.stream SET proven_at = proven_at - interval '1 hour'")
    outcome = await book.approve(await book.ask(ACCOUNT))
    assert "inputs wait" in outcome.words[0]


async def test_a_new_trip_voids_what_was_asked_for(book: Book) -> None:
    await book.trip(ACCOUNT)
    await book.hear_the_bank()
    request = await book.ask(ACCOUNT)
    await book.trip(ACCOUNT, "case 4712")
    await book.hear_the_bank()
    assert (await book.approve(request)).request.state is RequestState.VOIDED
    assert await book.stands(ACCOUNT) == "OPEN by MANUAL_TRIP, epoch 3"


async def test_another_verdict_voids_what_was_asked_for(book: Book) -> None:
    await book.trip(ACCOUNT)
    await book.hear_the_bank()
    request = await book.ask(ACCOUNT)
    await book.issue("0.01")
    assert (await book.approve(request)).request.state is RequestState.VOIDED


@pytest.mark.parametrize("scope", [CORRIDOR, "all"])
async def test_two_people_let_go_what_stands_above_accounts(book: Book, scope: str) -> None:
    await book.trip(scope)
    request = await book.ask(scope)
    assert b"case 4711" in request.facts
    await book.approve(request)
    assert await book.stands(scope) == "CLOSED by RESET, epoch 3"
    assert (await book.alerts())[-1].startswith("resolve")


async def test_there_is_nothing_to_ask_for_where_nothing_is_stopped(book: Book) -> None:
    for scope in ("all", "drill:9", "account:AE-9:AED", "nonsense"):
        with pytest.raises(NotAskable):
            await book.ask(scope)
    for minutes in ("0", "31", "030", "", "-5", "\u0665"):
        with pytest.raises(NotAskable, match="1 to 30 minutes"):
            await book.ask(ACCOUNT, OVERRIDE, minutes=minutes)


async def test_a_drill_is_ended_by_one(book: Book) -> None:
    await book.trip("drill:1")
    with pytest.raises(NotAskable, match="stand-down"):
        await book.ask("drill:1")
    async with UnitOfWork(book.pool) as unit:
        at = datetime.now(UTC)
        await book.desk.stand_down(unit, "drill:1", reason="done", actor="amal", at=at)
        with pytest.raises(UnknownScope):
            await book.desk.stand_down(unit, "all", reason="done", actor="amal", at=at)
    assert await book.stands("drill:1") == "CLOSED by EXERCISE_OVER, epoch 3"


async def test_an_account_is_forced_for_a_while_and_ends_by_itself(book: Book) -> None:
    await book.issue("0.01")
    await book.approve(await book.ask(ACCOUNT, OVERRIDE, minutes="10"))
    assert await book.stands(ACCOUNT) == "CLOSED by OVERRIDE, epoch 3"
    with pytest.raises(NotAskable, match="forced until"):
        await book.ask(ACCOUNT, OVERRIDE, minutes="10")
    until = await book.pool.fetchval(
        "SELECT override_until FROM breaker.scope WHERE scope = $1", ACCOUNT
    )
    wake_at = await book.pool.fetchval("SELECT min(wake_at) FROM positions.account_state")
    assert wake_at == until
    await book.take(ACCOUNT, Elapsed(at=until))
    assert await book.stands(ACCOUNT) == "OPEN by OVERRIDE_ENDED, epoch 4"
    assert any("override:" in alert for alert in await book.alerts())


async def test_everything_is_forced_for_a_while_and_ends_by_itself(book: Book) -> None:
    await book.trip("all")
    await book.approve(await book.ask("all", OVERRIDE, minutes="5"))
    assert await book.stands("all") == "CLOSED by OVERRIDE, epoch 3"
    now = datetime.now(UTC)
    assert await end_overrides(book.pool, now=now + timedelta(minutes=4)) == 0
    assert await end_overrides(book.pool, now=now + timedelta(minutes=6)) == 1
    assert await end_overrides(book.pool, now=now + timedelta(minutes=6)) == 0
    assert await book.stands("all") == "OPEN by OVERRIDE_ENDED, epoch 4"
    assert (await book.published("all"))["state"] == "OPEN"


async def test_a_trip_ends_what_was_forced(book: Book) -> None:
    await book.trip("all")
    await book.approve(await book.ask("all", OVERRIDE, minutes="5"))
    await book.trip("all", "case 4712")
    assert await book.stands("all") == "OPEN by MANUAL_TRIP, epoch 4"
    later = datetime.now(UTC) + timedelta(hours=1)
    assert await end_overrides(book.pool, now=later) == 0


async def test_an_override_is_not_taken_back_by_time_that_was_not_decided_yet(book: Book) -> None:
    await book.issue("0.01")
    await book.approve(await book.ask(ACCOUNT, OVERRIDE, minutes="1"))
    later = datetime.now(UTC) + timedelta(minutes=2)
    # No lease is given either while nothing is decided.
    await take_due(book.pool, book.directories, now=later)
    assert await book.stands(ACCOUNT) == "CLOSED by OVERRIDE, epoch 3"
    await book.pool.execute("UPDATE book.stream SET through_at = through_at + interval '3 minutes'")
    await take_due(book.pool, book.directories, now=later)
    assert await book.stands(ACCOUNT) == "OPEN by OVERRIDE_ENDED, epoch 4"


async def test_one_hand_alone_does_not_pass_the_book(book: Book) -> None:
    await book.trip("all")
    with pytest.raises(asyncpg.CheckViolationError):
        await book.pool.execute(
            "INSERT INTO breaker.transition (scope, epoch, seq, from_state, to_state, reason, "
            "evidence, evidence_hash, decided_at, parents, actor, words, approval_id, maker, "
            "checker) VALUES ('all', 3, 3, 'OPEN', 'CLOSED', 'RESET', '', '', now(), '{}', 'x', "
            "'because', 1, 'amal', 'bashir')"
        )


async def test_a_trip_ends_what_waits_for_a_second_person_soon(book: Book) -> None:
    await book.trip("all")
    request = await book.ask("all")
    assert await end_overdue(book.pool) == 0
    await book.trip("all")
    assert await end_overdue(book.pool) == 1
    found = await find(book.pool, request.request_id)
    assert found is not None
    assert (found.state, found.ended_words) == (
        RequestState.VOIDED,
        "the scope has changed since it was asked; ask again",
    )


async def test_other_corridors_keep_what_stopped_it_and_end_what_was_forced(book: Book) -> None:
    await book.trip(ACCOUNT)
    await book.register(definition("AE-1", "AE-PK"))
    assert await book.stands(ACCOUNT) == "OPEN by MANUAL_TRIP, epoch 3"
    assert (await book.published(ACCOUNT))["parent_scopes"] == ["all", "corridor:AE-PK"]
    await book.hear_the_bank()
    request = await book.ask(ACCOUNT)
    assert b"case 4711" in request.facts
    await book.approve(request)
    assert await book.stands(ACCOUNT) == "CLOSED by RESET, epoch 4"
    await book.register(definition("AE-1"))
    assert await book.stands(ACCOUNT) == "CLOSED by PARENTS_CHANGED, epoch 5"
    await book.issue("0.01")
    await book.approve(await book.ask(ACCOUNT, OVERRIDE, minutes="5"))
    assert await book.stands(ACCOUNT) == "CLOSED by OVERRIDE, epoch 7"
    await book.register(definition("AE-1", "AE-IN"))
    assert await book.stands(ACCOUNT) == "OPEN by OVERRIDE_ENDED, epoch 8"
