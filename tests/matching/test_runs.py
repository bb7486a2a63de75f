"""Runs over a real book: what is stored, what the next run costs, and what the day says."""

from decimal import Decimal

from books import Books
from notation import MONDAY, bank, ledger

from recon_streams.discrepancies.finding import Kind


async def test_a_payment_known_to_both_sides_is_matched_and_nothing_stays_open(
    books: Books,
) -> None:
    await books.write([bank(1, "100", e2e="A")], [ledger(2, "100", ref="A")])
    (day,) = await books.run()
    assert [(t.rule, t.matches, t.bank_amount) for t in day.matched] == [
        ("end_to_end", 1, Decimal(100))
    ]
    assert not day.open_bank
    assert not day.open_ledger


async def test_the_same_run_again_changes_nothing(books: Books) -> None:
    await books.write(
        [bank(1, "100", e2e="A"), bank(3, "5", e2e="B"), bank(5, "7")],
        [ledger(2, "100", ref="A"), ledger(4, "6", ref="B"), ledger(6, "7")],
    )
    first = await books.run(name="one")
    before = await books.content()
    assert await books.run(name="one") == first
    assert await books.content() == before


async def test_what_stays_open_meets_its_partner_in_a_later_run(books: Books) -> None:
    await books.write([bank(1, "100", e2e="A")])
    (day,) = await books.run(day=0)
    assert [f.cause.kind for f in day.findings] == [Kind.MISSING_TXN]
    await books.write([], [ledger(2, "100", day=1, ref="A")])
    (day,) = await books.run(day=1)
    assert [c.cause.kind for c in day.cleared] == [Kind.MISSING_TXN]
    assert day.cleared[0].proof == {"matched by": "end_to_end"}
    (again,) = await books.run(day=0, name="Monday again")
    assert [(each.amount, each.on) for each in again.later] == [(Decimal(100), MONDAY)]
