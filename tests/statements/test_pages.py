"""A statement in pages counts when it is whole, in whatever order its pages come."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from recon_streams.statements.equation import Equation
from recon_streams.statements.pages import Page, is_complete, is_whole_alone, join, missing_pages

ARRIVED_AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
AMOUNTS = st.decimals(min_value=-1000, max_value=1000, places=2)


def page(number: int, net: Decimal, *, last: bool = False, **ends: Decimal) -> Page:
    return Page(
        number=number,
        is_last=last,
        credits=max(net, Decimal(0)),
        debits=max(-net, Decimal(0)),
        entry_count=1,
        content=b"c",
        origin=f"s/0/{number}",
        path="Stmt[1]",
        arrived_at=ARRIVED_AT,
        **ends,
    )


@given(st.lists(AMOUNTS, min_size=1, max_size=6), AMOUNTS, st.randoms())
def test_pages_in_any_order_are_the_whole_statement(
    nets: list[Decimal], opening: Decimal, chance: object
) -> None:
    closing = opening + sum(nets)
    pages = [
        page(
            number,
            net,
            last=number == len(nets),
            **({"opening": opening} if number == 1 else {}),
            **({"closing": closing} if number == len(nets) else {}),
        )
        for number, net in enumerate(nets, start=1)
    ]
    chance.shuffle(pages)  # type: ignore[attr-defined]  # a random.Random
    for known in range(len(pages)):
        assert not is_complete(pages[:known])
    assert is_complete(pages)
    whole = join({each.number: each for each in pages}, "AED")
    assert whole.is_exact
    assert whole.booked == sum(nets)


def test_what_is_missing_is_named() -> None:
    assert missing_pages([page(4, Decimal(1)), page(2, Decimal(1))]) == (1, 3)
    assert missing_pages([page(1, Decimal(1))]) == ()


def test_pages_that_do_not_add_up_say_by_how_much() -> None:
    pages = {
        1: page(1, Decimal(5), opening=Decimal(10)),
        2: page(2, Decimal(5), last=True, closing=Decimal(21)),
    }
    assert join(pages, "AED").difference == 1


def test_a_file_that_its_bank_numbers_two_is_whole_if_it_adds_up_by_itself() -> None:
    day = {"currency": "AED", "opening": Decimal(1), "closing": Decimal(1)}
    codes = {"opening_code": "OPBD", "closing_code": "CLBD", "difference": Decimal(0)}
    assert is_whole_alone(Equation(**day, **codes), is_last=True)
    assert not is_whole_alone(Equation(**day, **codes), is_last=False)
    assert not is_whole_alone(Equation(**day, **{**codes, "opening_code": "ITBD"}), is_last=True)
    assert not is_whole_alone(Equation(**day, **{**codes, "difference": Decimal(1)}), is_last=True)
