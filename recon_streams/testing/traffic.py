"""Makes traffic whose outcome is known: seeded bank and ledger records, and the truth about them.

Shares no code with what it tests: messages are text templates, the truth is whole numbers of minor
units added up here. Every duplicate and every broken record is counted when it is made.
"""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from recon_streams.testing.bank_text import BALANCE, CAMT_053, CAMT_054, ENTRY

CURRENCY: Final = "AED"
OPENING_MINOR: Final = 1_000_000_000_00


class Input(NamedTuple):
    """One record to publish."""

    topic: str
    key: bytes
    value: bytes


@dataclass
class Truth:
    """What the book must say once all inputs are in; amounts in minor units."""

    bank_minor: Counter[str] = field(default_factory=Counter)
    ledger_minor: Counter[str] = field(default_factory=Counter)
    inputs: int = 0
    duplicates: int = 0
    broken: int = 0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much of what. Shares are of all inputs.

    With statements an account's bank days end one by one; whether a notification that its day's
    statement overtook counts as a duplicate then depends on the order of arrival.
    """

    inputs: int
    accounts: int = 20
    seed: int = 1
    duplicate_share: float = 0.25
    broken_share: float = 0.005
    statement_share: float = 0
    entries_min: int = 1
    entries_max: int = 3
    day: datetime = datetime(2026, 11, 20, 8, tzinfo=UTC)


@dataclass
class _BankDay:
    """One day of one account as its bank has booked it so far."""

    number: int = 0
    opening_minor: int = OPENING_MINOR
    moved_minor: int = 0
    entries: list[str] = field(default_factory=list)


class Traffic:
    """A seeded stream of inputs; `truth` is complete once it has been iterated over."""

    def __init__(self, plan: Plan) -> None:
        """Prepare `plan`; the same plan always gives the same bytes."""
        self.plan = plan
        self.truth = Truth()
        self._random = random.Random(plan.seed)  # noqa: S311 - a seed, not a secret
        self._recent: list[Input] = []
        self._number = 0
        self._sequences: Counter[str] = Counter()
        self._days: defaultdict[str, _BankDay] = defaultdict(_BankDay)
        for account in self.accounts():
            self.truth.bank_minor[account] = OPENING_MINOR
            self.truth.ledger_minor[account] = OPENING_MINOR

    def accounts(self) -> list[str]:
        """Return the ledger ids of the accounts."""
        return [f"STORM-{number:05}" for number in range(self.plan.accounts)]

    def registry(self, *, dwell_seconds: int = 0) -> str:
        """Return the accounts as a registry file, each with a bank id of the same number."""
        lines = ["accounts:"]
        as_of = (self.plan.day - timedelta(hours=1)).isoformat()
        for account in self.accounts():
            lines += [
                f"  - account_id: {account}",
                f"    currency: {CURRENCY}",
                f"    bank_accounts: [{{other: {bank_id_of(account)}}}]",
                f"    clearing: {{dwell_seconds_min: {dwell_seconds}}}",
                "    silence: {bank_seconds_max: 31536000, ledger_seconds_max: 31536000}",
                (
                    f'    opening: {{bank: "{text_of(OPENING_MINOR)}", '
                    f'ledger: "{text_of(OPENING_MINOR)}", ledger_sequence: 0, as_of: "{as_of}"}}'
                ),
            ]
        return "\n".join(lines) + "\n"

    def __iter__(self) -> Iterator[Input]:
        """Yield the inputs in the order they are to be published."""
        while self.truth.inputs < self.plan.inputs:
            self.truth.inputs += 1
            draw = self._random.random()
            plan = self.plan
            usual = plan.duplicate_share + plan.broken_share
            if draw < plan.duplicate_share and self._recent:
                yield self._duplicate()
            elif draw < usual:
                yield self._broken()
            elif draw < usual + plan.statement_share:
                made = self._statement()
                self._recent.append(made)
                yield made
            else:
                made = self._bank() if self._random.random() < 0.6 else self._ledger()  # noqa: PLR2004
                self._recent.append(made)
                del self._recent[:-500]
                yield made

    def _duplicate(self) -> Input:
        self.truth.duplicates += 1
        again = self._random.choice(self._recent)
        if again.topic == "bank.notifications" and self._random.random() < 0.5:  # noqa: PLR2004
            # Banks send the same movements again under another message id.
            self._number += 1
            message_id = again.value.split(b"<MsgId>")[1].split(b"</MsgId>")[0]
            other = again.value.replace(message_id, f"RESENT-{self._number}".encode())
            return again._replace(value=other)
        return again

    def _broken(self) -> Input:
        self.truth.broken += 1
        account, message = self._account(), self._new_message()
        day = self._days[account].number
        return self._message(account, self._entry("12,50", "CRDT", day), message)

    def _statement(self) -> Input:
        """End the day of an account: all of its entries, and one that nobody announced."""
        account = self._account()
        day = self._days.pop(account, _BankDay())
        minor = self._random.randint(1, 500_000)
        self.truth.bank_minor[account] += minor
        entries = "".join([*day.entries, self._entry(text_of(minor), "CRDT", day.number)])
        closing = day.opening_minor + day.moved_minor + minor
        self._days[account] = _BankDay(day.number + 1, closing)
        balances = "".join(
            BALANCE.format(
                code=code,
                currency=CURRENCY,
                amount=text_of(abs(balance)),
                direction="CRDT" if balance >= 0 else "DBIT",
                day=self._date(day.number),
            )
            for code, balance in (("OPBD", day.opening_minor), ("CLBD", closing))
        )
        self._number += 1
        statement = CAMT_053.format(
            message_id=f"STMT-{account}-{day.number}",
            created=self._instant(),
            number=day.number + 1,
            bank_id=bank_id_of(account),
            currency=CURRENCY,
            balances=balances,
            entries=entries,
        )
        return Input("bank.statements", account.encode(), statement.encode())

    def _bank(self) -> Input:
        account = self._account()
        day = self._days[account]
        amounts = []
        for _ in range(self._random.randint(self.plan.entries_min, self.plan.entries_max)):
            minor = self._random.randint(1, 500_000)
            direction = self._random.choice(("CRDT", "DBIT"))
            signed = minor if direction == "CRDT" else -minor
            self.truth.bank_minor[account] += signed
            day.moved_minor += signed
            amounts.append((text_of(minor), direction))
        message = self._new_message()
        entries = [self._entry(*each, day.number) for each in amounts]
        if self.plan.statement_share:
            day.entries += entries
        return self._message(account, "".join(entries), message)

    def _ledger(self) -> Input:
        account = self._account()
        self._number += 1
        self._sequences[account] += 1
        minor = self._random.randint(1, 500_000)
        kind = self._random.choice(("issue", "redeem"))
        self.truth.ledger_minor[account] += minor if kind == "issue" else -minor
        record = {
            "kind": kind,
            "movement_id": f"mv-{self._number}",
            "account_id": account,
            "currency": CURRENCY,
            "ledger_sequence": self._sequences[account],
            "occurred_at": self._instant(),
            "amount": text_of(minor),
            "reference": f"E2E-{self._number}",
        }
        return Input("ledger.movements", account.encode(), json.dumps(record).encode())

    def _entry(self, amount: str, direction: str, day: int) -> str:
        self._number += 1
        return ENTRY.format(
            currency=CURRENCY,
            amount=amount,
            direction=direction,
            day=self._date(day),
            servicer_reference=f"SVC-{self._number}",
            end_to_end_id=f"E2E-{self._number}",
            uetr=self._uetr(),
            number=self._number,
        )

    def _new_message(self) -> tuple[str, str]:
        """Return the id of the next message and when it was created."""
        self._number += 1
        return f"MSG-{self._number}", self._instant()

    def _message(self, account: str, entries: str, message: tuple[str, str]) -> Input:
        message_id, created = message
        text = CAMT_054.format(
            message_id=message_id,
            created=created,
            bank_id=bank_id_of(account),
            currency=CURRENCY,
            entries=entries,
        )
        return Input("bank.notifications", account.encode(), text.encode())

    def _date(self, day: int) -> str:
        return (self.plan.day.date() + timedelta(days=day)).isoformat()

    def _account(self) -> str:
        return f"STORM-{self._random.randrange(self.plan.accounts):05}"

    def _instant(self) -> str:
        return (self.plan.day + timedelta(milliseconds=self._number)).isoformat()

    def _uetr(self) -> str:
        bits = f"{self._random.getrandbits(128):032x}"
        return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"


def bank_id_of(account: str) -> str:
    """Return what the bank calls `account`."""
    return account.replace("STORM-", "BANK-")


def text_of(minor: int) -> str:
    """Return minor units as the amount a bank would print."""
    return f"{Decimal(minor).scaleb(-2):.2f}"
