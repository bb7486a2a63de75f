"""What the book already knows of the payments in a batch, and what the batch adds to it.

Loaded for just the keys a batch mentions, under the locks of its accounts; the additions are
written in the batch's own transaction. Pure: it neither loads nor writes itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

import msgspec

from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.money import ZERO, add
from recon_streams.positions.bank_record import BankRecord, PaymentKey
from recon_streams.positions.identity import Mark, contradicts, is_near
from recon_streams.positions.lumps import Lumps

# Account, digest, ordinal, rung, sequence, part, day, and day of arrival: as the index has them.
MarkRow = tuple[int, bytes, int, int, int, int, date | None, date | None]


class SeenReport(msgspec.Struct, frozen=True):
    """A notification about an account that was taken in.

    Attributes:
        content: Digest of what it said.
        where: The input that brought it.
        became: What became of it there.
    """

    content: bytes
    where: str
    became: Disposition


class SeenMark(msgspec.Struct, frozen=True, gc=False):
    """A mark of a payment already booked. (sequence, part) is the payment it belongs to."""

    ordinal: int
    sequence: int
    part: int
    booked_on: date | None


class Claims:
    """The payments of one account that entries of one message were paired with.

    An entry is never looked for among those that were claimed already: of thousands of equal ones
    each is passed over once.
    """

    __slots__ = ("_passed", "payments", "siblings")

    def __init__(self) -> None:
        """Begin with none."""
        self.payments: set[tuple[int, int]] = set()
        self._passed: dict[bytes, int] = {}
        # Inputs that brought other pages of the same statement; None if it is not in pages.
        self.siblings: frozenset[str] | None = None

    def add(self, payment: tuple[int, int]) -> None:
        """Claim `payment`, a sequence and a part."""
        self.payments.add(payment)

    def free(self, digest: bytes, seen: Sequence["SeenMark"]) -> Iterator["SeenMark"]:
        """Yield those of `seen`, which all have the mark `digest`, that nobody claimed."""
        passed = self._passed.get(digest, 0)
        while passed < len(seen) and (seen[passed].sequence, seen[passed].part) in self.payments:
            passed += 1
        self._passed[digest] = passed
        for place in range(passed, len(seen)):
            if (seen[place].sequence, seen[place].part) not in self.payments:
                yield seen[place]


class SeenMovement(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger record that was taken in, under its id."""

    content: bytes
    sequence: int


class AddedMovement(msgspec.Struct, frozen=True, kw_only=True):
    """A row for the index of ledger records.

    `names_payment` is true of announcements and releases: of one reference the last of them counts,
    whatever order they arrive in.
    """

    account: int
    movement_id: str
    content: bytes
    ledger_sequence: int
    amount: Decimal
    reference: str | None
    names_payment: bool
    sequence: int
    kind: str
    occurred_at: datetime
    uetr: str | None = None
    bank_reference: str | None = None
    batch_reference: str | None = None


