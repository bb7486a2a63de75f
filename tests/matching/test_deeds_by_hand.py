"""What people do: who and why is remembered, and it can be undone without a trace in figures."""

from datetime import UTC, date, datetime
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
        "name": "SAFE EUR",
        "actor": "ana",
        "reason": "the customer said so",
        "zone": "Europe/Paris",
        "on": MONDAY,
        "at": datetime(2026, 3, 2, 12, tzinfo=UTC),
        "is_closed": never_closed,
    }
    return Deed(**(said | words))


async def test_many_to_many_is_matched_by_hand_with_its_difference(books: Books) -> None:
    await books.write([bank(1, "10"), bank(3, "21")], [ledger(2, "15"), ledger(4, "15")])
    await books.run()
    async with UnitOfWork(books.pool) as unit:
        items = [ItemKey(1), ItemKey(3)], ["mv-2", "mv-4"]
        match_id = await match_by_hand(unit, deed(), *items, accept_difference=Decimal(1))
    found = await read_match(books.pool, match_id)
    assert found is not None
    assert (found.rule, found.difference, len(found.bank), len(found.ledger)) == ("hand", "1", 2, 2)
    assert [(a.kind, a.actor, a.reason) for a in found.actions] == [
        ("MATCH", "ana", "the customer said so")
    ]
    (day,) = await books.run(name="after")
    assert not day.open_bank
    assert not day.differences
    (left,) = day.by_hand
    assert (left.amount, left.actor, left.reason) == (Decimal(1), "ana", "the customer said so")
    assert left.items == ("bank:1.0 10", "bank:3.0 21", "ledger:mv-2 15", "ledger:mv-4 15")


async def by_hand(
    books: Books, bank_number: int, *movements: str, accept: str | None = None, **words: Any
) -> int:
    accepted = None if accept is None else Decimal(accept)
    async with UnitOfWork(books.pool) as unit:
        keys = [ItemKey(bank_number)]
        return await match_by_hand(unit, deed(**words), keys, movements, accept_difference=accepted)


async def test_a_difference_is_accepted_to_the_last_unit_or_there_is_no_match(
    books: Books,
) -> None:
    await books.write([bank(1, "-50000")], [ledger(2, "-0.01"), ledger(4, "49999.99")])
    await books.run()
    with pytest.raises(HandRefused, match=r"-50000 less the ledger's -0.01 is -49999.99; if that"):
        await by_hand(books, 1, "mv-2")
    with pytest.raises(HandRefused, match=r"is -49999.99, and not 49999.99"):
        await by_hand(books, 1, "mv-2", accept="49999.99")
    with pytest.raises(HandRefused, match=r"not go in one direction: -50000 at the bank, 49999.99"):
        await by_hand(books, 1, "mv-4", accept="-99999.99")
    assert not await books.pool.fetchval("SELECT count(*) FROM matching.match")
    await by_hand(books, 1, "mv-2", accept="-49999.99")


async def test_a_match_by_hand_of_two_amounts_is_a_discrepancy_until_it_is_taken_apart(
    books: Books,
) -> None:
    await books.write([bank(1, "-50000", e2e="A")], [ledger(2, "-0.01")])
    await books.note(*await books.run(day=1))
    assert set((await books.discrepancies()).values()) == {"OPEN"}
    match_id = await by_hand(books, 1, "mv-2", accept="-49999.99")
    of_match = "AMOUNT_MISMATCH", f"match {match_id} by hand"
    assert await books.discrepancies() == {
        ("MISSING_TXN", "bank:1.0"): "RESOLVED",
        ("MISSING_TXN", "ledger:mv-2"): "RESOLVED",
        of_match: "OPEN",
    }
    row = await books.pool.fetchrow(
        "SELECT amount, severity, facts FROM discrepancies.discrepancy WHERE subject = $1",
        of_match[1],
    )
    assert row is not None
    assert (row["amount"], row["severity"]) == (Decimal("-49999.99"), "error")
    assert "ana" not in row["facts"], "others read it"
    await books.note(*await books.run(day=1, name="after"))
    assert (await books.discrepancies())[of_match] == "OPEN", "a run says nothing of it"
    async with UnitOfWork(books.pool) as unit:
        await unmatch(unit, deed(reason="it was not", at=datetime.now(UTC)), match_id)
    await books.note(*await books.run(day=1, name="apart"))
    assert await books.discrepancies() == {
        ("MISSING_TXN", "bank:1.0"): "OPEN",
        ("MISSING_TXN", "ledger:mv-2"): "OPEN",
        of_match: "RESOLVED",
    }


async def test_a_suggestion_that_is_confirmed_ends_what_was_asked(books: Books) -> None:
    await books.write([bank(1, "10")], [ledger(2, "10")])
    await books.note(*await books.run())
    (asked,) = await list_suggestions(books.pool)
    async with UnitOfWork(books.pool) as unit:
        await confirm(unit, deed(), asked.suggestion)
    assert await books.discrepancies() == {
        ("AMBIGUOUS_MATCH", "bank:1.0"): "RESOLVED",
        ("AMBIGUOUS_MATCH", "ledger:mv-2"): "RESOLVED",
    }


@pytest.mark.parametrize(
    ("days", "amounts", "left", "later"),
    [
        ((0, 1), ("-50000", "-0.01"), ["-49999.99"], ["-0.01"]),
        ((0, 1), ("-50000", "-49999"), ["-1"], ["-49999"]),
        ((1, 0), ("-50000", "-0.01"), [], ["0.01"]),
        ((1, 0), ("100", "90"), [], ["-90"]),
        ((0, 1), ("90", "100"), [], ["90"]),
        ((0, 0), ("90", "100"), ["-10"], []),
    ],
)
async def test_what_a_later_leg_makes_good_is_time_and_the_rest_a_difference(
    books: Books,
    days: tuple[int, int],
    amounts: tuple[str, str],
    left: list[str],
    later: list[str],
) -> None:
    await books.write([bank(1, amounts[0], day=days[0])], [ledger(2, amounts[1], day=days[1])])
    await books.run(day=2)
    difference = Decimal(amounts[0]) - Decimal(amounts[1])
    await by_hand(books, 1, "mv-2", accept=str(difference))
    (day,) = await books.run(day=0, name="Monday again")
    assert [d.amount for d in day.by_hand] == [Decimal(amount) for amount in left]
    assert [d.amount for d in day.later] == [Decimal(amount) for amount in later]
    (day,) = await books.run(day=2, name="Wednesday again")
    assert [d.amount for d in day.by_hand] == [difference]
    assert not day.later


async def test_unmatch_after_match_is_identity(books: Books) -> None:
    await books.write([bank(1, "10"), bank(3, "21")], [ledger(2, "15"), ledger(4, "15")])
    await books.run()
    before = {(o.name, o.amount, o.on) for o in await list_open(books.pool)}
    async with UnitOfWork(books.pool) as unit:
        items = [ItemKey(1)], ["mv-2", "mv-4"]
        match_id = await match_by_hand(unit, deed(), *items, accept_difference=Decimal(-20))
    async with UnitOfWork(books.pool) as unit:
        await unmatch(unit, deed(reason="it was not"), match_id)
    assert {(o.name, o.amount, o.on) for o in await list_open(books.pool)} == before
    (day,) = await books.run(name="after")
    assert day.open_bank_total.amount - day.open_ledger_total.amount == Decimal(1)
    assert not day.by_hand
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
    with pytest.raises(HandRefused, match="SAFE EUR has no suggestion"):
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
