"""What is still open while the passes go by, and what they have found so far."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from recon_streams.matching.assignment import Assigned, Component, assign, components
from recon_streams.matching.items import BankItem, ItemKey, LedgerItem, Side, in_order
from recon_streams.matching.predicates import Fit, Terms
from recon_streams.matching.results import Ambiguity, Match, Why

T = TypeVar("T", bound=BankItem | LedgerItem)


class Edge(NamedTuple):
    """A pair that may be one.

    Attributes:
        rank: What it is worth beside other pairs of the same pass, more than 0.
        score: What it is told with, and decides between match and suggestion.
    """

    rank: int
    score: int
    fit: Fit
    because: tuple[str, ...]


class Pool:
    """Items that no pass has claimed; a claimed one is gone for all passes after it."""

    def __init__(
        self, bank: Iterable[BankItem], ledger: Iterable[LedgerItem], terms: Terms
    ) -> None:
        """Begin with everything open, in an order that arrival has no part in."""
        self.terms = terms
        self.bank = {item.key: item for item in sorted(bank, key=in_order)}
        self.ledger = {item.key: item for item in sorted(ledger, key=in_order)}
        self.matches: list[Match] = []
        self.suggestions: list[Match] = []
        self.ambiguous: list[Ambiguity] = []
        self.notes: dict[tuple[Side, ItemKey], tuple[Why, str]] = {}

    def take(self, match: Match) -> None:
        """Claim the items of `match`; below the level of a match it is a suggestion."""
        is_match = match.score >= self.terms.rules.levels.auto_confirm
        (self.matches if is_match else self.suggestions).append(match)
        if not is_match:
            text = f"suggested by {match.rule}, score {match.score}: {'; '.join(match.because)}"
            self._note(match.bank, match.ledger, (Why.SUGGESTED, text))
        self._remove(match.bank, match.ledger)

    def leave(self, ambiguity: Ambiguity) -> None:
        """Leave items to a person; no weaker pass may pick from them."""
        self.ambiguous.append(ambiguity)
        text = f"{ambiguity.rule}: {ambiguity.because}"
        self._note(ambiguity.bank, ambiguity.ledger, (Why.AMBIGUOUS, text))
        self._remove(ambiguity.bank, ambiguity.ledger)

    def note(self, item: BankItem | LedgerItem, why: Why, text: str) -> None:
        """Remember what kept `item` open, unless something was said before."""
        self.notes.setdefault((item.side, item.key), (why, text))

    def has(self, item: BankItem | LedgerItem) -> bool:
        """Return whether nobody has claimed `item`."""
        return item.key in (self.bank if item.side is Side.BANK else self.ledger)

    def _note(
        self, bank: Iterable[ItemKey], ledger: Iterable[ItemKey], said: tuple[Why, str]
    ) -> None:
        self.notes |= {(Side.BANK, key): said for key in bank}
        self.notes |= {(Side.LEDGER, key): said for key in ledger}

    def _remove(self, bank: Iterable[ItemKey], ledger: Iterable[ItemKey]) -> None:
        for key in bank:
            del self.bank[key]
        for key in ledger:
            del self.ledger[key]


def kinds_of(items: Iterable[T], terms: Terms) -> list[list[T]]:
    """Return `items` by kind: what cannot be told apart is one kind, each in its order."""
    found: dict[object, list[T]] = {}
    for item in items:
        found.setdefault((item.content, terms.apart_of.get((item.side, item.key))), []).append(item)
    return list(found.values())


def resolve(
    pool: Pool,
    rule: str,
    kinds: tuple[Sequence[list[BankItem]], Sequence[list[LedgerItem]]],
    edges: dict[tuple[int, int], Edge],
) -> None:
    """Match one to one what is certain of `edges`; leave what is not.

    Args:
        pool: Loses what is decided.
        rule: The name of the pass.
        kinds: The items by kind.
        edges: The pairs, by the places of their kinds.
    """
    banks, ledgers = kinds
    parts = components(
        {place: len(banks[place]) for place, _ in edges},
        {place: len(ledgers[place]) for _, place in edges},
        {pair: edge.rank for pair, edge in edges.items()},
    )
    for part in parts:
        assigned = assign(part)
        left = {place: list(banks[place]) for place in part.left}
        right = {place: list(ledgers[place]) for place in part.right}
        for (one, other), times in assigned.certain.items():
            for _ in range(times):
                _take(pool, rule, left[one].pop(0), right[other].pop(0), edges[one, other])
        if assigned.open_pairs:
            _leave(pool, rule, (part, assigned), (left, right), edges)


def _take(pool: Pool, rule: str, bank: BankItem, ledger: LedgerItem, edge: Edge) -> None:
    pool.take(
        Match(
            rule=rule,
            score=edge.score,
            bank=(bank.key,),
            ledger=(ledger.key,),
            difference=edge.fit.difference,
            explained_by=edge.fit.explained_by,
            because=edge.because,
        )
    )


def _leave(
    pool: Pool,
    rule: str,
    decided: tuple[Component, Assigned],
    rest: tuple[dict[int, list[BankItem]], dict[int, list[LedgerItem]]],
    edges: dict[tuple[int, int], Edge],
) -> None:
    part, assigned = decided
    left, right = rest
    open_part = Component(
        {one: part.left[one] for one, _ in assigned.open_pairs},
        {other: part.right[other] for _, other in assigned.open_pairs},
        {pair: part.scores[pair] for pair in assigned.open_pairs},
    )
    for each in components(open_part.left, open_part.right, open_part.scores):
        bank = tuple(item.key for place in sorted(each.left) for item in left[place])
        ledger = tuple(item.key for place in sorted(each.right) for item in right[place])
        edge = edges[min(each.scores)]
        because = (
            f"{len(bank)} of the bank and {len(ledger)} of the ledger fit equally well "
            f"({'; '.join(edge.because)})"
        )
        pool.leave(Ambiguity(rule=rule, bank=bank, ledger=ledger, because=because))
