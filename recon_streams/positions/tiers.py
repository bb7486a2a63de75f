"""How serious a difference is: the four tiers, the asymmetric rule, and the cases with zeros.

The percentage is of the bank balance and compared by cross-multiplication, so nothing is divided
and nothing rounds. Upper bounds are inclusive. A shortage (ledger above bank) is critical whatever
its size; no limit can soften that.
"""

from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

from recon_streams.kernel.money import multiply
from recon_streams.positions.rules import Limits
from topics.positions import Tier

_HUNDRED: Final = Decimal(100)


@unique
class Rule(StrEnum):
    """Which rule gave the verdict."""

    EQUAL = "EQUAL"
    WITHIN_MINOR = "WITHIN_MINOR"
    ABOVE_MINOR = "ABOVE_MINOR"
    ABOVE_SIGNIFICANT = "ABOVE_SIGNIFICANT"
    ABOVE_CRITICAL = "ABOVE_CRITICAL"
    SHORTAGE = "SHORTAGE"
    BANK_OVERDRAWN = "BANK_OVERDRAWN"
    SURPLUS_WITHOUT_BALANCE = "SURPLUS_WITHOUT_BALANCE"
    FIRST_FUNDING = "FIRST_FUNDING"
    FUNDING_ABOVE_LIMIT = "FUNDING_ABOVE_LIMIT"
    LEDGER_NEGATIVE = "LEDGER_NEGATIVE"
    NO_BANK_FIGURE = "NO_BANK_FIGURE"
    NO_LEDGER_FIGURE = "NO_LEDGER_FIGURE"
    BANK_SILENT = "BANK_SILENT"
    LEDGER_SILENT = "LEDGER_SILENT"


def classify(  # noqa: PLR0911 - one return per rule, in the order in which they take precedence
    difference: Decimal, *, ledger: Decimal, bank: Decimal, limits: Limits
) -> tuple[Tier, Rule]:
    """Return the tier of `difference` and the rule that says so.

    Args:
        difference: bank - ledger, or what is left of it once in-flight payments are explained.
        ledger: The ledger balance.
        bank: The booked bank balance; the percentage is of this.
        limits: The account's own limits.
    """
    if ledger < 0:
        return Tier.INTEGRITY, Rule.LEDGER_NEGATIVE
    if bank < 0:
        return Tier.CRITICAL, Rule.BANK_OVERDRAWN
    if difference < 0:
        return Tier.CRITICAL, Rule.SHORTAGE
    if difference == 0:
        return Tier.OK, Rule.EQUAL
    if ledger == 0:
        return Tier.UNALLOCATED, _funding_rule(difference, limits)
    if bank == 0:
        return Tier.CRITICAL, Rule.SURPLUS_WITHOUT_BALANCE
    return _surplus(difference, bank, limits)


def exceeds_percent(difference: Decimal, bank: Decimal, percent: Decimal) -> bool:
    """Return whether `difference` is more than `percent` of `bank`; equal is not more."""
    return multiply(difference, _HUNDRED) > multiply(bank, percent)


def _funding_rule(difference: Decimal, limits: Limits) -> Rule:
    # A percentage of money without tokens is always 100, so only an amount can say "too much".
    most = limits.unallocated_amount
    return Rule.FIRST_FUNDING if most is None or difference <= most else Rule.FUNDING_ABOVE_LIMIT


def _surplus(difference: Decimal, bank: Decimal, limits: Limits) -> tuple[Tier, Rule]:
    steps = (
        (limits.critical_percent, limits.critical_amount, Tier.CRITICAL, Rule.ABOVE_CRITICAL),
        (
            limits.significant_percent,
            limits.significant_amount,
            Tier.SIGNIFICANT,
            Rule.ABOVE_SIGNIFICANT,
        ),
        (limits.minor_percent, limits.minor_amount, Tier.MINOR, Rule.ABOVE_MINOR),
    )
    for percent, amount, tier, rule in steps:
        if exceeds_percent(difference, bank, percent) or (
            amount is not None and difference > amount
        ):
            return tier, rule
    return Tier.OK, Rule.WITHIN_MINOR
