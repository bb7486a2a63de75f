"""No lease over accounts whose own instant has come, and of whom nobody has judged that yet."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from recon_streams.book.streams import book_time
from recon_streams.positions.due import take_due
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.publisher import lease
from recon_streams.publisher.lease import LeaseRefusal, LeaseTerms
from recon_streams.registry.definition import AccountDefinition, BankAccount
from topics.breaker import LEASE_MS_MAX

pytestmark = pytest.mark.postgres

Book = Any  # of the conftest


async def test_a_lease_counts_from_the_oldest_instant_that_is_due_and_undone(
    book: Book, epoch: int
) -> None:
    await book.decide_through()
    await wake(book, 4)
    answer = await book.ask(epoch=epoch)
    assert answer.refused is None, "who is busy with what falls due is not refused"
    assert LEASE_MS_MAX - 6_000 < answer.ttl_ms <= LEASE_MS_MAX - 4_000
    await wake(book, 11)
    assert (await book.ask(epoch=epoch)).refused is LeaseRefusal.DUE_BEHIND
    assert await book.pool.fetchval("SELECT lease_seq FROM book.publisher") == 1


async def test_what_falls_due_only_behind_the_watermark_is_not_undone(
    book: Book, epoch: int
) -> None:
    # Nothing is overdue while the record that settles it may still wait to be read.
    await book.decide_through(seconds_ago=6)
    await wake(book, 5)
    answer = await book.ask(epoch=epoch)
    assert answer.refused is None
    assert answer.ttl_ms > LEASE_MS_MAX - 8_000, "it is as old as the watermark, and no older"


async def test_leases_return_once_what_was_due_is_done(book: Book, epoch: int) -> None:
    await book.decide_through()
    await wake(book, 3600)
    assert (await book.ask(epoch=epoch)).refused is LeaseRefusal.DUE_BEHIND
    now = await book_time(book.pool)
    assert await take_due(book.pool, DirectoryCache(), now=now) == 1
    assert (await book.ask(epoch=epoch)).refused is None


async def test_two_thousand_accounts_that_fall_silent_at_once_take_no_permission_away(
    book: Book, epoch: int
) -> None:
    await wake(book, 1, accounts=2_000)
    await book.decide_through()
    worst_ms, taken = LEASE_MS_MAX, 1
    while taken:
        answer = await book.ask(epoch=epoch)
        assert answer.refused in {None, LeaseRefusal.DENIALS_WAITING}
        if answer.refused is None:
            worst_ms = min(worst_ms, answer.ttl_ms)
        taken = await take_due(book.pool, DirectoryCache(), now=await book_time(book.pool))
        await book.decide_through()
        await book.relay()
    assert worst_ms >= LeaseTerms(renew_seconds=3).ttl_ms_min


async def test_what_is_due_is_asked_for_by_one_look_into_an_index(book: Book) -> None:
    await wake(book, 3600, accounts=2_000)
    await book.owner.execute("ANALYZE positions.account_state")
    plan = await book.owner.fetchval(f"EXPLAIN (FORMAT JSON) {lease.OLDEST_DUE}")
    nodes = list(_nodes(json.loads(plan)[0]["Plan"]))
    assert {each.get("Index Name") for each in nodes} - {None} == {"account_state_wake"}
    assert not [each for each in nodes if each["Node Type"] == "Seq Scan"]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


async def wake(book: Book, seconds_ago: float, *, accounts: int = 1) -> None:
    """Have the instant of `accounts` come so long ago, by the database's clock."""
    definitions = [
        AccountDefinition(
            account_id=f"A{number}",
            currency="AED",
            scale=2,
            bank_accounts=(BankAccount(identification=f"B-{number}"),),
        )
        for number in range(accounts)
    ]
    began_at = await book_time(book.pool) - timedelta(days=1)
    await apply_registry(book.owner, definitions, source="t", actor="t", now=began_at)
    await book.owner.execute(
        "UPDATE positions.account_state "
        "SET wake_at = clock_timestamp() - make_interval(secs => $1)",
        seconds_ago,
    )
    await book.relay()
