"""Every total by two roads: the figures as given, and the items added up. They must be equal.

A figure that is wrong in a signed report is worse than no report, so a dataset whose totals do not
tie is never stored. Which of the two roads is wrong is not for this file to say.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from recon_streams.kernel.money import ZERO, add, amount_text, subtract
from recon_streams.reports.account_day import AccountDay, Item, ItemKind, StatementUsed
from recon_streams.reports.account_window import AccountWindow, Movement
from recon_streams.reports.backing import backing_of
from recon_streams.reports.dataset import Dataset
from recon_streams.reports.parts import Leg
from recon_streams.reports.shortage import shortage_in


class Tie(msgspec.Struct, frozen=True, kw_only=True):
    """One total and both roads to it.

    Attributes:
        where: Account and currency, or the currency.
        what: Which total, as an equation in words.
        given: As the figures say.
        added: As the parts add up.
    """

    where: str
    what: str
    given: str
    added: str

    @property
    def holds(self) -> bool:
        """Whether both roads lead to the same."""
        return self.given == self.added


class TotalsDisagree(AssertionError):
    """Two roads to one total end at two figures: we are wrong, and nothing may be stored."""

    def __init__(self, tie: Tie) -> None:
        super().__init__(f"{tie.where}: {tie.what}: given {tie.given}, added up {tie.added}")
        self.tie = tie


def require_ties(dataset: Dataset) -> int:
    """Assert that every total of `dataset` ties, and return how many there are.

    Raises:
        TotalsDisagree: one does not; it names the total and both figures.
    """
    count = 0
    for tie in ties_of(dataset):
        if not tie.holds:
            raise TotalsDisagree(tie)
        count += 1
    return count


def ties_of(dataset: Dataset) -> Iterator[Tie]:
    """Yield every total of `dataset` with both roads to it."""
    keys = [(account.account_id, account.currency) for account in dataset.accounts]
    yield Tie(
        where="report",
        what="accounts in order, each once",
        given=repr(keys),
        added=repr(sorted(set(keys))),
    )
    for account in dataset.accounts:
        if isinstance(account, AccountDay):
            yield from _ties_of_day(account)
        else:
            yield from _ties_of_window(account)
    yield from _ties_of_backing(dataset)


def explains(leg: Leg, amount: str) -> Decimal:
    """Return the signed part of bank less ledger that `amount` in the books of `leg` explains."""
    signed = Decimal(amount)
    return subtract(ZERO, signed) if leg is Leg.LEDGER else signed


def items_by_kind(items: Sequence[Item]) -> dict[ItemKind, tuple[int, Decimal]]:
    """Return, per kind in order, how many items there are and what they explain together."""
    return {
        kind: (
            sum(item.count for item in items if item.kind is kind),
            total(explains(item.leg, item.amount) for item in items if item.kind is kind),
        )
        for kind in ItemKind
    }


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum."""
    result = ZERO
    for amount in amounts:
        result = add(result, amount)
    return result


_NO_FIGURE: Final = "none"


def _ties_of_day(account: AccountDay) -> Iterator[Tie]:
    where = f"{account.account_id} {account.currency}"
    yield from _ties_of_items(where, account)
    yield Tie(
        where=where,
        what="explained_total = the sum of the groups",
        given=account.explained_total,
        added=amount_text(total(Decimal(group.explains) for group in account.groups)),
    )
    balances = (account.bank_closing, account.ledger_at_cut_off)
    yield _less(where, "difference = bank - ledger", account.difference, balances)
    parts = (account.difference, account.explained_total)
    yield _less(where, "proof = difference - explained", account.proof, parts)
    covered = total(explains(each.leg, each.amount) for each in account.items if each.covers)
    parts = (account.difference, amount_text(covered))
    yield _less(where, "uncovered = difference - what covers", account.uncovered, parts)
    yield Tie(
        where=where,
        what="shortage = what is missing by itself",
        given=account.shortage or _NO_FIGURE,
        added=_NO_FIGURE
        if account.proof is None
        else amount_text(shortage_in(account.items, Decimal(account.proof))),
    )
    # The auditor's road: start from the bank and arrive at the ledger, item by item.
    if account.bank_closing is not None and account.proof is not None:
        explained = total(explains(item.leg, item.amount) for item in account.items)
        walked = subtract(Decimal(account.bank_closing), explained)
        yield Tie(
            where=where,
            what="ledger = bank - every item - proof",
            given=account.ledger_at_cut_off or _NO_FIGURE,
            added=amount_text(subtract(walked, Decimal(account.proof))),
        )
    for matched in account.matched:
        amounts = (matched.bank_amount, matched.ledger_amount)
        what = f"matched by {matched.rule}: difference = bank - ledger"
        yield _less(where, what, matched.difference, amounts)
    if account.statement is not None:
        yield from _ties_of_statement(where, account, account.statement)


