"""What the statement of a day must say: by somebody who has every message and one afternoon.

Shares neither code nor method with the product. Money in minor units. `None` is no proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bank_days import OPENING, Payment, Telling
from ledger_days import Movement


@dataclass(frozen=True)
class Statement:
    """What counts as the bank's record of a day."""

    opening: int
    closing: int
    payments: frozenset[int]


@dataclass(frozen=True)
class AuditedDay:
    """The auditor's statement; `items` are (kind, what it explains), sorted."""

    bank: int | None
    ledger: int
    proof: int | None
    items: tuple[tuple[str, int], ...]
    is_whole: bool


def is_half_told(tellings: Sequence[Telling]) -> bool:
    """Return whether a statement has come of which a page is still on its way."""
    pages: dict[int, set[int]] = {}
    for telling in tellings:
        if telling.pages > 1:
            pages.setdefault(telling.day, set()).add(telling.page)
    return any(len(there) < 2 for there in pages.values())


def audit_day(day: int, tellings: Sequence[Telling], movements: Sequence[Movement]) -> AuditedDay:
    """Return the statement of `day` by what has been told so far."""
    stated = {n: found for n in range(day + 1) if (found := _statement(n, tellings)) is not None}
    told = {
        payment.number: payment
        for telling in tellings
        if telling.balances
        for payment, _ in telling.payments
    }
    ledger = OPENING + sum(m.minor for m in movements if m.day <= day)
    pairs = _pairs(told, movements)
    not_stated = {
        number for number, payment in told.items() if day in stated and _is_denied(payment, stated)
    }
    items = _items(day, told, movements, (pairs, not_stated))
    bank = stated[day].closing if day in stated else None
    explained = sum(amount for _, amount in items)
    return AuditedDay(
        bank=bank,
        ledger=ledger,
        proof=None if bank is None else bank - ledger - explained,
        items=tuple(sorted(items)),
        is_whole=all(n in stated for n in range(day + 1))
        and all(stated[n].closing == stated[n + 1].opening for n in range(day)),
    )


def _statement(day: int, tellings: Sequence[Telling]) -> Statement | None:
    of_day = [t for t in tellings if t.message == "camt.053" and t.day == day and t.balances]
    candidates = []
    pages = {t.page: t for t in of_day if t.pages > 1}
    if len(pages) == 2:
        both = frozenset(p.number for t in pages.values() for p, _ in t.payments)
        candidates.append((0, pages[1].opening, pages[2].closing, both))
    for each in of_day:
        if each.pages == 1:
            listed = frozenset(p.number for p, _ in each.payments)
            candidates.append((each.created, each.opening, each.closing, listed))
    if not candidates:
        return None
    _, opening, closing, payments = max(candidates, key=lambda found: found[0])
    assert opening is not None
    assert closing is not None
    return Statement(opening, closing, payments)


def _is_denied(payment: Payment, stated: dict[int, Statement]) -> bool:
    """Return whether the record of the payment's day is there and does not hold it."""
    if any(payment.number in statement.payments for statement in stated.values()):
        return False
    if payment.day in stated:
        return True
    later = [n for n in stated if n > payment.day]
    if not later:
        return False  # nothing is known better yet
    before = [n for n in stated if n < payment.day]
    # A day without a statement is closed by the next one, if that begins where the last one ended.
    return bool(before) and stated[min(later)].opening == stated[max(before)].closing


def _pairs(told: dict[int, Payment], movements: Sequence[Movement]) -> dict[int, Movement]:
    """Return by payment its movement: the same reference and amount, the first one there was."""
    found: dict[int, Movement] = {}
    for movement in sorted(movements, key=lambda m: (m.day, m.sequence)):
        number = movement.payment.number
        if number in told and movement.reference and movement.minor == told[number].minor:
            found.setdefault(number, movement)
    return found


def _items(
    day: int,
    told: dict[int, Payment],
    movements: Sequence[Movement],
    known: tuple[dict[int, Movement], set[int]],
) -> list[tuple[str, int]]:
    pairs, not_stated = known
    taken = {movement.sequence for movement in pairs.values()}
    items: list[tuple[str, int]] = []
    for number, payment in told.items():
        items += _item(day, payment, pairs.get(number), is_denied=number in not_stated)
    for movement in movements:
        if movement.sequence not in taken and movement.day <= day:
            items.append(("LEDGER_NOT_AT_BANK", -movement.minor))
    return items


def _item(
    day: int, payment: Payment, movement: Movement | None, *, is_denied: bool
) -> list[tuple[str, int]]:
    is_here = payment.day <= day
    if movement is None:
        return [("BANK_NOT_IN_LEDGER", payment.minor)] if is_here and not is_denied else []
    is_mirrored = movement.day <= day
    if is_here and is_denied:
        # Nobody has it at the end of the day, or the ledger alone.
        apart = [("MATCHED_LATER", payment.minor), ("MATCHED_LATER", -payment.minor)]
        return [("ANNOUNCED_NOT_STATED", -payment.minor)] if is_mirrored else apart
    if is_here == is_mirrored:
        return []
    return [("MATCHED_LATER", payment.minor if is_here else -payment.minor)]
