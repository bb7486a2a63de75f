"""Which items may stand between bank and ledger, and how a report lists many of them. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from recon_streams.kernel.money import amount_text
from recon_streams.positions.rules import Limits
from recon_streams.positions.tiers import exceeds_percent
from recon_streams.reports.account_day import Item, ItemKind
from recon_streams.reports.parts import Leg
from recon_streams.reports.totals import explains, total

# A report is read by people: of each kind so many items stand alone, the rest in one line.
ITEMS_MAX: Final = 500

# What was apart before is no news, and what a person has matched is not there because of that.
_NEVER_COVERING: Final = frozenset({ItemKind.OPENING_DIFFERENCE, ItemKind.HAND_DIFFERENCE})


def covered(items: Iterable[Item]) -> Decimal:
    """Return what the items of `items` explain that may stand between bank and ledger."""
    return total(explains(item.leg, item.amount) for item in items if item.covers)


def may_stand(item: Item) -> bool:
    """Return whether `item` may stand between bank and ledger without anybody having to worry.

    What a tolerance let pass may, and what has found its partner soon after, which whoever made
    the item has judged. So may a surplus that is in time: money the ledger will follow, or that is
    on its way out of the bank. A shortage that nothing has made good never may, however well it is
    explained; nor may a difference that somebody has matched away.
    """
    if item.kind is ItemKind.TOLERATED_DIFFERENCE:
        return True
    if item.kind is ItemKind.MATCHED_LATER:
        return item.covers
    if item.kind in _NEVER_COVERING or explains(item.leg, item.amount) < 0:
        return False
    return not item.overdue


def within_bounds(items: Sequence[Item], bank: Decimal | None, limits: Limits) -> tuple[Item, ...]:
    """Return `items`; if tolerances and fees let pass too much money, none of it covers.

    Each of them stays in the difference until the ledger books it, and rules can be written that
    let anything pass. So what they explain below zero covers up to the account's limit for
    CRITICAL, which is in another file.
    """
    passed = [item for item in items if _is_passed(item)]
    missing = total(explains(item.leg, item.amount) for item in passed)
    if bank is None or not exceeds_percent(-missing, bank, limits.critical_percent):
        return tuple(items)
    return tuple(replace(item, covers=False) if _is_passed(item) else item for item in items)


def _is_passed(item: Item) -> bool:
    is_tolerated = item.kind is ItemKind.TOLERATED_DIFFERENCE and item.covers
    return is_tolerated and explains(item.leg, item.amount) < 0


def summed_up(items: Iterable[Item], *, items_max: int = ITEMS_MAX) -> tuple[Item, ...]:
    """Return `items` in the order of a report; of each kind and side at most `items_max` alone.

    Whether an item covers is decided here, before many become one.

    The oldest stand alone, as they are what somebody has to look into; among equally old ones the
    largest. The rest is one item that says how many it stands for.
    """
    found: list[Item] = []
    by_kind: dict[tuple[ItemKind, Leg, bool, bool], list[Item]] = {}
    for item in items:
        covers = may_stand(item)
        judged = replace(item, covers=covers) if covers else item
        # What is missing and what is too much never become one amount.
        key = (item.kind, item.leg, covers, item.amount.startswith("-"))
        by_kind.setdefault(key, []).append(judged)
    for key in sorted(by_kind, key=lambda key: (list(ItemKind).index(key[0]), *key[1:])):
        ordered = sorted(by_kind[key], key=_importance)
        found += ordered[:items_max]
        if rest := ordered[items_max:]:
            found.append(_rest_of(rest))
    return tuple(found)


def _importance(item: Item) -> tuple[date, Decimal, str, str]:
    return (item.on, -Decimal(item.amount).copy_abs(), item.reference, item.origin)


def _rest_of(rest: Sequence[Item]) -> Item:
    count = sum(item.count for item in rest)
    return replace(
        rest[0],
        reference=f"{count} more",
        amount=amount_text(total(Decimal(item.amount) for item in rest)),
        due_on=None,
        overdue=any(item.overdue for item in rest),
        reason="",
        nearest=(),
        origin="",
        count=count,
    )
