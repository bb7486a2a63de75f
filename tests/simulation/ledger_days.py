"""A ledger beside the bank's days: it mirrors payments late, early, twice, wrongly, or never."""

from dataclasses import dataclass
from random import Random

from bank_days import BankDays, Payment


@dataclass(frozen=True)
class Movement:
    """One movement; `at` is when it is told, `day` when it was, `sequence` its place."""

    at: float
    day: int
    minor: int
    payment: Payment
    sequence: int = 0

    @property
    def reference(self) -> str:
        """What can be equal to a reference of the bank; a payment without any has none."""
        return "" if self.payment.how == "nothing" else f"{self.payment.how} {self.payment.number}"


def ledger_of(days: BankDays) -> list[Movement]:
    """Return what the ledger does of the bank's payments, in order of arrival."""
    chance = Random(days.seed + 10_000)
    found: list[Movement] = []
    for payment in days.payments:
        if chance.random() < 0.08:
            continue
        wrong = chance.choice((1_00, -1)) if chance.random() < 0.07 else 0
        day = max(0, payment.day + chance.choice((-1, 0, 0, 0, 0, 1, 2)))
        at = day + chance.random() * chance.choice((0.8, 0.8, 2.5))
        found.append(Movement(at, day, payment.minor + wrong or 1, payment))
        if chance.random() < 0.06:
            found.append(Movement(at + 1.1, day + 1, payment.minor, payment))
    found.sort(key=lambda movement: movement.at)
    return [
        Movement(m.at, m.day, m.minor, m.payment, sequence)
        for sequence, m in enumerate(found, start=1)
    ]
