"""One to one by references: first the k-th equal with the k-th, then within tolerances and fees."""

from collections.abc import Iterable
from typing import Final, TypeVar

from recon_streams.matching.items import BankItem, Item, LedgerItem
from recon_streams.matching.pool import Edge, Pool, kinds_of, resolve
from recon_streams.matching.predicates import Terms, amount_words, date_words, is_overruled
from recon_streams.matching.results import Match, Why
from recon_streams.matching.rules import ReferencePass

T = TypeVar("T", bound=BankItem | LedgerItem)

_FIT_RANKS: Final = {"": 300, "tolerance": 100}
_FEE_RANK: Final = 200
_NEARNESS_MAX: Final = 50
# One text on so many items is no reference; "SALARY" names nothing.
_PAIRS_MAX: Final = 2_500


def match_exact(pool: Pool, each: ReferencePass) -> None:
    """Match equal references with equal amounts, the k-th with the k-th in the order of days."""
    terms = pool.terms
    ledgers = _by_reference(pool.ledger.values(), each.ledger, terms, with_amount=True)
    for key, banks in _by_reference(pool.bank.values(), each.bank, terms, with_amount=True).items():
        for bank, ledger in zip(banks, ledgers.get(key, ()), strict=False):
            days = terms.days_between(ledger.on, bank.on)
            if abs(days) <= each.days_max and not is_overruled(bank, ledger, each, terms):
                because = exact_because(terms, bank, ledger, each)
                pool.take(
                    Match(
                        rule=each.name,
                        score=each.score,
                        bank=(bank.key,),
                        ledger=(ledger.key,),
                        because=because,
                    )
                )


def match_within(pool: Pool, each: ReferencePass) -> None:
    """Match equal references whose amounts fit, by the best assignment."""
    ledgers = _by_reference(pool.ledger.values(), each.ledger, None, with_amount=False)
    for key, banks in _by_reference(pool.bank.values(), each.bank, None, with_amount=False).items():
        others = ledgers.get(key, [])
        if not others:
            continue
        kinds = kinds_of(banks, pool.terms), kinds_of(others, pool.terms)
        if len(kinds[0]) * len(kinds[1]) > _PAIRS_MAX:
            items: list[Item] = [*banks, *others]
            for item in items:
                pool.note(item, Why.UNSEARCHED, f"too many items carry the {each.name} {key[0]}")
            continue
        edges = {
            (place, other): edge
            for place, (bank, *_) in enumerate(kinds[0])
            for other, (ledger, *_) in enumerate(kinds[1])
            if (edge := _edge(pool.terms, bank, ledger, each)) is not None
        }
        resolve(pool, each.name, kinds, edges)


def exact_because(
    terms: Terms, bank: BankItem, ledger: LedgerItem, each: ReferencePass
) -> tuple[str, ...]:
    """Return why equal references with equal amounts are one."""
    return (
        f"{each.name} equal",
        amount_words(terms, bank.amount, ledger.amount, terms.fit(bank.amount, ledger.amount)),
        date_words(terms, bank.on, ledger.on),
    )


def _edge(terms: Terms, bank: BankItem, ledger: LedgerItem, each: ReferencePass) -> Edge | None:
    days = abs(terms.days_between(ledger.on, bank.on))
    fit = terms.fit(bank.amount, ledger.amount, counterparty=ledger.counterparty)
    if not fit.is_near or days > each.days_max:
        return None
    if terms.are_apart(bank, ledger) or is_overruled(bank, ledger, each, terms):
        return None
    rank = _FIT_RANKS.get(fit.explained_by, _FEE_RANK) + _NEARNESS_MAX - min(days, _NEARNESS_MAX)
    because = (
        f"{each.name} equal",
        amount_words(terms, bank.amount, ledger.amount, fit),
        date_words(terms, bank.on, ledger.on),
    )
    return Edge(rank, each.score, fit, because)


def _by_reference(
    items: Iterable[T], field: str, terms: Terms | None, *, with_amount: bool
) -> dict[tuple[object, ...], list[T]]:
    """Return what carries a reference, by it.

    Args:
        items: In order.
        field: Where the reference stands.
        terms: If given, what was taken apart by hand is left out: it has no k-th place.
        with_amount: Whether only equal amounts stand together.
    """
    found: dict[tuple[object, ...], list[T]] = {}
    for item in items:
        reference = getattr(item, field)
        if not reference:
            continue
        if terms is not None and (item.side, item.key) in terms.apart_of:
            continue
        key = (reference, item.amount) if with_amount else (reference,)
        found.setdefault(key, []).append(item)
    return found