def _ties_of_items(where: str, account: AccountDay) -> Iterator[Tie]:
    given = {group.kind: group for group in account.groups}
    for item in account.items:
        # Another spelling of the same amount would be other bytes under the same id.
        yield Tie(
            where=where,
            what=f"{item.reference}: the amount in its one spelling",
            given=item.amount,
            added=amount_text(Decimal(item.amount)),
        )
    yield Tie(
        where=where,
        what="groups in order, each once",
        given=repr([str(group.kind) for group in account.groups]),
        added=repr([str(kind) for kind in ItemKind if kind in given]),
    )
    for kind, (count, explained) in items_by_kind(account.items).items():
        group = given.get(kind)
        yield Tie(
            where=where,
            what=f"{kind}: the group = the sum of its items",
            given=f"{group.count} of {group.explains}" if group else "0 of 0",
            added=f"{count} of {amount_text(explained)}",
        )


def _ties_of_statement(where: str, account: AccountDay, used: StatementUsed) -> Iterator[Tie]:
    yield Tie(
        where=where,
        what="statement: closing = opening + credits - debits",
        given=used.closing,
        added=_moved(used.opening, used.credits, used.debits),
    )
    yield Tie(
        where=where,
        what="bank_closing = the closing of the statement",
        given=account.bank_closing or _NO_FIGURE,
        added=used.closing,
    )
    yield Tie(
        where=where,
        what="bank_opening = the opening of the statement",
        given=account.bank_opening or _NO_FIGURE,
        added=used.opening,
    )
    if account.chain.previous_closing is not None:
        yield _less(
            where,
            "jump = opening - the closing before",
            account.chain.jump,
            (used.opening, account.chain.previous_closing),
        )


def _ties_of_window(account: AccountWindow) -> Iterator[Tie]:
    where = f"{account.account_id} {account.currency}"
    for side, movement in (("ledger", account.ledger), ("bank", account.bank)):
        yield from _ties_of_movement(where, side, movement)
    yield _less(
        where,
        "difference = bank - ledger",
        account.difference,
        (account.bank.closing, account.ledger.closing),
    )
    yield Tie(
        where=where,
        what="explained_total = the sum of what waits",
        given=account.explained_total,
        added=amount_text(total(Decimal(each.explains) for each in account.waiting)),
    )
    yield _less(
        where,
        "unexplained = difference - explained",
        account.unexplained,
        (account.difference, account.explained_total),
    )
    said = account.bank_balance
    yield _less(
        where,
        "disagreement = the bank's balance - ours",
        said.disagreement,
        (said.balance, said.ours),
    )


def _ties_of_movement(where: str, side: str, movement: Movement) -> Iterator[Tie]:
    if movement.opening is None or movement.closing is None:
        return
    moved = _moved(movement.opening, movement.credits, movement.debits)
    yield Tie(
        where=where,
        what=f"{side}: closing = opening + credits - debits + restated",
        given=movement.closing,
        added=amount_text(add(Decimal(moved), Decimal(movement.restated))),
    )


def _ties_of_backing(dataset: Dataset) -> Iterator[Tie]:
    again = {each.currency: each for each in backing_of(dataset.accounts)}
    yield Tie(
        where="backing",
        what="one row for each currency, in order",
        given=repr([each.currency for each in dataset.backing]),
        added=repr(list(again)),
    )
    for given in dataset.backing:
        yield Tie(
            where=given.currency,
            what="backing = the accounts added up",
            given=repr(given),
            added=repr(again.get(given.currency)),
        )
        yield _less(
            given.currency,
            "backing: difference = bank - ledger",
            given.difference,
            (given.bank, given.ledger),
        )
        yield Tie(
            where=given.currency,
            what="backing: difference = surpluses + shortages",
            given=given.difference,
            added=amount_text(add(Decimal(given.surplus_total), Decimal(given.shortage_total))),
        )


def _moved(opening: str, credits_: str, debits: str) -> str:
    return amount_text(subtract(add(Decimal(opening), Decimal(credits_)), Decimal(debits)))


def _less(where: str, what: str, given: str | None, terms: tuple[str | None, str | None]) -> Tie:
    """Return the tie of a subtraction; without both terms there must be no result either."""
    left, right = terms
    result = _NO_FIGURE
    if left is not None and right is not None:
        result = amount_text(subtract(Decimal(left), Decimal(right)))
    return Tie(where=where, what=what, given=_NO_FIGURE if given is None else given, added=result)