@dataclass
class Known:
    """The index of what was seen, keyed by account number first.

    `marks` leads from the digests a batch mentions to payments; `carried` holds, by account,
    sequence and part, all marks of each of these payments, the unmentioned ones too.
    """

    reports: dict[tuple[int, bytes], SeenReport] = field(default_factory=dict)
    marks: dict[tuple[int, bytes], list[SeenMark]] = field(default_factory=dict)
    carried: dict[tuple[int, int, int], set[Mark]] = field(default_factory=dict)
    bank: BankRecord = field(default_factory=BankRecord)
    lumps: Lumps = field(default_factory=Lumps)
    movements: dict[tuple[int, str], SeenMovement] = field(default_factory=dict)
    ledger_sequences: dict[tuple[int, int], str] = field(default_factory=dict)
    bank_legs: dict[tuple[int, str], Decimal] = field(default_factory=dict)
    ledger_legs: dict[tuple[int, str], Decimal] = field(default_factory=dict)
    named: dict[tuple[int, str], int] = field(default_factory=dict)
    moved_after: dict[tuple[int, int], Decimal] = field(default_factory=dict)

    added_reports: dict[tuple[int, bytes], SeenReport] = field(default_factory=dict)
    added_marks: list[MarkRow] = field(default_factory=list)
    added_movements: list[AddedMovement] = field(default_factory=list)
    added_bank_legs: dict[tuple[int, str], Decimal] = field(default_factory=dict)

    def find(
        self,
        account: int,
        marks: tuple[Mark, ...],
        *,
        booked_on: date | None,
        claimed: Claims,
        looks: Sequence[Mark] = (),
    ) -> SeenMark | None:
        """Return the known payment that `marks` mean, strongest mark first, or None.

        Args:
            account: Its number.
            marks: Of the entry, strongest first.
            booked_on: Its day; payments of days far from it are others.
            claimed: Payments that were already paired with another entry of the same message.
            looks: How it looks, if that may decide where its marks say nothing.
        """
        for mark in (*marks, *looks):
            seen_marks = self.marks.get((account, mark.digest))
            if seen_marks is None:
                continue
            for seen in claimed.free(mark.digest, seen_marks):
                key = (account, seen.sequence, seen.part)
                if (
                    is_near(booked_on, seen.booked_on)
                    and not contradicts(marks, self.carried[key], shared=mark.rung)
                    and not self._is_other(key, claimed)
                ):
                    return seen
        return None

    def learn_look(self, account: int, look: Mark, sequence: int, booked_on: date | None) -> None:
        """Remember how the entry of the event `sequence` looks; its row in the book says so too."""
        seen = self.marks.setdefault((account, look.digest), [])
        seen.append(SeenMark(0, sequence, 0, booked_on))
        self.carried.setdefault((account, sequence, 0), set())

    def _is_other(self, key: PaymentKey, claimed: Claims) -> bool:
        """Return whether a payment that shares a mark is known to be another one all the same."""
        payment, siblings = self.bank.payments.get(key), claimed.siblings
        if payment is not None and payment.withdrawn:
            return True
        if siblings is None:
            return False
        # What another page of the same statement holds is something else.
        return payment is not None and (payment.stated_by or payment.origin) in siblings

    def learn(
        self,
        account: int,
        marks: tuple[Mark, ...],
        *,
        payment: tuple[int, int],
        booked_on: date | None,
        arrived_on: date | None = None,
    ) -> None:
        """Remember that `marks` mean `payment`, the event's sequence and the part in it.

        `arrived_on` says in which part of the book of entries a payment stands that is new.
        """
        sequence, part = payment
        key = (account, sequence, part)
        carried = self.carried.get(key)
        if carried is None:
            carried = self.carried[key] = set()
        known = self.bank.payments.get(key)
        there = known.arrived_on if known else arrived_on
        for mark in marks:
            if mark in carried:
                continue
            carried.add(mark)
            digest = mark.digest
            seen = self.marks.setdefault((account, digest), [])
            ordinal = seen[-1].ordinal + 1 if seen else 1
            seen.append(SeenMark(ordinal, sequence, part, booked_on))
            self.added_marks.append(
                (account, digest, ordinal, int(mark.rung), sequence, part, booked_on, there)
            )

    def learn_report(self, account: int, key: bytes, seen: SeenReport) -> None:
        """Remember that the notification `key` was taken in for `account`."""
        self.reports[account, key] = seen
        self.added_reports[account, key] = seen

    def learn_bank_legs(self, account: int, legs: Iterable[tuple[str, Decimal]]) -> None:
        """Add to what the bank booked under each reference."""
        for reference, amount in legs:
            key = (account, reference)
            known, added = self.bank_legs.get(key), self.added_bank_legs.get(key)
            self.bank_legs[key] = amount if known is None else add(known, amount)
            self.added_bank_legs[key] = amount if added is None else add(added, amount)

    def learn_movement(self, row: AddedMovement) -> None:
        """Remember a ledger record: its id, its sequence, its leg, its release."""
        account = row.account
        self.movements[account, row.movement_id] = SeenMovement(
            content=row.content, sequence=row.sequence
        )
        self.ledger_sequences[account, row.ledger_sequence] = row.movement_id
        self.added_movements.append(row)
        if row.reference is not None:
            key = (account, row.reference)
            self.ledger_legs[key] = add(self.ledger_legs.get(key, ZERO), row.amount)
            if row.names_payment:
                self.named[key] = max(self.named.get(key, 0), row.ledger_sequence)
        for (other, sequence), total in self.moved_after.items():
            if other == account and row.ledger_sequence > sequence:
                self.moved_after[other, sequence] = add(total, row.amount)
