"""What a statement in pages books, kept back from the balance until its closing can be believed.

Between two pages of a statement the balance would swing by what one page books: far enough to
suspend payouts over money that is there. So it waits for the last page, whose closing contains it.
A page of a report or notification that overtook the pages before it waits for those. Nothing waits
for ever: pages can be lost, and the money is booked.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from recon_streams.kernel.money import ZERO, add, normal
from recon_streams.positions.event import (
    AccountEvent,
    BankMoved,
    BankObserved,
    BankStated,
    Evidence,
    HeldBack,
)
from recon_streams.positions.state import AccountState, Hold

# From the arrival of the first page. Pages of one file are published within a minute or two.
WAIT_MAX: Final = timedelta(minutes=15)
# What is told while the day goes on is wanted now; its pages overtake each other by seconds.
AHEAD_WAIT_MAX: Final = timedelta(minutes=2)


def name_of(pages: bytes) -> str:
    """Return what holds of a statement are called, whose pages share the key `pages`."""
    return pages.hex()[:16]


def place_of(origin: str, path: str) -> str:
    """Return what stands for one report of an input: `topic/partition/offset/report`."""
    return f"{origin}/{path.partition('/')[0]}"


def after(held: dict[str, Hold], event: BankMoved | BankObserved | BankStated) -> dict[str, Hold]:
    """Return what is held back once `event` has happened."""
    amounts = () if isinstance(event, BankStated) else event.held
    if not amounts and not event.settles:
        return held
    left = dict(held)
    if isinstance(event, BankObserved) and event.waits is not None:
        name, until = event.waits.hold, event.waits.until
        hold = left.get(name) or Hold(until=until)
        left[name] = replace(hold, inputs=(*hold.inputs, *_places(event.evidence)))
    for each in amounts:
        if each.hold in left:
            left[each.hold] = _with(left[each.hold], each)
    return {name: hold for name, hold in left.items() if name not in event.settles}


def waits_in(held: dict[str, Hold], origin: str, path: str) -> str | None:
    """Return the hold of the page that told an entry first, or None if that does not wait."""
    if not held:
        return None
    place = place_of(origin, path)
    return next((name for name, hold in held.items() if place in hold.inputs), None)


def outstanding(state: AccountState, name: str) -> Decimal:
    """Return what counts at once if the hold `name` ends: all that no anchor contains."""
    hold = state.held.get(name)
    return ZERO if hold is None else _sum_after(hold, state.stated_on)


def held_after(state: AccountState, day: date, *, but: str | None = None) -> Decimal:
    """Return what is booked after `day` and does not count yet; the hold `but` is left out."""
    total = ZERO
    for name, hold in state.held.items():
        if name != but:
            total = add(total, _sum_after(hold, day))
    return total


def overdue(state: AccountState, at: datetime) -> BankMoved | None:
    """Return what happens to holds that have waited too long at `at`, or None if there are none."""
    names = tuple(sorted(name for name, hold in state.held.items() if hold.until <= at))
    if not names:
        return None
    total = ZERO
    for name in names:
        total = add(total, outstanding(state, name))
    amount = normal(total)
    return BankMoved(at=at, amount=amount, entry_amount=amount, message="camt.053", settles=names)


def given_up(
    state: AccountState, name: str, *, at: datetime, evidence: Evidence, message: str
) -> BankMoved | BankObserved:
    """Return what happens when nothing waits any more for the statement `name`.

    What no anchor contains counts at once, as if a report had told of it.
    """
    amount = normal(outstanding(state, name))
    if not amount:
        return BankObserved(at=at, evidence=evidence, message=message, settles=(name,))
    return BankMoved(
        at=at,
        evidence=evidence,
        amount=amount,
        entry_amount=amount,
        message=message,
        settles=(name,),
    )


def is_of_time(event: AccountEvent) -> bool:
    """Return whether `event` is what `overdue` returned: nobody spoke."""
    return isinstance(event, BankMoved) and event.evidence is None and bool(event.settles)


def _with(hold: Hold, each: HeldBack) -> Hold:
    days = {**hold.days, each.on: normal(add(hold.days.get(each.on, ZERO), each.amount))}
    return replace(hold, days={day: amount for day, amount in days.items() if amount})


def _sum_after(hold: Hold, day: date | None) -> Decimal:
    total = ZERO
    for each, amount in hold.days.items():
        if day is None or each > day.isoformat():
            total = add(total, amount)
    return total


def _places(evidence: Evidence | None) -> tuple[str, ...]:
    if evidence is None:
        return ()
    origin = f"{evidence.topic}/{evidence.partition}/{evidence.offset}"
    return (place_of(origin, evidence.path),)
