"""The auditor of the simulation: what must be true of an account, from its whole history.

Shares no code with the product and no method either. It keeps every fact and adds them all up
again after each one, counts money in whole hundred-millionths and time in seconds, and knows the
rules as the words of the rule book say them: 1 in 10 000, 1 in 2 000, 1 in 200.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RuleBook:
    """The numbers of one account; amounts in hundred-millionths, times in seconds."""

    minor_amount: int | None = None
    significant_amount: int | None = None
    critical_amount: int | None = None
    unallocated_amount: int | None = None
    bank_silence: int = 3600
    ledger_silence: int = 3600
    clean_needed: int = 3
    dwell: int = 600


@dataclass(frozen=True)
class Fact:
    """Something the account was told: `kind` says which of the rest counts.

    Attributes:
        kind: bank, seen (the bank spoke), move, balance, hold, payout, deposit, release, tick.
        at: When it arrived, seconds into the day.
        said_at: When the ledger says it was.
        amount: Signed where it moves something, else as announced or stated.
        sequence: The ledger's number of it.
        reference: The payment it names.
        due: When the payment is due.
    """

    kind: str
    at: int
    said_at: int = 0
    amount: int = 0
    sequence: int = 0
    reference: str = ""
    due: int = 0


@dataclass
class Opening:
    bank: int | None
    ledger: int | None
    sequence: int
    as_of: int


_HOUR = 3_600
_CHANGES_MAX = 3


@dataclass
class Oracle:
    """One account in the eyes of an auditor with time and patience."""

    opening: Opening
    book: RuleBook
    history: list[Fact] = field(default_factory=list)
    breaker: str = "SUSPENDED"
    epoch: int = 1
    clean: int = 0
    calm_from: int = 0
    changes: list[int] = field(default_factory=list)
    flapping: bool = False
    forgotten: set[tuple[str, int]] = field(default_factory=set)

    def hear(self, fact: Fact) -> dict[str, Any]:
        """Take `fact` in and return everything that must be true now."""
        self.history.append(fact)
        self._forget_finished()
        answer = self.answer()
        self._move_breaker(answer, proves=fact.kind != "tick")
        return {**answer, "breaker": self.breaker, "epoch": self.epoch, "wake": self.wake()}

    def answer(self) -> dict[str, Any]:
        bank, ledger = self.bank(), self.ledger()
        answer: dict[str, Any] = {"bank": bank, "ledger": ledger, "reserved": self.reserved()}
        if bank is None or ledger is None:
            below = (ledger is not None and ledger < 0, bank is not None and bank < 0)
            tier = {(True, False): "INTEGRITY", (False, True): "CRITICAL"}.get(below, "UNKNOWN")
            nothing = {"difference": None, "explained": 0, "unexplained": None}
            return {**answer, **nothing, "raw": tier, "tier": tier}
        explained = sum(self.explains(reference) for reference in self.open_payments())
        raw = self.tier_of(bank - ledger)
        tier = self.tier_of(bank - ledger - explained)
        if tier not in {"CRITICAL", "INTEGRITY"} and self.is_silent():
            tier = "UNKNOWN"
        return {
            **answer,
            "difference": bank - ledger,
            "explained": explained,
            "unexplained": bank - ledger - explained,
            "raw": raw,
            "tier": tier,
        }

    # Figures

    def now(self) -> int:
        return max((fact.at for fact in self.history), default=0)

    def bank(self) -> int | None:
        if self.opening.bank is None:
            return None
        return self.opening.bank + sum(f.amount for f in self.history if f.kind == "bank")

    def ledger(self) -> int | None:
        stated = [(f.sequence, f.amount) for f in self.history if f.kind == "balance"]
        if self.opening.ledger is not None:
            stated.append((self.opening.sequence, self.opening.ledger))
        if not stated:
            return None
        contained, figure = max(stated, key=lambda balance: balance[0])
        return figure + sum(
            f.amount for f in self.history if f.kind == "move" and f.sequence > contained
        )

    def tier_of(self, difference: int) -> str:
        bank, ledger, book = self.bank() or 0, self.ledger() or 0, self.book
        if ledger < 0:
            return "INTEGRITY"
        if bank < 0 or difference < 0:
            return "CRITICAL"
        if ledger == 0 and difference > 0:
            return "UNALLOCATED"
        bounds = (
            (10_000, book.minor_amount, "MINOR"),
            (2_000, book.significant_amount, "SIGNIFICANT"),
            (200, book.critical_amount, "CRITICAL"),
        )
        passed = [
            tier
            for parts, amount, tier in bounds
            if difference * parts > bank or _beyond(difference, amount)
        ]
        return passed[-1] if passed else "OK"

    # Silence

    def bank_heard(self) -> int | None:
        heard = [f.at for f in self.history if f.kind in {"bank", "seen"}]
        if self.opening.bank is not None:
            heard.append(self.opening.as_of)
        return max(heard, default=None)

    def ledger_heard(self) -> int | None:
        heard = [f.said_at for f in self.history if f.kind not in {"bank", "seen", "tick"}]
        if self.opening.ledger is not None:
            heard.append(self.opening.as_of)
        return max(heard, default=None)

    def is_silent(self) -> bool:
        bank, ledger = self.bank_heard(), self.ledger_heard()
        if bank is None or ledger is None:
            return True
        now = self.now()
        return now - bank >= self.book.bank_silence or now - ledger >= self.book.ledger_silence

    # Payments

    def last_word(self, reference: str) -> Fact | None:
        kinds = {"hold", "payout", "deposit", "release"}
        said = [f for f in self.history if f.reference == reference and f.kind in kinds]
        return max(said, key=lambda f: f.sequence, default=None)

    def open_payments(self) -> list[str]:
        references = {f.reference for f in self.history if f.reference}
        payments = []
        for reference in sorted(references):
            word = self.last_word(reference)
            if word is None or word.kind == "release":
                continue
            if (reference, word.sequence) not in self.forgotten:
                payments.append(reference)
        return payments

    def leg(self, reference: str, kind: str) -> int:
        legs = (f for f in self.history if f.kind == kind and f.reference == reference)
        return sum(f.amount for f in legs)

    def explains(self, reference: str) -> int:
        word = self.last_word(reference)
        if word is None or self.now() >= word.due:
            return 0
        sign = 1 if word.kind == "deposit" else -1
        at_bank = _clamped(sign * self.leg(reference, "bank"), word.amount)
        in_ledger = _clamped(sign * self.leg(reference, "move"), word.amount)
        if word.kind == "deposit":
            return at_bank - in_ledger if at_bank > in_ledger else 0
        return in_ledger - at_bank

    def reserved(self) -> int:
        locked = 0
        for reference in self.open_payments():
            word = self.last_word(reference)
            if word is not None and word.kind in {"hold", "payout"}:
                locked += word.amount - _clamped(-self.leg(reference, "move"), word.amount)
        return locked

    def _forget_finished(self) -> None:
        for reference in self.open_payments():
            word = self.last_word(reference)
            if word is None or self.now() < word.due:
                continue
            whole = word.amount if word.kind == "deposit" else -word.amount
            if self.leg(reference, "bank") == whole and self.leg(reference, "move") == whole:
                self.forgotten.add((reference, word.sequence))

    # The breaker

    def _move_breaker(self, answer: dict[str, Any], *, proves: bool) -> None:
        now, tier = self.now(), answer["tier"]
        if tier in {"CRITICAL", "INTEGRITY"}:
            self._enter("OPEN")
        elif tier in {"SIGNIFICANT", "UNKNOWN"} and self.breaker == "CLOSED":
            self._enter("SUSPENDED")
        calm = tier == "UNALLOCATED" or (tier in {"OK", "MINOR"} and self._is_low(answer))
        if not calm:
            self.clean, self.calm_from = 0, now
            return
        self.clean += proves
        if self.breaker != "SUSPENDED":
            return
        if self.clean < self.book.clean_needed or now - self.calm_from < self._dwell():
            return
        if self._changes_within_an_hour() >= _CHANGES_MAX:
            # It would be the fourth change: told once, and held until an hour was calm.
            self.flapping, self.epoch = True, self.epoch + 1
        else:
            self._enter("CLOSED")

    def _is_low(self, answer: dict[str, Any]) -> bool:
        left = answer["unexplained"]
        limit = self.book.significant_amount
        return left * 4_000 <= answer["bank"] and (limit is None or 2 * left <= limit)

    def _enter(self, state: str) -> None:
        if self.breaker != state:
            self.flapping = self._changes_within_an_hour() >= _CHANGES_MAX
            self.changes.append(self.now())
            self.breaker, self.clean, self.calm_from = state, 0, self.now()
            self.epoch += 1

    def _changes_within_an_hour(self) -> int:
        return sum(self.now() - at < _HOUR for at in self.changes)

    def _dwell(self) -> int:
        return max(self.book.dwell, _HOUR) if self.flapping else self.book.dwell

    def wake(self) -> int | None:
        """Return when something may change by itself."""
        instants = []
        for reference in self.open_payments():
            word = self.last_word(reference)
            instants.append(word.due if word else 0)
        for heard, limit in (
            (self.bank_heard(), self.book.bank_silence),
            (self.ledger_heard(), self.book.ledger_silence),
        ):
            if heard is not None:
                instants.append(heard + limit)
        if self.breaker == "SUSPENDED" and self.clean >= self.book.clean_needed:
            instants.append(self.calm_from + self._dwell())
        return min((at for at in instants if at > self.now()), default=None)


def _beyond(difference: int, limit: int | None) -> bool:
    return limit is not None and difference > limit


def _clamped(amount: int, most: int) -> int:
    return min(max(amount, 0), most)
