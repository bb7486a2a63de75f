"""The way from the bank's balance to the ledger's, as accountants print it, in lines."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from recon_streams.kernel.money import ZERO, amount_text, subtract
from recon_streams.reports.account_day import AccountDay, Item, ItemKind
from recon_streams.reports.totals import explains, items_by_kind, total
from recon_streams.reports.words import KINDS

# A person reads this many; the rest is summed up in one line, and listed in CSV and JSON.
ITEMS_PRINTED_MAX: Final = 200


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """All items of one kind as one step of the way.

    Attributes:
        kind: Which.
        label: Begins with `less` or `plus`.
        amount: What the step adds to the bank's balance; minus what the items explain.
        items: The items that are printed: the overdue first, then the oldest.
        effects: What each adds, in the same order.
        hidden: How many more there are.
        hidden_amount: What they add together.
    """

    kind: ItemKind
    label: str
    amount: str
    items: tuple[Item, ...]
    effects: tuple[str, ...]
    hidden: int
    hidden_amount: str


def steps_of(day: AccountDay, *, items_max: int = ITEMS_PRINTED_MAX) -> tuple[Step, ...]:
    """Return the steps from `bank_closing` to `ledger_at_cut_off` plus `proof`."""
    return tuple(_steps(day, items_max))


def _steps(day: AccountDay, items_max: int) -> Iterator[Step]:
    for kind, (count, explained) in items_by_kind(day.items).items():
        own = [item for item in day.items if item.kind is kind]
        if not own:
            continue
        shown = _most_urgent(own)[:items_max]
        effects = [subtract(ZERO, explains(item.leg, item.amount)) for item in shown]
        step = subtract(ZERO, explained)
        yield Step(
            kind=kind,
            label=f"{'less' if step < 0 else 'plus'}: {KINDS[kind]}",
            amount=amount_text(step),
            items=tuple(shown),
            effects=tuple(amount_text(effect) for effect in effects),
            hidden=count - sum(item.count for item in shown),
            hidden_amount=amount_text(subtract(step, total(effects))),
        )


def _most_urgent(items: Sequence[Item]) -> list[Item]:
    return sorted(items, key=lambda item: (not item.overdue, item.on, item.reference, item.origin))


class Aged(msgspec.Struct, frozen=True, kw_only=True):
    """The outstanding items of one age.

    Attributes:
        bucket: The age in words.
        count: How many.
        overdue: How many of them should have had a partner by now.
        explains: Their signed part of bank less ledger.
    """

    bucket: str
    count: int
    overdue: int
    explains: str


_OUTSTANDING: Final = frozenset({ItemKind.BANK_NOT_IN_LEDGER, ItemKind.LEDGER_NOT_AT_BANK})


def ageing_of(items: Sequence[Item]) -> tuple[Aged, ...]:
    """Return the items that wait for a partner by age, the youngest first."""
    waiting = sorted(
        (item for item in items if item.kind in _OUTSTANDING),
        key=lambda item: item.age_business_days,
    )
    aged: list[Aged] = []
    for bucket in dict.fromkeys(item.bucket for item in waiting):
        own = [item for item in waiting if item.bucket == bucket]
        explained = total(explains(item.leg, item.amount) for item in own)
        aged.append(
            Aged(
                bucket=bucket,
                count=sum(item.count for item in own),
                overdue=sum(item.count for item in own if item.overdue),
                explains=amount_text(explained),
            )
        )
    return tuple(aged)
