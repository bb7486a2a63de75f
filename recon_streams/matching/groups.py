"""One to many and many to one: by an anchor, whole or an exact part of it; last by the sum alone.

Membership is never decided by a tolerance: what belongs together is said by a reference, or by an
exact sum that is the only one within its bounds.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeVar

from recon_streams.kernel.money import ZERO, add, subtract
from recon_streams.matching.items import BankItem, Item, ItemKey, LedgerItem, Side
from recon_streams.matching.pool import Pool, kinds_of
from recon_streams.matching.predicates import Fit, Terms, amount_words
from recon_streams.matching.results import Ambiguity, Match, Why
from recon_streams.matching.rules import Anchor, BatchPass, Bounds
from recon_streams.matching.subsets import ways_to

T = TypeVar("T", bound=Item)


class Way(NamedTuple):
    """One item and those that add up to it."""

    one: Item
    many: tuple[Item, ...]

    @property
    def sides(self) -> tuple[tuple[BankItem, ...], tuple[LedgerItem, ...]]:
        """Return what is the bank's and what is the ledger's."""
        items = (self.one, *self.many)
        return (
            tuple(item for item in items if isinstance(item, BankItem)),
            tuple(item for item in items if isinstance(item, LedgerItem)),
        )


def match_batches(pool: Pool, each: BatchPass) -> None:
    """Match what shares an anchor with one item of the other side."""
    for anchor in each.anchors:
        banks = _anchored(pool.bank.values(), anchor.bank)
        ledgers = _anchored(pool.ledger.values(), anchor.ledger)
        for name in sorted(banks.keys() & ledgers.keys()):
            _match_batch(pool, each, (anchor, name), (banks[name], ledgers[name]))


def _match_batch(
    pool: Pool,
    each: BatchPass,
    anchor: tuple[Anchor, str],
    sides: tuple[list[BankItem], list[LedgerItem]],
) -> None:
    banks, ledgers = sides
    said = f"{anchor[0].bank} {anchor[1]} equal"
    is_allowed = "1:N" if len(banks) == 1 else "N:1" if len(ledgers) == 1 else ""
    if is_allowed and (is_allowed in each.cardinalities or len(banks) == len(ledgers)):
        many: Sequence[Item] = ledgers if is_allowed == "1:N" else banks
        one: Item = banks[0] if is_allowed == "1:N" else ledgers[0]
        way = Way(
            one, tuple(item for item in many if _may_join(pool.terms, one, item, each.bounds))
        )
        fit = fit_of(pool.terms, *way.sides)
        if way.many and fit.is_near:
            _take(pool, (each.name, each.score), way, fit, said)
            return
    _match_parts(pool, each, said, sides)


def _match_parts(
    pool: Pool,
    each: BatchPass,
    said: str,
    sides: tuple[list[BankItem], list[LedgerItem]],
) -> None:
    """Match exact parts of a batch that as a whole does not add up."""
    banks, ledgers = sides
    searches: list[tuple[Item, Sequence[Item]]] = []
    if "1:N" in each.cardinalities:
        searches += [(bank, ledgers) for bank in banks]
    if "N:1" in each.cardinalities:
        searches += [(ledger, banks) for ledger in ledgers]
    found = [ways_of(pool, one, many, each.bounds) for one, many in searches]
    settle(pool, (each.name, each.score), found, said)
    words = (
        f"{each.name}: {said}, sum {pool.terms.shown(_sum(banks))} of {len(banks)} at the bank vs "
        f"{pool.terms.shown(_sum(ledgers))} of {len(ledgers)} in the ledger"
    )
    items: list[Item] = [*banks, *ledgers]
    for item in items:
        if pool.has(item):
            pool.note(item, Why.AMOUNT, words)


def ways_of(pool: Pool, one: Item, many: Sequence[Item], bounds: Bounds) -> list[Way]:
    """Return at most two ways in which at least two of `many` add up to `one`, exactly."""
    fitting = [item for item in many if _may_join(pool.terms, one, item, bounds)]
    if len(fitting) > bounds.candidates_max:
        words = f"{len(fitting)} items may add up to it, at most {bounds.candidates_max} are tried"
        pool.note(one, Why.UNSEARCHED, words)
        return []
    kinds = kinds_of(fitting, pool.terms)
    found = ways_to(
        one.amount,
        [(kind[0].amount, len(kind)) for kind in kinds],
        legs_min=2,
        legs_max=bounds.legs_max,
        steps_max=bounds.steps_max,
    )
    if not found.is_complete:
        pool.note(one, Why.UNSEARCHED, f"gave up after {bounds.steps_max} steps to a sum")
        return []
    return [
        Way(one, tuple(i for kind, n in zip(kinds, way, strict=True) for i in kind[:n]))
        for way in found.ways
    ]


def settle(pool: Pool, rule: tuple[str, int], found: Sequence[Sequence[Way]], said: str) -> None:
    """Take the ways that are the only ones and touch no other; the rest is ambiguous."""
    users: dict[tuple[Side, ItemKey], int] = {}
    for ways in found:
        for item in {(i.side, i.key) for way in ways for i in (way.one, *way.many)}:
            users[item] = users.get(item, 0) + 1
    for ways in found:
        items = {(i.side, i.key): i for way in ways for i in (way.one, *way.many)}
        if not all(pool.has(i) for i in items.values()):
            continue  # claimed with the ambiguity of another one
        if len(ways) == 1 and all(users[item] == 1 for item in items):
            way = ways[0]
            _take(pool, rule, way, fit_of(pool.terms, *way.sides), said)
        elif ways:
            touching = _touching(found, set(items))
            _leave(pool, rule[0], touching, said)


def _touching(found: Sequence[Sequence[Way]], items: set[tuple[Side, ItemKey]]) -> list[Item]:
    """Return every item of the ways that hang together with `items`."""
    reached: dict[tuple[Side, ItemKey], Item] = {}
    is_growing = True
    while is_growing:
        is_growing = False
        for ways in found:
            here = {(i.side, i.key): i for way in ways for i in (way.one, *way.many)}
            if here and not here.keys() <= reached.keys() and items & here.keys():
                reached |= here
                items = items | here.keys()
                is_growing = True
    return list(reached.values())


def _leave(pool: Pool, rule: str, items: Sequence[Item], said: str) -> None:
    bank = tuple(sorted(i.key for i in items if isinstance(i, BankItem)))
    ledger = tuple(sorted(i.key for i in items if isinstance(i, LedgerItem)))
    because = f"{said}; more than one set of items has the exact sum"
    pool.leave(Ambiguity(rule=rule, bank=bank, ledger=ledger, because=because))


def _take(pool: Pool, rule: tuple[str, int], way: Way, fit: Fit, said: str) -> None:
    banks, ledgers = way.sides
    because = (
        said,
        f"{len(banks)} of the bank to {len(ledgers)} of the ledger",
        amount_words(pool.terms, _sum(banks), _sum(ledgers), fit),
    )
    pool.take(
        Match(
            rule=rule[0],
            score=rule[1],
            bank=tuple(sorted(item.key for item in banks)),
            ledger=tuple(sorted(item.key for item in ledgers)),
            difference=fit.difference,
            explained_by=fit.explained_by,
            because=because,
        )
    )


def fit_of(terms: Terms, banks: Sequence[BankItem], ledgers: Sequence[LedgerItem]) -> Fit:
    """Return how the sums fit; a fee is charged on the whole, or on each movement."""
    bank, ledger = _sum(banks), _sum(ledgers)
    if not bank or not ledger:
        return Fit(is_near=False, difference=subtract(bank, ledger))
    fit = terms.fit(bank, ledger)
    if fit.is_near:
        return fit
    for fee in terms.fees:
        charged = ZERO
        for item in ledgers:
            is_for = not fee.counterparties or item.counterparty in fee.counterparties
            charged = add(charged, fee.of(item.amount, terms.scale) if is_for else ZERO)
        if charged and -fit.difference == charged:
            return Fit(is_near=True, difference=fit.difference, explained_by=f"fee {fee.name}")
    return fit


def _may_join(terms: Terms, one: Item, item: Item, bounds: Bounds) -> bool:
    """Return whether day, sign, references and people allow `item` to be part of `one`."""
    bank, ledger = (one, item) if isinstance(one, BankItem) else (item, one)
    assert isinstance(bank, BankItem), "the two are of two sides"
    assert isinstance(ledger, LedgerItem), "the two are of two sides"
    if (one.amount > 0) != (item.amount > 0) or terms.are_apart(bank, ledger):
        return False
    if abs(terms.days_between(ledger.on, bank.on)) > bounds.days_max:
        return False
    return not (bank.uetr and ledger.uetr and bank.uetr != ledger.uetr)


def _anchored(items: Iterable[T], field: str) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for item in items:
        if name := getattr(item, field):
            found.setdefault(name, []).append(item)
    return found


def _sum(items: Sequence[Item]) -> Decimal:
    total = ZERO
    for item in items:
        total = add(total, item.amount)
    return total
