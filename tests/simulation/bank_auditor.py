"""What the booked balance must be after a list of messages: an auditor with the whole file.

Looks at everything at once and shares neither code nor method with the product, which sees one
message at a time. Money in minor units.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bank_days import OPENING, Telling


@dataclass(frozen=True)
class Opinion:
    """The auditor's answer.

    `stated` is the last day with an accepted statement, or -1; `accepted` maps days to closings;
    `heard` are the numbers of all payments that any usable message told of.
    """

    bank: int
    stated: int
    accepted: dict[int, int]
    heard: frozenset[int]


def audit(tellings: Sequence[Telling]) -> Opinion:
    """Return what is true after `tellings`, in order of arrival."""
    accepted = _accepted([telling for telling in tellings if telling.message == "camt.053"])
    stated = max(accepted, default=-1)
    days: dict[int, int] = {}
    minors: dict[int, int] = {}
    for telling in tellings:
        if not telling.balances:
            continue  # kept and reported, and not believed
        for payment, printed in telling.payments:
            minors[payment.number] = payment.minor
            days.setdefault(payment.number, printed)
    bank = accepted.get(stated, OPENING)
    bank += sum(minor for number, minor in minors.items() if days[number] > stated)
    return Opinion(bank, stated, accepted, frozenset(minors))


def _accepted(statements: Sequence[Telling]) -> dict[int, int]:
    """Return the closing of each day that a whole and balanced statement gives."""
    closings: dict[int, int] = {}
    for day in {telling.day for telling in statements}:
        of_day = [t for t in statements if t.day == day and t.balances]
        pages = {t.page: t for t in of_day if t.pages > 1}
        if len(pages) == 2:
            closings[day] = closing_of(pages[2])
        versions = [t for t in of_day if t.pages == 1]
        if versions:
            newest = max(versions, key=lambda t: t.created)
            closings[day] = closing_of(newest)
    return closings


def closing_of(telling: Telling) -> int:
    assert telling.closing is not None
    return telling.closing
