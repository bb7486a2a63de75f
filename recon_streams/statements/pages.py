"""Statements that come in pages: which are there, and what they add up to together.

Pages come in any order, in one message or in many. Only the first has the opening and only the last
the closing; what stands at the edges between them is no closing of anything.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

import msgspec

from recon_streams.kernel.money import ZERO, add, normal, subtract
from recon_streams.statements.equation import Equation


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page: its place, its balances as `Equation` chose them, and its sums.

    Attributes:
        credits: Sum of its booked credits; `debits` is unsigned too.
        content: Digest of what it says.
        unannounced: How many of its entries nobody had told of; `unannounced_net` is their sum.
        origin: The input that brought it, `topic/partition/offset`; with the place in it.
        arrived_at: When it did.
    """

    number: int
    is_last: bool
    credits: Decimal
    debits: Decimal
    entry_count: int
    content: bytes
    origin: str
    path: str
    arrived_at: datetime
    opening: Decimal | None = None
    opening_code: str | None = None
    opening_on: date | None = None
    closing: Decimal | None = None
    closing_code: str | None = None
    closing_on: date | None = None
    unannounced: int = 0
    unannounced_net: Decimal = ZERO


def is_whole_alone(equation: Equation, *, is_last: bool) -> bool:
    """Return whether a page is a whole statement by itself, whatever its number.

    One bank numbers every file 2 and calls it the last. Such a page has the balances of a day, not
    of a page, and they add up.
    """
    has_day = equation.opening_code in {"OPBD", "PRCD"} and equation.closing_code == "CLBD"
    return is_last and has_day and equation.is_exact


def missing_pages(pages: Collection[Page]) -> tuple[int, ...]:
    """Return the numbers that are missing below the highest page known."""
    known = {page.number for page in pages}
    return tuple(number for number in range(1, max(known, default=0)) if number not in known)


def in_ranges(numbers: Iterable[int]) -> str:
    """Return growing `numbers` in words: `2, 5-7`."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


def is_complete(pages: Collection[Page]) -> bool:
    """Return whether pages 1 to n are there and n is the last."""
    highest = max(pages, key=lambda page: page.number, default=None)
    return highest is not None and highest.is_last and not missing_pages(pages)


def join(pages: Mapping[int, Page], currency: str | None) -> Equation:
    """Return the whole statement that complete `pages` are: sums of all, ends of the outer two."""
    first, last = pages[1], pages[max(pages)]
    booked_in = booked_out = ZERO
    for page in pages.values():
        booked_in = add(booked_in, page.credits)
        booked_out = add(booked_out, page.debits)
    difference = None
    if first.opening is not None and last.closing is not None:
        net = subtract(booked_in, booked_out)
        difference = normal(subtract(last.closing, add(first.opening, net)))
    return Equation(
        currency=currency,
        opening=first.opening,
        opening_code=first.opening_code,
        opening_on=first.opening_on,
        closing=last.closing,
        closing_code=last.closing_code,
        closing_on=last.closing_on,
        booked_credits=normal(booked_in),
        booked_debits=normal(booked_out),
        booked_count=sum(page.entry_count for page in pages.values()),
        difference=difference,
    )
