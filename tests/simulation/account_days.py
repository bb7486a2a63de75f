"""A seed makes a day: what banks and ledgers do to an account, and how late anybody hears of it."""

from dataclasses import replace
from itertools import accumulate
from random import Random

from oracle import Fact, Opening, RuleBook

HOURS = 5
DAY_SECONDS = HOURS * 3600
# Hundred-millionths in the smallest unit: tokens, dinars, dirhams, yen.
SMALLEST_UNITS = (1, 10**5, 10**6, 10**8)
# Sizes of a drift in millionths of the balance, around 0.01 %, 0.05 % and 0.5 %.
DRIFTS = (20, 99, 100, 101, 240, 250, 260, 499, 500, 501, 2_000, 5_000, 5_001, 20_000)
OF_THE_LEDGER = {"move", "balance", "hold", "payout", "deposit", "release"}


class AccountDay:
    """One account: how it opens, its rules, and the facts in the order in which they arrive."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._unit = chance.choice(SMALLEST_UNITS)
        self._balance = chance.choice((0, 10_000, 1_000_000, 10**9)) * 1000 * self._unit
        self.opening = self._opened()
        self.book = self._ruled()
        happened = self._happened()
        self.facts = sorted((self._late(fact) for fact in happened), key=lambda fact: fact.at)

    def _opened(self) -> Opening:
        missing = self._chance.random()
        return Opening(
            bank=None if missing < 0.04 else self._balance,
            ledger=None if 0.02 < missing < 0.08 else self._balance,
            sequence=self._chance.choice((0, 0, 12)),
            as_of=-self._chance.choice((0, 0, 1200, 5000)),
        )

    def _ruled(self) -> RuleBook:
        chance = self._chance

        def limit(millionths: int) -> int | None:
            return self._part(millionths) if chance.random() < 0.2 else None

        return RuleBook(
            minor_amount=limit(50),
            significant_amount=limit(200),
            critical_amount=limit(900),
            unallocated_amount=limit(10),
            clean_needed=chance.choice((1, 2, 3)),
            dwell=chance.choice((0, 60, 600)),
        )

    def _happened(self) -> list[Fact]:
        facts: list[Fact] = []
        for number in range(self._chance.randint(1, 5)):
            facts += self._payment(f"P-{number}")
        for number in range(self._chance.randint(0, 3)):
            facts += self._deposit(f"D-{number}")
        if self._chance.random() < 0.5:
            facts += self._drift()
        facts += [
            Fact("seen", at=at) for at in range(0, DAY_SECONDS, 1500) if self._chance.random() < 0.8
        ]
        facts += [
            Fact("balance", at=at)
            for at in range(700, DAY_SECONDS, 2000)
            if self._chance.random() < 0.7
        ]
        return self._numbered(facts)

    def _payment(self, reference: str) -> list[Fact]:
        """An outgoing payment, usually in order, sometimes with a leg lost, doubled or returned."""
        chance = self._chance
        at, amount = self._some_time(), self._amount()
        kind = chance.choice(("payout", "payout", "hold"))
        due = at + chance.choice((0, 60, 900, 900, 1800))
        facts = [Fact(kind, at, amount=amount, reference=reference, due=due)]
        if chance.random() < 0.15:
            facts = []  # nobody announced it
        if chance.random() < 0.1:
            again = at + chance.randint(1, 1200)
            changed = amount + chance.choice((0, 1, -1)) * self._unit
            facts.append(
                Fact("payout", again, amount=changed, reference=reference, due=again + 900)
            )
        if chance.random() < 0.95:
            facts += self._leg("bank", at, -amount, reference)
        if chance.random() < 0.95:
            facts += self._leg("move", at, -amount, reference)
        if chance.random() < 0.1:
            facts += self._leg("bank", at + 300, amount, reference)
        if chance.random() < 0.1:
            facts.append(Fact("release", at + chance.randint(1, 1500), reference=reference))
        return facts

    def _deposit(self, reference: str) -> list[Fact]:
        at, amount = self._some_time(), self._amount()
        facts = self._leg("bank", at, amount, reference)
        # Tokens follow the money; now and then they do not wait for it.
        waits = self._chance.choice((300, 300, 300, -300))
        facts += self._leg("move", at + waits, amount, reference)
        if self._chance.random() < 0.7:
            announced = Fact("deposit", at - 60, amount=amount, reference=reference, due=at + 900)
            facts.append(announced)
        return facts

    def _leg(self, kind: str, at: int, amount: int, reference: str) -> list[Fact]:
        cut = self._chance.choice((0, 0, 0, amount // 3 // self._unit * self._unit))
        parts = [part for part in (amount - cut, cut) if part]
        return [
            Fact(kind, at + self._chance.randint(1, 600), amount=part, reference=reference)
            for part in parts
        ]

    def _drift(self) -> list[Fact]:
        """Tokens vanish (or, rarely, appear) without money; most of the time they come back."""
        at, amount = self._some_time(), self._part(self._chance.choice(DRIFTS))
        sign = -1 if self._chance.random() < 0.85 else 1
        facts = [Fact("move", at, amount=sign * amount)]
        if self._chance.random() < 0.8:
            facts.append(Fact("move", at + self._chance.randint(1, 900), amount=-sign * amount))
        return facts

    def _numbered(self, facts: list[Fact]) -> list[Fact]:
        """Give the ledger's facts their numbers and its balances what they must say."""
        facts.sort(key=lambda fact: fact.at)
        mine = [fact for fact in facts if fact.kind in OF_THE_LEDGER]
        steps = accumulate(self._chance.randint(1, 3) for _ in mine)
        numbered, figure = [], self._balance
        for fact, step in zip(mine, steps, strict=True):
            stated = fact.amount
            if fact.kind == "move":
                figure += fact.amount
            elif fact.kind == "balance":
                stated = figure if self._chance.random() < 0.95 else figure - self._part(300)
            sequence = self.opening.sequence + step
            numbered.append(replace(fact, sequence=sequence, said_at=fact.at, amount=stated))
        return [*numbered, *(fact for fact in facts if fact.kind not in OF_THE_LEDGER)]

    def _late(self, fact: Fact) -> Fact:
        delay = self._chance.choice((0, 1, 5, 30, 30, 400))
        return replace(fact, at=max(1, fact.at + delay))

    def _some_time(self) -> int:
        return self._chance.randint(100, DAY_SECONDS - 1800)

    def _amount(self) -> int:
        return self._part(self._chance.choice((300, 3_000, 50_000))) or 700 * self._unit

    def _part(self, millionths: int) -> int:
        """Return that part of the balance in whole smallest units."""
        return self._balance * millionths // 10**6 // self._unit * self._unit
