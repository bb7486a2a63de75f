"""Storyboards: a day of one account as text rows, with what must be decided after each.

    rules    minor_amount=10                     before `opening`, or as a change later on
    opening  bank 5000.00 ledger 5000.00         or one of them; `through 7`, `as_of T`
    proven                                       enough clean evidence and time for CLOSED
    bank     +1500.00 P-1                        a booked entry, with the payment it names
    bank     observed                            the bank spoke and booked nothing
    ledger   issue 1500.00 P-1                   or `redeem`; `#7` gives the ledger sequence
    ledger   balance 6500.00 through 7
    ledger   payout P-1 1000.00 due +900s        or `hold`, `deposit`; `release P-1`
    time passes                                  a tick
    people trip                                  or `reset`, `override 600s`; always two of them

A row happens a second after the one before it, or at the `HH:MM:SS` (or `+600s`) it begins with.
Behind `=>` stand the decisions, separated by commas; see `_CHECKS` for the words.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from recon_streams.kernel.money import amount_text
from recon_streams.positions.event import (
    AccountEvent,
    Announced,
    BankMoved,
    BankObserved,
    Elapsed,
    Evidence,
    ItemKind,
    LedgerBalanced,
    LedgerMoved,
    Leg,
    Overridden,
    Registered,
    Released,
    Reset,
    RulesChanged,
    Tripped,
    event_bytes,
    event_from_bytes,
)
from recon_streams.positions.rules import Clearing, Limits, Rules
from recon_streams.positions.state import AccountState, state_bytes, state_from_bytes
from recon_streams.positions.step import Step, register, step, wake_at

DAY = datetime(2026, 11, 20, tzinfo=UTC)
_CLOCK = re.compile(r"\d\d:\d\d:\d\d|\+\d+s")
_ZERO = Decimal(0)


class Story:
    """One account while its story is told."""

    def __init__(self) -> None:
        self.rules = Rules()
        self.now = DAY.replace(hour=9) - timedelta(seconds=1)
        self.taken: Step | None = None
        self._row = ""
        self._sequence = 0
        self._offset = 0
        self._bank_legs: dict[str, Decimal] = {}
        self._ledger_legs: dict[str, Decimal] = {}
        self._movements: list[tuple[int, Decimal]] = []
        self._releases: dict[str, int] = {}

    @property
    def step(self) -> Step:
        assert self.taken is not None, "a story begins with `opening`"
        return self.taken

    @property
    def state(self) -> AccountState:
        return self.step.state

    def play(self, text: str) -> "Story":
        for line in text.strip().splitlines():
            self._row = line.strip()
            happening, _, decisions = self._row.partition("=>")
            words = happening.split()
            if _CLOCK.fullmatch(words[0]):
                self.now = self._instant(words.pop(0))
            elif self.taken is not None or words[0] == "opening":
                self.now += timedelta(seconds=1)
            getattr(self, f"_{words[0]}")(words[1:])
            for decision in filter(None, map(str.strip, decisions.split(","))):
                self._check(decision.split())
        return self

    # What happens

    def _rules(self, words: list[str]) -> None:
        for word in words:
            name, _, value = word.partition("=")
            self.rules = _with_rule(self.rules, name, value)
        if self.taken is not None:
            self._take(RulesChanged(at=self.now, version=2))

    def _opening(self, words: list[str]) -> None:
        said = dict(zip(words[::2], words[1::2], strict=True))
        as_of = said.get("as_of", "+0s")
        event = Registered(
            at=self.now,
            bank=Decimal(said["bank"]) if "bank" in said else None,
            ledger=Decimal(said["ledger"]) if "ledger" in said else None,
            ledger_sequence=int(said.get("through", 0)),
            as_of=None if as_of == "never" else self._instant(as_of),
        )
        self._sequence = event.ledger_sequence
        self.taken = register("SAFE", "AED", event, self.rules)

    def _proven(self, words: list[str]) -> None:
        assert not words
        for _ in range(self.rules.clearing.clean_evaluations_min):
            self._take(BankObserved(at=self.now))
        self.now += timedelta(seconds=self.rules.clearing.dwell_seconds_min)
        self._take(Elapsed(at=self.now))

    def _bank(self, words: list[str]) -> None:
        if words == ["observed"]:
            self._take(BankObserved(at=self.now, evidence=self._evidence("bank.notifications")))
            return
        amount = Decimal(words[0])
        for reference in words[1:]:
            self._bank_legs[reference] = self._bank_legs.get(reference, _ZERO) + amount
        self._take(
            BankMoved(
                at=self.now,
                evidence=self._evidence("bank.notifications"),
                amount=amount,
                entry_amount=amount,
                legs=tuple(Leg(reference, amount) for reference in words[1:]),
            )
        )

    def _ledger(self, words: list[str]) -> None:
        verb, *rest = words
        occurred_at = self._instant(_taken_out(rest, "at") or "+0s")
        through = _taken_out(rest, "through")
        due = _taken_out(rest, "due")
        given = next((word for word in rest if re.fullmatch(r"#\d+", word)), None)
        if given is not None:
            rest.remove(given)
        said: dict[str, Any] = {"at": self.now, "evidence": self._evidence("ledger.movements")}
        if verb == "balance":
            assert through is not None
            self._take(self._balanced(said, Decimal(rest[0]), int(through), occurred_at))
            return
        sequence = int(given[1:]) if given else self._sequence + 1
        self._sequence = max(self._sequence, sequence)
        said |= {"ledger_sequence": sequence, "occurred_at": occurred_at}
        if verb in {"issue", "redeem"}:
            self._take(self._moved(said, verb, rest))
        elif verb == "release":
            self._releases[rest[0]] = max(self._releases.get(rest[0], 0), sequence)
            self._take(Released(**said, reference=rest[0]))
        else:
            self._take(self._announced(said, verb, rest, due))

    def _time(self, words: list[str]) -> None:
        assert words == ["passes"]
        self._take(Elapsed(at=self.now))

    def _people(self, words: list[str]) -> None:
        if words == ["trip"]:
            self._take(Tripped(at=self.now, actor="fraud-desk", words="case 4711"))
            return
        verb, *rest = words
        two: dict[str, Any] = {"at": self.now, "words": "seen at the bank", "approval_id": 7}
        two |= {"maker": "amal", "checker": "bashir"}
        if verb == "reset":
            self._take(Reset(**two))
        else:
            assert verb == "override"
            self._take(Overridden(**two, until=self._instant(f"+{rest[0]}")))

    # How it is written down

    def _balanced(
        self, said: dict[str, Any], amount: Decimal, through: int, as_of: datetime
    ) -> LedgerBalanced:
        later = (moved for sequence, moved in self._movements if sequence > through)
        return LedgerBalanced(
            **said,
            amount=amount,
            ledger_sequence=through,
            as_of=as_of,
            moved_after=sum(later, _ZERO),
        )

    def _moved(self, said: dict[str, Any], verb: str, rest: list[str]) -> LedgerMoved:
        amount = Decimal(rest[0]) * (1 if verb == "issue" else -1)
        reference = rest[1] if len(rest) > 1 else None
        self._movements.append((said["ledger_sequence"], amount))
        if reference:
            self._ledger_legs[reference] = self._ledger_legs.get(reference, _ZERO) + amount
        return LedgerMoved(**said, amount=amount, reference=reference)

    def _announced(
        self, said: dict[str, Any], verb: str, rest: list[str], due: str | None
    ) -> Announced:
        reference, amount = rest
        return Announced(
            **said,
            item=ItemKind(verb),
            reference=reference,
            amount=Decimal(amount),
            due_at=self._instant(due or "+900s"),
            bank_leg=self._bank_legs.get(reference, _ZERO),
            ledger_leg=self._ledger_legs.get(reference, _ZERO),
            released=self._releases.get(reference, 0) > said["ledger_sequence"],
        )

    def _take(self, event: AccountEvent) -> None:
        before = self.state
        self.taken = step(before, event, self.rules)
        # In every story: what is read back from the book goes on exactly like what was in memory.
        stored = state_from_bytes(state_bytes(before))
        again = step(stored, event_from_bytes(event_bytes(event)), self.rules)
        assert state_bytes(again.state) == state_bytes(self.state), self._row
        assert (again.verdict, again.transition) == (self.step.verdict, self.step.transition)

    def _evidence(self, topic: str) -> Evidence:
        self._offset += 1
        return Evidence(topic=topic, partition=0, offset=self._offset)

    def _instant(self, word: str) -> datetime:
        if word.startswith(("+", "-")):
            return self.now + timedelta(seconds=int(word[:-1]))
        hour, minute, second = (int(part) for part in word.split(":"))
        return DAY.replace(hour=hour, minute=minute, second=second)

    # What was decided

    def _check(self, words: list[str]) -> None:
        what, *rest = words
        found = " ".join(_CHECKS[what](self)) if what in _CHECKS else None
        expected = " ".join(rest)
        if what in _CHECKS:
            # `=> OPEN` is enough where the reason is not the point of the story.
            found = found if " by " in f" {expected} " else (found or "").partition(" by ")[0]
            assert found == expected, f"{self._row}\n    {what} is {found}, not {expected}"
            return
        state = self.state.breaker
        if what in {"CLOSED", "SUSPENDED", "OPEN"}:
            shown = f"{state.state.value} by {state.reason}" if rest else state.state.value
        else:
            verdict = self.step.verdict
            shown = f"{verdict.tier.value} by {verdict.rule.value}" if rest else verdict.tier.value
        assert shown == " ".join(words), f"{self._row}\n    it is {shown}"


def _figure(name: str) -> Callable[[Story], list[str]]:
    def read(story: Story) -> list[str]:
        amount = getattr(story.step.verdict, name)
        return ["unknown" if amount is None else amount_text(amount)]

    return read


def _transition(story: Story) -> list[str]:
    transition = story.step.transition
    if transition is None:
        return ["none"]
    before = transition.from_state.value if transition.from_state else "nothing"
    return [before, "to", transition.to_state.value, "by", transition.reason]


def _wakes(story: Story) -> list[str]:
    at = wake_at(story.state, story.rules)
    if at is None:
        return ["never"]
    return [f"{at:%H:%M:%S}"] if at.date() == DAY.date() else [f"{at:%H:%M:%S}", "tomorrow"]


_CHECKS: dict[str, Callable[[Story], list[str]]] = {
    "bank": _figure("bank"),
    "ledger": _figure("ledger"),
    "reserved": _figure("reserved"),
    "difference": _figure("difference"),
    "explained": _figure("explained"),
    "unexplained": _figure("unexplained"),
    "raw": lambda story: [
        story.step.verdict.raw_tier.value,
        "by",
        story.step.verdict.raw_rule.value,
    ],
    "transition": _transition,
    "wakes": _wakes,
    "epoch": lambda story: [str(story.state.breaker.epoch)],
    "seq": lambda story: [str(story.state.breaker.seq)],
    "clean": lambda story: [str(story.state.breaker.clean)],
    "payments": lambda story: sorted(story.state.items) or ["none"],
}


def _taken_out(words: list[str], name: str) -> str | None:
    if name not in words:
        return None
    at = words.index(name)
    value = words[at + 1]
    del words[at : at + 2]
    return value


def _with_rule(rules: Rules, name: str, value: str) -> Rules:
    for part, kind in (("limits", Limits), ("clearing", Clearing)):
        if name in kind.__struct_fields__:
            number = int(value) if name.endswith("_min") else Decimal(value)
            changed = msgspec.structs.replace(getattr(rules, part), **{name: number})
            return msgspec.structs.replace(rules, **{part: changed})
    return msgspec.structs.replace(rules, **{name: int(value)})
