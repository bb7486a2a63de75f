"""Why an account has its verdict, in words and with the amount: a code alone moves nobody. Pure."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from recon_streams.kernel.money import amount_text
from recon_streams.reports.account_day import AccountDay, ItemKind
from recon_streams.reports.account_window import AccountWindow
from recon_streams.reports.backing import figures_of
from recon_streams.reports.figures import printed
from recon_streams.reports.totals import explains, total
from recon_streams.reports.words import KINDS

# By the name of the rule; `amount` is what was judged, without sign.
_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "EQUAL": "nothing is left between bank and ledger",
        "WITHIN_MINOR": "a surplus of {amount} is left, within the limits of the account",
        "ABOVE_MINOR": "a surplus of {amount} is left, above the limit for MINOR",
        "ABOVE_SIGNIFICANT": "a surplus of {amount} is left, above the limit for SIGNIFICANT",
        "ABOVE_CRITICAL": "a surplus of {amount} is left, above the limit for CRITICAL",
        "SHORTAGE": "the bank is short by {amount}; a shortage is CRITICAL whatever its size",
        "BANK_OVERDRAWN": "the bank's balance is {bank}, below zero",
        "SURPLUS_WITHOUT_BALANCE": "a surplus of {amount} is left, and the bank's balance is zero",
        "FIRST_FUNDING": "{amount} is at the bank, and no token is issued",
        "FUNDING_ABOVE_LIMIT": "{amount} is at the bank without tokens, above the limit for that",
        "LEDGER_NEGATIVE": "the ledger is {ledger}, below zero",
        "NO_BANK_FIGURE": "there is no balance of the bank to compare with",
        "NO_LEDGER_FIGURE": "there is no balance of the ledger to compare with",
        "BANK_SILENT": "the bank has been silent for too long to prove anything",
        "LEDGER_SILENT": "the ledger has been silent for too long to prove anything",
    }
)
# Said where the amount is not simply bank less ledger.
_COVERED: Final = " (without what is covered)"
_WAITING: Final = " (without the payments between their legs)"


class Part(msgspec.Struct, frozen=True):
    """One part of an amount: what it is called, how many items it is, and its signed amount."""

    label: str
    count: int
    amount: str


def reason_of(account: AccountDay | AccountWindow) -> str:
    """Return why `account` has its verdict, such as `the bank is short by 35.00; ...`."""
    bank, ledger, _ = figures_of(account)
    judged = judged_amount(account)
    words = _WORDS.get(account.rule, "rule " + account.rule.replace("{", "").replace("}", ""))
    if "{amount}" in words and judged != account.difference:
        is_day = isinstance(account, AccountDay)
        words = words.replace("{amount}", "{amount}" + (_COVERED if is_day else _WAITING), 1)
    return words.format(
        amount=printed(None if judged is None else judged.removeprefix("-"), account.currency),
        bank=printed(bank, account.currency),
        ledger=printed(ledger, account.currency),
    )


def judged_amount(account: AccountDay | AccountWindow) -> str | None:
    """Return the amount that the verdict is on; None if there was none to judge.

    Of a day it is what is missing; else what is not covered, or the proof amount if that is worse.
    """
    if isinstance(account, AccountWindow):
        return account.unexplained
    uncovered, proof = account.uncovered, account.proof
    if account.rule == "SHORTAGE":
        return account.shortage
    if uncovered is None or proof is None or account.proof == "0":
        return uncovered
    return max(uncovered, proof, key=Decimal)


def covering_parts(day: AccountDay) -> tuple[Part, ...]:
    """Return what is taken off `difference` before the verdict, by kind: its items that cover."""
    return tuple(_parts(day, covers=True))


def uncovered_parts(day: AccountDay) -> tuple[Part, ...]:
    """Return what `uncovered` consists of: the items that do not cover, by kind, and the proof."""
    proof = day.proof
    left = () if proof in {None, "0"} else (Part("explained by nothing", 0, proof or "0"),)
    return (*_parts(day, covers=False), *left)


def _parts(day: AccountDay, *, covers: bool) -> Iterator[Part]:
    for kind in ItemKind:
        own = [item for item in day.items if item.kind is kind and item.covers is covers]
        if own:
            amount = total(explains(item.leg, item.amount) for item in own)
            yield Part(KINDS[kind], sum(item.count for item in own), amount_text(amount))
