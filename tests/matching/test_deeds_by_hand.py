"""What people do: who and why is remembered, and it can be undone without a trace in figures."""

from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from matching_books import Books
from matching_notation import MONDAY, bank, ledger

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.matching.hand import (
    Deed,
    HandRefused,
    confirm,
    match_by_hand,
    never_closed,
    unmatch,
)
from recon_streams.matching.items import ItemKey
from recon_streams.matching.reading import list_matches, list_open, list_suggestions, read_match


def deed(**words: Any) -> Deed:
    said: dict[str, Any] = {
        "account": 1,
        "actor": "ana",
        "reason": "the customer said so",
        "zone": "Europe/Paris",
        "on": MONDAY,
        "is_closed": never_closed,
    }
    return Deed(**(said | words))


async def test_many_to_many_is_matched_by_hand_with_its_difference(books: Books) -> None:
    await books.write([bank(1, "10"), bank(3, "21")], [ledger(2, "15"), ledger(4, "15")])
    await books.run()
    async with UnitOfWork(books.pool) as unit:
        match_id = await match_by_hand(unit, deed(), [ItemKey(1), ItemKey(3)], ["mv-2", "mv-4"])
    found = await read_match(books.pool, match_id)
    assert found is not None
    assert (found.rule, found.difference, len(found.bank), len(found.ledger)) == ("hand", "1", 2, 2)
    assert [(a.kind, a.actor, a.reason) for a in found.actions] == [
        ("MATCH", "ana", "the customer said so")
    ]
    (day,) = await books.run(name="after")
    assert not day.open_bank
    assert [d.amount for d in day.differences] == [Decimal(1)]


async def test_unmatch_after_match_is_identity(books: Books) -> None:
    await books.write([bank(1, "10"), bank(3, "21")], [ledger(2, "15"), ledger(4, "15")])
    await books.run()
    before = {(o.name, o.amount, o.on) for o in await list_open(books.pool)}
    async with UnitOfWork(books.pool) as unit:
        match_id = await match_by_hand(unit, deed(), [ItemKey(1)], ["mv-2", "mv-4"])
    async with UnitOfWork(books.pool) as unit:
        await unmatch(unit, deed(reason="it was not"), match_id)
    assert {(o.name, o.amount, o.on) for o in await list_open(books.pool)} == before
    (day,) = await books.run(name="after")
    assert day.open_bank_total.amount - day.open_ledger_total.amount == Decimal(1)
    assert not day.differences
    assert not await list_matches(books.pool)
    (kept,) = await list_matches(books.pool, released=True)
    assert not kept.holds


async def test_what_was_taken_apart_stays_apart_in_the_next_run(books: Books) -> None:
    await books.write([bank(1, "10", e2e="A")], [ledger(2, "10", ref="A")])
    await books.run()
    (found,) = await list_matches(books.pool)
    async with UnitOfWork(books.pool) as unit:
        await unmatch(unit, deed(), found.match_id)
    (day,) = await books.run(name="again")
    assert [item.why.value for item in day.open_bank] == ["APART"]
    async with UnitOfWork(books.pool) as unit:
        await match_by_hand(unit, deed(), [ItemKey(1)], ["mv-2"])
    assert len(await list_matches(books.pool)) == 1


async def test_a_suggestion_is_a_match_once_somebody_says_yes(books: Books) -> None:
    await books.write([bank(1, "10")], [ledger(2, "10")])
    await books.run()
    (asked,) = await list_suggestions(books.pool)
    async with UnitOfWork(books.pool) as unit:
        await confirm(unit, deed(), asked.suggestion)
    (found,) = await list_matches(books.pool)
    assert (found.rule, found.holds) == ("composite", True)
    assert not await list_suggestions(books.pool)
    with pytest.raises(HandRefused, match="no suggestion"):
        async with UnitOfWork(books.pool) as unit:
            await confirm(unit, deed(), asked.suggestion)


async def test_a_claimed_item_is_refused_and_so_is_an_unknown_one(books: Books) -> None:
    await books.write([bank(1, "10", e2e="A"), bank(3, "10")], [ledger(2, "10", ref="A")])
    await books.run()
    with pytest.raises(HandRefused, match="matched already"):
        async with UnitOfWork(books.pool) as unit:
            await match_by_hand(unit, deed(), [ItemKey(3)], ["mv-2"])
    with pytest.raises(HandRefused, match="no such items: ledger:mv-9"):
        async with UnitOfWork(books.pool) as unit:
            await match_by_hand(unit, deed(), [ItemKey(3)], ["mv-9"])
    with pytest.raises(HandRefused, match="why"):
        async with UnitOfWork(books.pool) as unit:
            await match_by_hand(unit, deed(reason=" "), [ItemKey(3)], ["mv-2"])


async def test_a_closed_period_refuses(books: Books) -> None:
    await books.write([bank(1, "10", e2e="A")], [ledger(2, "10", ref="A")])
    await books.run()
    (found,) = await list_matches(books.pool)

    async def closed(_connection: Any, _account: int, on: date) -> bool:
        return on == MONDAY

    with pytest.raises(HandRefused, match="closed"):
        async with UnitOfWork(books.pool) as unit:
            await unmatch(unit, deed(is_closed=closed), found.match_id)


async def test_the_book_itself_refuses_a_second_claim(books: Books) -> None:
    await books.write([bank(1, "10", e2e="A")], [ledger(2, "10", ref="A")])
    await books.run()
    with pytest.raises(asyncpg.UniqueViolationError):
        await books.pool.execute(
            "INSERT INTO matching.match (number, match_id, line, rule, score, ledger_sequence, "
            "ledger_amount, ledger_on, last_on) VALUES (1, 99, 0, 'x', 1, 2, 10, $1, $1)",
            MONDAY,
        )
