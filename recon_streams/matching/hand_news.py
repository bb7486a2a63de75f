"""What a match by hand may not hide: its difference, and what it proves gone. Pure.

A person says that two things are one. That they are of two amounts stays wrong, whoever says it:
else any shortage could be matched away with a cent.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Kind, Source
from recon_streams.kernel.money import ZERO, add, amount_text, subtract
from recon_streams.matching.findings import cause_of
from recon_streams.matching.items import BankItem, Item, ItemKey, LedgerItem, Side
from recon_streams.matching.results import Match

HAND: Final = "hand"
Items = tuple[Sequence[BankItem], Sequence[LedgerItem]]


def difference_of(banks: Sequence[BankItem], ledgers: Sequence[LedgerItem]) -> Decimal:
    """Return bank less ledger."""
    return subtract(_sum(banks), _sum(ledgers))


def refusal_of(
    banks: Sequence[BankItem], ledgers: Sequence[LedgerItem], accepted: Decimal | None
) -> str:
    """Return why these items cannot be matched by hand, or "".

    Args:
        banks: Of the bank.
        ledgers: Of the ledger.
        accepted: The difference that the person has named; None if none was.
    """
    bank, ledger = _sum(banks), _sum(ledgers)
    difference = subtract(bank, ledger)
    said = (
        f"the bank's {amount_text(bank)} less the ledger's {amount_text(ledger)} is "
        f"{amount_text(difference)}"
    )
    if _direction(bank) != _direction(ledger):
        return (
            f"the two sides do not go in one direction: {amount_text(bank)} at the bank, "
            f"{amount_text(ledger)} in the ledger; they are no one payment"
        )
    if difference and accepted is None:
        return f"{said}; if that is borne, accept exactly that difference, and say why"
    if (accepted or ZERO) != difference:
        return f"{said}, and not {amount_text(accepted or ZERO)}"
    return ""


def proven_by_hand(
    account: int,
    match: Match,
    match_id: int,
    about: tuple[Items, Mapping[tuple[Side, ItemKey], str]],
) -> tuple[list[Finding], list[Cleared]]:
    """Return what is wrong with a match that a person made, and what it proves gone.

    Args:
        account: Its number.
        match: As it is stored.
        match_id: Its name.
        about: Its items; and what was found of each of them before, as it is kept beside them.
    """
    (banks, ledgers), before = about
    found = []
    if match.rule == HAND and match.difference:
        found = [_finding(account, match, match_id, (banks, ledgers))]
    proof = {"matched by": match.rule if match.rule == HAND else f"{match.rule}, confirmed"}
    proof["match"] = str(match_id)
    cleared = [
        Cleared(cause=cause_of(account, text), source=Source.MATCHING, proof=proof)
        for text in sorted(set(before.values()))
    ]
    return found, cleared


def difference_taken_apart(account: int, match_id: int) -> Cleared:
    """Return that the difference of a match is gone, as the match is: its items are open again."""
    cause = _cause(account, match_id)
    return Cleared(cause=cause, source=Source.MATCHING, proof={"taken apart": f"match {match_id}"})


def _finding(account: int, match: Match, match_id: int, items: Items) -> Finding:
    banks, ledgers = items
    every: list[Item] = [*banks, *ledgers]
    return Finding(
        cause=_cause(account, match_id),
        source=Source.MATCHING,
        amount=match.difference,
        facts={
            "matched by": "hand",
            "bank amount": amount_text(_sum(banks)),
            "ledger amount": amount_text(_sum(ledgers)),
            "items": ", ".join(item.name for item in every),
        },
        on=min(item.on for item in every),
    )


def _cause(account: int, match_id: int) -> Cause:
    return Cause(kind=Kind.AMOUNT_MISMATCH, account=account, subject=f"match {match_id} by hand")


def _direction(amount: Decimal) -> int:
    return (amount > ZERO) - (amount < ZERO)


def _sum(items: Iterable[Item]) -> Decimal:
    total = ZERO
    for item in items:
        total = add(total, item.amount)
    return total
