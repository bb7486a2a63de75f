"""The single questions asked of a pair: same reference, same amount, how many days; with numbers.

Every rule and every explanation uses these, so that what is told is what was decided.
"""

from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from recon_streams.kernel.calendar import BusinessDays
from recon_streams.kernel.money import ZERO, amount_text, subtract
from recon_streams.matching.items import BankItem, ItemKey, LedgerItem, Side
from recon_streams.matching.rules import Fee, MatchingRules, ReferencePass, Tolerance


class Fit(NamedTuple):
    """How two amounts fit: exactly, by a fee, within a tolerance, or not at all (`is_near` false).

    Attributes:
        difference: Bank less ledger.
        explained_by: As in `Match`.
    """

    is_near: bool
    difference: Decimal
    explained_by: str = ""


class Terms:
    """What matching one account goes by."""

    def __init__(  # noqa: PLR0913 - all of it is about one account
        self,
        rules: MatchingRules,
        calendar: BusinessDays,
        *,
        currency: str = "",
        scale: int = 2,
        apart: frozenset[tuple[ItemKey, ItemKey]] = frozenset(),
        repeated: frozenset[tuple[Side, ItemKey]] = frozenset(),
    ) -> None:
        """Resolve `rules` for an account.

        Args:
            rules: The version in force.
            calendar: Of the account's bank.
            currency: Of the account.
            scale: Decimals of its amounts; fees are rounded to them.
            apart: Pairs (bank, ledger) that a person has said do not belong together.
            repeated: Items whose like was matched before: same reference, same amount.
        """
        self.rules = rules
        self.calendar = calendar
        self.scale = scale
        self.apart = apart
        self.repeated = repeated
        self.tolerance: Tolerance = rules.tolerance_of(currency)
        self.fees: tuple[Fee, ...] = rules.fees_of(currency)
        self.alternatives = rules.alternatives
        self._days: dict[tuple[date, date], int] = {}

    @cached_property
    def apart_of(self) -> dict[tuple[Side, ItemKey], frozenset[ItemKey]]:
        """Return by item the items of the other side it was taken apart from."""
        found: dict[tuple[Side, ItemKey], set[ItemKey]] = {}
        for bank, ledger in self.apart:
            found.setdefault((Side.BANK, bank), set()).add(ledger)
            found.setdefault((Side.LEDGER, ledger), set()).add(bank)
        return {item: frozenset(others) for item, others in found.items()}

    def days_between(self, ledger_on: date, bank_on: date) -> int:
        """Return the business days from the ledger's day to the bank's; negative if it is later."""
        pair = (ledger_on, bank_on)
        if pair not in self._days:
            self._days[pair] = self.calendar.business_days_between(ledger_on, bank_on)
        return self._days[pair]

    def are_apart(self, bank: BankItem, ledger: LedgerItem) -> bool:
        """Return whether a person has taken the two apart."""
        return (bank.key, ledger.key) in self.apart

    def fit(self, bank: Decimal, ledger: Decimal, *, counterparty: str | None = None) -> Fit:
        """Return how the two amounts fit; amounts of opposite signs never do."""
        difference = subtract(bank, ledger)
        if not difference:
            return Fit(is_near=True, difference=ZERO)
        if (bank > 0) != (ledger > 0):
            return Fit(is_near=False, difference=difference)
        for fee in self.fees:
            is_for = not fee.counterparties or counterparty in fee.counterparties
            if is_for and -difference == fee.of(ledger, self.scale):
                return Fit(is_near=True, difference=difference, explained_by=f"fee {fee.name}")
        if abs(difference) <= self.tolerance.limit(ledger):
            return Fit(is_near=True, difference=difference, explained_by="tolerance")
        return Fit(is_near=False, difference=difference)

    def shown(self, amount: Decimal) -> str:
        """Return `amount` with at least the decimals of the account."""
        text = amount_text(amount)
        whole, _, fraction = text.partition(".")
        fraction = fraction.ljust(self.scale, "0")
        return f"{whole}.{fraction}" if fraction else whole


def agreement(bank: BankItem, ledger: LedgerItem, terms: Terms) -> tuple[ReferencePass | None, str]:
    """Return the pass whose reference is equal, or None, and the conflict in words, or "".

    The strongest reference of the ledger that the bank has a counterpart for decides: a weaker one
    that differs says nothing beside it.
    """
    for alternatives in terms.alternatives:
        right = getattr(ledger, alternatives[0].ledger)
        apart: dict[str, str] = {}
        for each in alternatives:
            left = getattr(bank, each.bank)
            if left and left == right:
                return each, ""
            if left and right:
                apart.setdefault(left, each.name)
        if apart:
            return None, ", ".join(f"{name} {left} vs {right}" for left, name in apart.items())
    return None, ""


def is_overruled(bank: BankItem, ledger: LedgerItem, each: ReferencePass, terms: Terms) -> bool:
    """Return whether a stronger reference than that of `each` says that the two are not one."""
    for alternatives in terms.alternatives:
        if each in alternatives:
            return False
        said = [getattr(bank, other.bank) for other in alternatives]
        right = getattr(ledger, alternatives[0].ledger)
        if right and any(said) and right not in said:
            return True
    return False


def same_party(left: str | None, right: str | None) -> bool:
    """Return whether both name the same counterparty, whatever the capitals and spaces."""
    return bool(left and right) and party_of(left) == party_of(right)


def party_of(name: str | None) -> str:
    """Return a counterparty's name without what people write differently."""
    return " ".join((name or "").split()).casefold()


def amount_words(terms: Terms, bank: Decimal, ledger: Decimal, fit: Fit) -> str:
    """Return the amount predicate in words."""
    if not fit.difference:
        return f"amount {terms.shown(bank)} equal"
    said = f"amount {terms.shown(bank)} vs {terms.shown(ledger)}"
    limit = terms.shown(terms.tolerance.limit(ledger))
    if fit.explained_by == "tolerance":
        return f"{said}, within tolerance {limit}"
    if fit.explained_by:
        return f"{said}, {fit.explained_by} {terms.shown(-fit.difference)}"
    return f"{said}, tolerance {limit}"


def date_words(terms: Terms, bank_on: date, ledger_on: date, days_max: int | None = None) -> str:
    """Return the date predicate in words; with the window if it was missed."""
    days = terms.days_between(ledger_on, bank_on)
    said = "date equal" if bank_on == ledger_on else f"date {days:+d} d"
    return said if days_max is None else f"{said}, window {days_max} d"
