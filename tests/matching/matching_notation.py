"""Items in an accountant's few words, for stories, laws and the oracle."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from recon_streams.matching.engine import match
from recon_streams.matching.items import BankItem, ItemKey, LedgerItem
from recon_streams.matching.predicates import Terms
from recon_streams.matching.results import Matching
from recon_streams.matching.rules import (
    Anchor,
    BatchPass,
    CompositePass,
    MatchingRules,
    ReferencePass,
    SumPass,
)

MONDAY = date(2026, 3, 2)

RULES = MatchingRules(
    version=1,
    sha256="0" * 64,
    references=(
        ReferencePass(name="uetr", bank="uetr", ledger="uetr", score=100),
        ReferencePass(
            name="bank_reference", bank="servicer_reference", ledger="bank_reference", score=98
        ),
        ReferencePass(
            name="bank_entry_reference", bank="entry_reference", ledger="bank_reference", score=98
        ),
        ReferencePass(name="end_to_end", bank="end_to_end_id", ledger="reference", score=96),
    ),
    batch=BatchPass(
        name="batch",
        anchors=(
            Anchor(bank="batch_reference", ledger="batch_reference"),
            Anchor(bank="end_to_end_id", ledger="batch_reference"),
            Anchor(bank="entry_reference", ledger="bank_reference"),
            Anchor(bank="batch_reference", ledger="reference"),
        ),
    ),
    composite=CompositePass(name="composite"),
    sums=SumPass(name="sum"),
)


class Weekdays:
    """A calendar without holidays, counted day by day."""

    def is_business_day(self, on: date) -> bool:
        return on.weekday() < 5

    def business_days_between(self, since: date, until: date) -> int:
        if until < since:
            return -self.business_days_between(until, since)
        days = (since + timedelta(n) for n in range(1, (until - since).days + 1))
        return sum(self.is_business_day(day) for day in days)

    def add_business_days(self, on: date, count: int) -> date:
        while count or not self.is_business_day(on):
            on += timedelta(1)
            count -= 1 if count and self.is_business_day(on) else 0
        return on


WEEKDAYS = Weekdays()


def bank(number: int, amount: str, *, day: int = 0, part: int = 0, **words: Any) -> BankItem:
    """Return what the bank booked `day` days after Monday."""
    words = {_LONG.get(word, word): value for word, value in words.items()}
    return BankItem(
        key=ItemKey(number, part),
        on=MONDAY + timedelta(day),
        amount=Decimal(amount),
        arrived_on=MONDAY + timedelta(day),
        **words,
    )


def ledger(number: int, amount: str, *, day: int = 0, **words: Any) -> LedgerItem:
    """Return what the ledger did `day` days after Monday."""
    words = {_LONG_LEDGER.get(word, word): value for word, value in words.items()}
    return LedgerItem(
        key=ItemKey(number),
        movement_id=f"mv-{number}",
        on=MONDAY + timedelta(day),
        amount=Decimal(amount),
        **words,
    )


_LONG = {
    "e2e": "end_to_end_id",
    "batch": "batch_reference",
    "by": "counterparty",
    "sref": "servicer_reference",
    "entry": "entry_reference",
}
_LONG_LEDGER = {"ref": "reference", "batch": "batch_reference", "by": "counterparty"}


def matched(
    banks: Sequence[BankItem],
    ledgers: Sequence[LedgerItem],
    rules: MatchingRules = RULES,
    **words: Any,
) -> Matching:
    """Return the engine's answer."""
    return match(banks, ledgers, Terms(rules, WEEKDAYS, **{"currency": "EUR", **words}))


def legs(answer: Matching) -> list[tuple[str, list[int], list[int]]]:
    """Return the matches as (rule, bank numbers, ledger numbers)."""
    return [
        (each.rule, [key.sequence for key in each.bank], [key.sequence for key in each.ledger])
        for each in answer.matches
    ]


def a_pile(seed: int, size: int = 12) -> tuple[list[BankItem], list[LedgerItem]]:
    """Return items with few amounts, days and references, so that they meet in every way."""
    dice = random.Random(seed)

    def words(names: str) -> dict[str, Any]:
        return {
            name: dice.choice([None, None, f"{name[0]}1", f"{name[0]}2"]) for name in names.split()
        }

    banks, ledgers = [], []
    for n in range(dice.randrange(1, size)):
        said = words("uetr servicer_reference end_to_end_id batch_reference counterparty")
        said["entry_reference"] = said["servicer_reference"] or dice.choice([None, "s1", "s2"])
        if dice.random() < 0.3:  # one of several transactions of an entry
            said["entry_reference"] = "s3"
        amount, day = dice.choice(["10", "20", "30", "-10"]), dice.randrange(0, 12)
        banks.append(bank(2 * n + 1, amount, day=day, **said))
    for n in range(dice.randrange(1, size)):
        said = words("uetr bank_reference reference batch_reference")
        said["bank_reference"] = said["bank_reference"] and said["bank_reference"].replace("b", "s")
        said["reference"] = said["reference"] and said["reference"].replace("r", "e")
        amount, day = dice.choice(["10", "20", "30", "-10"]), dice.randrange(0, 12)
        ledgers.append(ledger(2 * n + 2, amount, day=day, **said))
    return banks, ledgers
