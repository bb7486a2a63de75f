"""One to one by amount, day, counterparty and remittance, as the best assignment of all.

Amount and day alone never make a match, whatever the weights: two strangers pay the same sum on
the same day.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from recon_streams.kernel.money import add, subtract
from recon_streams.matching.items import BankItem, LedgerItem
from recon_streams.matching.likeness import seems_to_tell
from recon_streams.matching.pool import Edge, Pool, kinds_of, resolve
from recon_streams.matching.predicates import (
    Fit,
    Terms,
    agreement,
    amount_words,
    date_words,
    same_party,
)
from recon_streams.matching.rules import CompositePass

# Among more equal amounts than this only what shares a counterparty is compared.
_CROWD: Final = 200
_WORD: Final = re.compile(r"[^\s,;:()/]+")


def match_composite(pool: Pool, each: CompositePass, *, score_min: int) -> None:
    """Match, or suggest, pairs that reach `score_min`."""
    terms = pool.terms
    kinds = kinds_of(pool.bank.values(), terms), kinds_of(pool.ledger.values(), terms)
    order = sorted(range(len(kinds[0])), key=lambda place: (kinds[0][place][0].amount, place))
    amounts = [kinds[0][place][0].amount for place in order]
    edges: dict[tuple[int, int], Edge] = {}
    for other, (ledger, *_) in enumerate(kinds[1]):
        near = [order[at] for at in _near(terms, amounts, ledger)]
        if len(near) > _CROWD:
            near = [
                place
                for place in near
                if same_party(kinds[0][place][0].counterparty, ledger.counterparty)
            ][:_CROWD]
        for place in near:
            edge = edge_of(terms, kinds[0][place][0], ledger, each)
            if edge is not None and edge.score >= score_min:
                edges[place, other] = edge
    resolve(pool, each.name, kinds, edges)


def edge_of(terms: Terms, bank: BankItem, ledger: LedgerItem, each: CompositePass) -> Edge | None:
    """Return what speaks for the pair, or None if something contradicts."""
    days = terms.days_between(ledger.on, bank.on)
    fit = terms.fit(bank.amount, ledger.amount, counterparty=ledger.counterparty)
    if not fit.is_near or abs(days) > each.days_max or terms.are_apart(bank, ledger):
        return None
    agreed, conflict = agreement(bank, ledger, terms)
    if conflict:
        return None
    is_party = same_party(bank.counterparty, ledger.counterparty)
    is_told = agreed is not None or _tells(bank.remittance, ledger.reference)
    is_alike = not is_told and seems_to_tell(
        bank.remittance, ledger.reference, percent_min=each.alike_percent_min
    )
    score = composite_score(each, fit, abs(days), is_party=is_party, is_told=is_told)
    score += each.remittance_alike if is_alike else 0
    if not is_party and not is_told:
        score = min(score, terms.rules.levels.auto_confirm - 1)
    because = (
        amount_words(terms, bank.amount, ledger.amount, fit),
        date_words(terms, bank.on, ledger.on),
        _party_words(bank, ledger, is_equal=is_party),
        _reference_words(is_told=is_told, is_alike=is_alike),
    )
    return Edge(score, score, fit, because) if score > 0 else None


def _reference_words(*, is_told: bool, is_alike: bool) -> str:
    if is_told:
        return "reference in the remittance"
    return "reference alike in the remittance" if is_alike else "reference absent"


def composite_score(
    each: CompositePass, fit: Fit, days: int, *, is_party: bool, is_told: bool
) -> int:
    """Return the sum of the weights of what holds."""
    score = each.amount_within if fit.difference else each.amount
    score += max(0, each.same_day - each.per_day * days)
    score += each.counterparty if is_party else 0
    return score + (each.remittance if is_told else 0)


def _party_words(bank: BankItem, ledger: LedgerItem, *, is_equal: bool) -> str:
    if is_equal:
        return "counterparty equal"
    both = bank.counterparty and ledger.counterparty
    return "counterparty not equal" if both else "counterparty absent"


def _tells(remittance: str | None, reference: str | None) -> bool:
    """Return whether the free text holds the reference as a word of its own."""
    if not remittance or not reference:
        return False
    return reference in _WORD.findall(remittance) or reference == remittance.strip()


def _near(terms: Terms, amounts: Sequence[Decimal], ledger: LedgerItem) -> Iterator[int]:
    """Yield the places of the bank amounts that may fit, each once and in order."""
    limit = terms.tolerance.limit(ledger.amount)
    ranges = [(subtract(ledger.amount, limit), add(ledger.amount, limit))]
    for fee in terms.fees:
        net = subtract(ledger.amount, fee.of(ledger.amount, terms.scale))
        ranges.append((net, net))
    seen: set[int] = set()
    for low, high in sorted(ranges):
        seen.update(range(bisect_left(amounts, low), bisect_right(amounts, high)))
    yield from sorted(seen)
