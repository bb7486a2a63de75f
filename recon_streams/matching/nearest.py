"""Why an item stays open: the nearest of the other side, and the first thing in the way."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final, Generic, TypeAlias, TypeVar

from recon_streams.matching.composite import composite_score
from recon_streams.matching.items import BankItem, Item, ItemKey, LedgerItem, Side, in_order
from recon_streams.matching.predicates import (
    Terms,
    agreement,
    amount_words,
    date_words,
    same_party,
)
from recon_streams.matching.results import Candidate, Unmatched, Why
from recon_streams.matching.rules import CompositePass

CANDIDATES_MAX: Final = 3
_NEIGHBOURS: Final = 3
_NAMESAKES_MAX: Final = 20
Notes: TypeAlias = dict[tuple[Side, ItemKey], tuple[Why, str]]
T = TypeVar("T", bound=Item)
_ORDER: Final = {Why.SCORE: 0, Why.DATE: 1, Why.APART: 2, Why.AMOUNT: 3, Why.REFERENCE: 4}


class Neighbours(Generic[T]):
    """The items of one side, found by reference and by amount."""

    def __init__(self, items: Iterable[T], fields: Sequence[str]) -> None:
        """Index `items`; `fields` is where references stand."""
        self._fields = fields
        ordered = sorted(items, key=in_order)
        self._by_amount = sorted(ordered, key=lambda item: item.amount)
        self._amounts = [item.amount for item in self._by_amount]
        self._by_reference: dict[tuple[str, str], list[T]] = {}
        for item in ordered:
            for field in dict.fromkeys(fields):
                if reference := getattr(item, field):
                    self._by_reference.setdefault((field, reference), []).append(item)

    def of(self, item: Item, fields: Sequence[str]) -> list[T]:
        """Return what carries a reference of `item`, and what is nearest by amount."""
        found: dict[int, T] = {}
        for field, own in zip(self._fields, fields, strict=True):
            if reference := getattr(item, own):
                for other in self._by_reference.get((field, reference), ())[:_NAMESAKES_MAX]:
                    found[id(other)] = other
        at = bisect_left(self._amounts, item.amount)
        for other in self._by_amount[max(0, at - _NEIGHBOURS) : at + _NEIGHBOURS]:
            if (other.amount > 0) == (item.amount > 0):
                found[id(other)] = other
        return list(found.values())


def explain(
    banks: Sequence[BankItem],
    ledgers: Sequence[LedgerItem],
    notes: Notes,
    terms: Terms,
) -> list[Unmatched]:
    """Return every open item with its reason."""
    bank_fields = [each.bank for each in terms.rules.references]
    ledger_fields = [each.ledger for each in terms.rules.references]
    near_ledger = Neighbours(ledgers, ledger_fields)
    near_bank = Neighbours(banks, bank_fields)
    found: list[Unmatched] = []
    for bank in banks:
        others = near_ledger.of(bank, bank_fields)
        pairs: list[tuple[Candidate, Item]] = [
            (_candidate(terms, bank, each, each), each) for each in others
        ]
        found.append(_unmatched(Side.BANK, bank, pairs, notes))
    for ledger in ledgers:
        nearby = near_bank.of(ledger, ledger_fields)
        pairs = [(_candidate(terms, each, ledger, each), each) for each in nearby]
        found.append(_unmatched(Side.LEDGER, ledger, pairs, notes))
    return found


def _unmatched(
    side: Side,
    item: Item,
    pairs: list[tuple[Candidate, Item]],
    notes: Notes,
) -> Unmatched:
    pairs.sort(
        key=lambda pair: (
            not pair[0].reference_equal,
            _ORDER[pair[0].failing],
            abs(pair[0].amount - item.amount),
            abs((pair[0].on - item.on).days),
            in_order(pair[1]),
        )
    )
    candidates = tuple(candidate for candidate, _ in pairs[:CANDIDATES_MAX])
    if (note := notes.get((side, item.key))) is not None:
        why, text = note
    elif candidates:
        why, text = candidates[0].failing, candidates[0].text
    else:
        why, text = Why.NO_CANDIDATE, "nothing open on the other side comes near"
    return Unmatched(side=side, key=item.key, why=why, text=text, candidates=candidates)


def _candidate(terms: Terms, bank: BankItem, ledger: LedgerItem, other: Item) -> Candidate:
    failing, text, is_equal = first_failing(terms, bank, ledger)
    return Candidate(
        key=other.key,
        name=other.name,
        amount=other.amount,
        on=other.on,
        failing=failing,
        text=text,
        reference_equal=is_equal,
    )


def first_failing(terms: Terms, bank: BankItem, ledger: LedgerItem) -> tuple[Why, str, bool]:
    """Return the first predicate in the way of the pair, all of them in words, it first.

    The third value says whether a reference is equal.
    """
    agreed, conflict = agreement(bank, ledger, terms)
    fit = terms.fit(bank.amount, ledger.amount, counterparty=ledger.counterparty)
    days = abs(terms.days_between(ledger.on, bank.on))
    composite = terms.rules.composite or CompositePass(name="")
    days_max = agreed.days_max if agreed else composite.days_max
    is_late = days > days_max
    words = {
        Why.REFERENCE: f"reference {conflict}" if conflict else
        f"reference {'equal' if agreed else 'absent'}",
        Why.AMOUNT: amount_words(terms, bank.amount, ledger.amount, fit),
        Why.DATE: date_words(terms, bank.on, ledger.on, days_max if is_late else None),
    }  # fmt: skip
    if terms.are_apart(bank, ledger):
        failing = Why.APART
        words[failing] = "taken apart by hand"
    elif conflict:
        failing = Why.REFERENCE
    elif not fit.is_near:
        failing = Why.AMOUNT
    elif is_late:
        failing = Why.DATE
    else:
        failing = Why.SCORE
        is_party = same_party(bank.counterparty, ledger.counterparty)
        score = composite_score(composite, fit, days, is_party=is_party, is_told=bool(agreed))
        words[failing] = f"score {score} of {terms.rules.levels.auto_confirm}"
    told = [
        words.pop(failing),
        *(words[why] for why in (Why.AMOUNT, Why.REFERENCE, Why.DATE) if why in words),
    ]
    return failing, "; ".join(told), agreed is not None
