"""Runs over a real book: what is stored, what the next run costs, and what the day says."""

from datetime import timedelta
from decimal import Decimal

import msgspec
from matching_books import Books
from matching_notation import MONDAY, bank, ledger

from recon_streams.discrepancies.finding import Kind
from recon_streams.matching.rules import Tolerance


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


async def test_a_statement_that_gives_another_day_moves_what_is_matched(books: Books) -> None:
    await books.write([bank(1, "100", e2e="A")], [ledger(2, "100", ref="A")])
    await books.run(day=0)
    await books.pool.execute(
        "INSERT INTO positions.entry_confirmation (number, sequence, part, arrived_on, message, "
        "booked_on, stated, origin, path) VALUES (1, 1, 0, $1, 'camt.053', $1, true, 's', 'e')",
        MONDAY + timedelta(1),
    )
    await books.run(day=1)
    (day,) = await books.run(day=0, name="Monday again")
    assert [each.amount for each in day.later] == [Decimal(-100)]


async def test_a_ledger_movement_is_on_its_way_for_a_day_before_it_is_missing(
    books: Books,
) -> None:
    await books.write([], [ledger(2, "100", ref="A")])
    (day,) = await books.run(day=0)
    assert not day.findings
    (day,) = await books.run(day=1)
    assert [(f.cause.kind, f.cause.subject) for f in day.findings] == [
        (Kind.MISSING_TXN, "ledger:mv-2")
    ]


async def test_one_payment_of_two_amounts_is_one_finding(books: Books) -> None:
    await books.write([bank(1, "100", e2e="A")], [ledger(2, "90", ref="A")])
    (day,) = await books.run()
    (found,) = day.findings
    assert (found.cause.kind, found.amount) == (Kind.AMOUNT_MISMATCH, Decimal(10))


async def test_a_second_booking_of_a_matched_payment_is_a_duplicate_days_later(
    books: Books,
) -> None:
    await books.write([bank(1, "100", e2e="A")], [ledger(2, "100", ref="A")])
    await books.run(day=0)
    await books.write([bank(3, "100", day=1, e2e="A")])
    (day,) = await books.run(day=1)
    assert [f.cause.kind for f in day.findings] == [Kind.DUPLICATE_TXN]


async def test_a_run_reads_no_further_than_it_was_asked_and_its_name_remembers(
    books: Books,
) -> None:
    await books.write([bank(1, "100", e2e="A")], [ledger(2, "100", ref="A")])
    (day,) = await books.run(name="early", inputs_through=1)
    assert (day.through, len(day.open_bank)) == (1, 1)
    (day,) = await books.run(name="early")
    assert (day.through, len(day.open_bank)) == (1, 1)
    (day,) = await books.run(name="late")
    assert (day.through, len(day.open_bank)) == (2, 0)


async def test_bank_less_ledger_is_what_the_day_explains(books: Books) -> None:
    books.rules = msgspec.structs.replace(books.rules, tolerance=Tolerance(absolute=Decimal(1)))
    banks = [bank(1, "100", e2e="A"), bank(3, "50", day=1, e2e="B"), bank(5, "7", e2e="C")]
    ledgers = [ledger(2, "99.50", ref="A"), ledger(4, "50", ref="B"), ledger(6, "3", day=2)]
    await books.write(banks, ledgers)
    (day,) = await books.run(day=0)
    difference = sum(i.amount for i in banks if i.on <= MONDAY) - sum(
        i.amount for i in ledgers if i.on <= MONDAY
    )
    explained = (
        day.open_bank_total.amount
        - day.open_ledger_total.amount
        + day.differences_total.amount
        + day.later_total.amount
    )
    assert difference == explained


async def test_a_batch_over_the_end_of_a_day_is_of_each_day_as_far_as_it_had_come(
    books: Books,
) -> None:
    ledgers = [ledger(2, "40", batch="B"), ledger(4, "60", batch="B"), ledger(6, "5", batch="B")]
    await books.write([bank(1, "105", day=1, batch="B")], ledgers)
    await books.run(day=1)
    (day,) = await books.run(day=0, name="Monday again")
    assert [later.amount for later in day.later] == [Decimal(-105)]


async def test_what_a_corrected_statement_takes_back_waits_for_no_partner(books: Books) -> None:
    await books.write([bank(1, "100", e2e="A"), bank(5, "-100")], [ledger(2, "100", ref="A")])
    (day,) = await books.run(day=0, name="before it is known", inputs_through=1)
    assert len(day.open_bank) == 1
    await books.take_back(1, by=5)
    (day,) = await books.run(day=1)
    assert not day.open_bank
    assert [item.name for item in day.open_ledger] == ["ledger:mv-2"]
    assert [c.proof for c in day.cleared] == [{"matched by": "withdrawn"}]


async def test_what_waits_for_a_yes_is_not_missing(books: Books) -> None:
    await books.write([bank(1, "100")], [ledger(2, "100", day=0)])
    (day,) = await books.run(day=3)
    found = {f.cause.subject: (f.cause.kind, f.facts.get("waits for")) for f in day.findings}
    waits = (Kind.AMBIGUOUS_MATCH, "a suggestion to be confirmed or refused")
    assert found == {"bank:1.0": waits, "ledger:mv-2": waits}


async def test_a_run_that_finds_the_same_writes_no_open_item_again(books: Books) -> None:
    await books.write([bank(1, "100", e2e="A")], [ledger(2, "90.50", ref="A")])
    await books.run(day=3)
    places = "SELECT ctid::text, xmin::text FROM matching.open_item ORDER BY side"
    before = await books.pool.fetch(places)
    await books.run(day=3, name="again")
    assert await books.pool.fetch(places) == before
