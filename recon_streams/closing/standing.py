"""Which items may stand between bank and ledger, and how a report lists many of them. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from recon_streams.kernel.money import amount_text
from recon_streams.reports.account_day import Item, ItemKind
from recon_streams.reports.parts import Leg
from recon_streams.reports.totals import explains, total

# A report is read by people: of each kind so many items stand alone, the rest in one line.
ITEMS_MAX: Final = 500

# What was apart before is no news, and what a person has matched is not there because of that.
_NEVER_COVERING: Final = frozenset({ItemKind.OPENING_DIFFERENCE, ItemKind.HAND_DIFFERENCE})
_COVERING: Final = frozenset({ItemKind.TOLERATED_DIFFERENCE, ItemKind.MATCHED_LATER})


def covered(items: Iterable[Item]) -> Decimal:
    """Return what the items of `items` explain that may stand between bank and ledger."""
    return total(explains(item.leg, item.amount) for item in items if item.covers)


def may_stand(item: Item) -> bool:
    """Return whether `item` may stand between bank and ledger without anybody having to worry.

    What a tolerance let pass may, and what has found its partner on a later day. So may a surplus
    that is in time: money the ledger will follow, or that is on its way out of the bank. A shortage
    that nothing has made good never may, however well it is explained; nor may a difference that
    somebody has matched away.
    """
    if item.kind in _COVERING:
        return True
    if item.kind in _NEVER_COVERING or explains(item.leg, item.amount) < 0:
        return False
    return not item.overdue


def summed_up(items: Iterable[Item], *, items_max: int = ITEMS_MAX) -> tuple[Item, ...]:
    """Return `items` in the order of a report; of each kind and side at most `items_max` alone.

    Whether an item covers is decided here, before many become one.

    The oldest stand alone, as they are what somebody has to look into; among equally old ones the
    largest. The rest is one item that says how many it stands for.
    """
    found: list[Item] = []
    by_kind: dict[tuple[ItemKind, Leg, bool], list[Item]] = {}
    for item in items:
        covers = may_stand(item)
        judged = replace(item, covers=covers) if covers else item
        by_kind.setdefault((item.kind, item.leg, covers), []).append(judged)
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
