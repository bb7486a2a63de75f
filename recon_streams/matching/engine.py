"""Matching as a pure function: the same items, rules and calendar give the same answer, always.

Strong references go first, exact before within a tolerance, over all of them; then batches by their
anchor; then what weaker evidence says, and of that first what is good enough to need nobody.
"""

from collections.abc import Sequence

from recon_streams.matching.composite import match_composite
from recon_streams.matching.groups import match_batches
from recon_streams.matching.items import BankItem, Item, LedgerItem, Side
from recon_streams.matching.nearest import explain
from recon_streams.matching.pool import Pool
from recon_streams.matching.predicates import Terms
from recon_streams.matching.references import match_exact, match_within
from recon_streams.matching.results import Ambiguity, Match, Matching, Unmatched, Why
from recon_streams.matching.rules import SHARED
from recon_streams.matching.sums import match_sums


def match(bank: Sequence[BankItem], ledger: Sequence[LedgerItem], terms: Terms) -> Matching:
    """Match the items of one account.

    Args:
        bank: What is open at the bank.
        ledger: What is open in the ledger.
        terms: Rules, calendar, and what belongs to the account.
    """
    pool = Pool(bank, ledger, terms)
    rules = terms.rules
    for each in rules.references:
        match_exact(pool, each)
    for each in rules.references:
        match_within(pool, each)
    if rules.batch is not None:
        match_batches(pool, rules.batch)
    if max(len(pool.bank), len(pool.ledger)) > rules.items_max:
        _decline(pool)
    else:
        _match_weakly(pool)
    return Matching(
        matches=tuple(sorted(pool.matches, key=_place)),
        suggestions=tuple(sorted(pool.suggestions, key=_place)),
        ambiguous=tuple(sorted(pool.ambiguous, key=_place)),
        unmatched=tuple(_unmatched(pool, bank, ledger)),
    )


def _unmatched(
    pool: Pool, bank: Sequence[BankItem], ledger: Sequence[LedgerItem]
) -> list[Unmatched]:
    """Return what no match has claimed, in order, with its reason."""
    terms = pool.terms
    claimed = {(Side.BANK, key) for found in pool.matches for key in found.bank}
    claimed |= {(Side.LEDGER, key) for found in pool.matches for key in found.ledger}
    items: list[Item] = [*bank, *ledger]
    seen = {mark for i in items if (i.side, i.key) in claimed for mark in _marks(i, terms)}
    for item in items:
        place = (item.side, item.key)
        if place in claimed or not (
            place in terms.repeated or seen.intersection(_marks(item, terms))
        ):
            continue
        pool.note(item, Why.DUPLICATE, "the same reference and amount is matched already")
    banks = [item for item in bank if (Side.BANK, item.key) not in claimed]
    ledgers = [item for item in ledger if (Side.LEDGER, item.key) not in claimed]
    return sorted(explain(banks, ledgers, pool.notes, terms), key=lambda u: (u.side, u.key))


def _marks(item: Item, terms: Terms) -> list[tuple[object, ...]]:
    """Return what tells that another item is the same again: each reference with the amount."""
    if isinstance(item, LedgerItem):
        fields: list[str] = [each.ledger for each in terms.rules.references]
        shared = None
    else:
        fields = [each.bank for each in terms.rules.references if each.bank not in SHARED]
        shared = item.entry_reference if item.key.part else None
    return [
        (item.side, field, reference, item.amount)
        for field in dict.fromkeys(fields)
        if (reference := getattr(item, field)) and reference != shared
    ]


def _match_weakly(pool: Pool) -> None:
    rules = pool.terms.rules
    for level in (rules.levels.auto_confirm, rules.levels.suggest):
        if rules.composite is not None:
            match_composite(pool, rules.composite, score_min=level)
        if rules.sums is None:
            continue
        for with_party in (True, False):
            score = rules.sums.score + (rules.sums.counterparty if with_party else 0)
            is_sure = score >= rules.levels.auto_confirm
            if score >= level and is_sure == (level == rules.levels.auto_confirm):
                match_sums(pool, rules.sums, with_party=with_party)


def _decline(pool: Pool) -> None:
    words = (
        f"{len(pool.bank)} of the bank and {len(pool.ledger)} of the ledger are open, "
        f"at most {pool.terms.rules.items_max} are compared without a reference"
    )
    items: list[Item] = [*pool.bank.values(), *pool.ledger.values()]
    for item in items:
        pool.note(item, Why.UNSEARCHED, words)


def _place(found: Match | Ambiguity) -> tuple[object, ...]:
    return found.bank, found.ledger, found.rule
