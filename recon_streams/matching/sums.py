"""One to many and many to one by nothing but an exact sum: the weakest of all reasons.

Without a common counterparty a sum is at most a suggestion: amounts and days alone prove nothing.
"""

from collections.abc import Sequence
from typing import Final

from recon_streams.matching.groups import Way, settle, ways_of
from recon_streams.matching.items import BankItem, Item, LedgerItem
from recon_streams.matching.pool import Pool
from recon_streams.matching.predicates import agreement, party_of
from recon_streams.matching.rules import SumPass

# So many single items are looked at in one account; the rest has its reason said.
_SEARCHES_MAX: Final = 2_000


def match_sums(pool: Pool, each: SumPass, *, with_party: bool) -> None:
    """Match, or suggest, sums that are the only ones.

    Args:
        pool: Loses what is decided.
        each: The pass.
        with_party: Whether only items of the counterparty of the one are added up.
    """
    banks, ledgers = list(pool.bank.values()), list(pool.ledger.values())
    sides: list[tuple[Sequence[Item], Sequence[Item]]] = []
    if "1:N" in each.cardinalities:
        sides.append((banks, ledgers))
    if "N:1" in each.cardinalities:
        sides.append((ledgers, banks))
    score = each.score + (each.counterparty if with_party else 0)
    said = "counterparty equal" if with_party else "nothing but the sum"
    found: list[list[Way]] = []
    for ones, many in sides:
        near = _Nearby(many, with_party=with_party)
        found += [
            ways_of(pool, one, near.of(pool, one), each.bounds) for one in ones[:_SEARCHES_MAX]
        ]
    if not with_party:
        # Of many amounts some always add up by accident: two ways are no news.
        found = [ways for ways in found if len(ways) == 1]
    settle(pool, (each.name, score), found, said)


class _Nearby:
    """The items of one side by what may be asked for: the counterparty, or none."""

    def __init__(self, items: Sequence[Item], *, with_party: bool) -> None:
        self._with_party = with_party
        self._items: dict[str, list[Item]] = {}
        for item in items:
            self._items.setdefault(self._party(item), []).append(item)

    def _party(self, item: Item) -> str:
        return party_of(item.counterparty) if self._with_party else ""

    def of(self, pool: Pool, one: Item) -> list[Item]:
        """Return what may be part of `one` by counterparty, amount and references."""
        party = self._party(one)
        if self._with_party and not party:
            return []
        return [
            item
            for item in self._items.get(party, ())
            if abs(item.amount) < abs(one.amount) and not _conflict(pool, one, item)
        ]


def _conflict(pool: Pool, one: Item, item: Item) -> bool:
    bank, ledger = (one, item) if isinstance(one, BankItem) else (item, one)
    assert isinstance(bank, BankItem), "the two are of two sides"
    assert isinstance(ledger, LedgerItem), "the two are of two sides"
    return bool(agreement(bank, ledger, pool.terms)[1])
