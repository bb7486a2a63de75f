"""What the reports of one message share while it is decided: accounts, claims, findings."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

import msgspec

from recon_streams.discrepancies.finding import Cleared, Finding
from recon_streams.positions.bank_entries import PreparedEntry
from recon_streams.positions.bank_record import PaymentKey
from recon_streams.positions.directory import Account
from recon_streams.positions.event import AccountEvent, Evidence
from recon_streams.positions.identity import Mark, mark_of_members
from recon_streams.positions.known import Claims, SeenMark
from recon_streams.positions.working_set import WorkingSet


class Recognised(msgspec.Struct, frozen=True):
    """An entry that is known: its payment, and those of its transactions with their positions."""

    seen: SeenMark
    parts: tuple[tuple[int, SeenMark], ...]


class MessageIntake:
    """What the reports of one message share while it is decided.

    Attributes:
        events: How many events the message added.
    """

    def __init__(self, working: WorkingSet, at: datetime, evidence: Evidence) -> None:
        """Record on the accounts of `working` what arrived `at`."""
        self.working = working
        self.known = working.known
        self.at = at
        self.evidence = evidence
        self.events = 0
        # By account the payments that an entry of this message was paired with.
        self._claimed: defaultdict[int, Claims] = defaultdict(Claims)

    @property
    def origin(self) -> str:
        """Where the message stands, `topic/partition/offset`."""
        return f"{self.evidence.topic}/{self.evidence.partition}/{self.evidence.offset}"

    def at_path(self, path: str) -> Evidence:
        """Return the evidence for what stands at `path` of the message."""
        whole = self.evidence
        return Evidence(
            topic=whole.topic, partition=whole.partition, offset=whole.offset, path=path
        )

    def record(self, account: Account, event: AccountEvent) -> int:
        """Take `event` into the account's log and return its sequence number there."""
        self.events += 1
        return self.working.record(account, event)

    def set_siblings(self, number: int, origins: Iterable[str] | None) -> None:
        """Say which inputs brought the other pages of what follows; None if it is not a page."""
        siblings = None if origins is None else frozenset(origins) - {self.origin}
        self._claimed[number].siblings = siblings

    def siblings_of(self, number: int) -> frozenset[str]:
        """Return which inputs brought the other pages of what is being taken in."""
        return self._claimed[number].siblings or frozenset()

    def say(self, word: Finding | Cleared) -> None:
        """Note what the message proves wrong, or right again; the last word on a cause counts."""
        self.working.say(word, origin=self.origin, at=self.at)

    def recognise(
        self, number: int, prepared: PreparedEntry, *, looks: Sequence[Mark] = ()
    ) -> Recognised | None:
        """Return the known payment that the entry is, or None if it is new."""
        booked_on = prepared.entry.booked_on
        seen = self.pair(number, prepared.marks, booked_on=booked_on, looks=looks)
        if seen is None:
            return None
        parts = (
            (position, self.pair(number, part.marks, booked_on=booked_on))
            for position, part in enumerate(prepared.parts, start=1)
        )
        return Recognised(seen, tuple((place, part) for place, part in parts if part is not None))

    def pair(
        self,
        number: int,
        marks: tuple[Mark, ...],
        *,
        booked_on: date | None,
        looks: Sequence[Mark] = (),
    ) -> SeenMark | None:
        """Pair `marks` with a known payment that is still free, and return it."""
        known, claimed = self.known, self._claimed[number]
        seen = known.find(number, marks, booked_on=booked_on, claimed=claimed, looks=looks)
        if seen is not None:
            payment = (seen.sequence, seen.part)
            claimed.add(payment)
            # References this observation adds make the payment recognisable under them too.
            known.learn(number, marks, payment=payment, booked_on=booked_on)
        return seen

    def claim_parts(self, number: int, batch: SeenMark) -> list[PaymentKey]:
        """Return what a known batch is the sum of, as far as no other entry was paired with it."""
        claimed = self._claimed[number]
        if batch.part:
            return []
        free = [
            key
            for key in sorted(self.known.bank.parts.get((number, batch.sequence), ()))
            if key[1:] not in claimed.payments
        ]
        for key in free:
            claimed.add(key[1:])
        return free

    def join_batch(self, number: int, sequence: int, member: SeenMark) -> None:
        """Remember that a new batch, told by the event `sequence`, is the sum of `member` too."""
        payment = (member.sequence, member.part)
        marks = (mark_of_members(number, sequence),)
        self.known.learn(number, marks, payment=payment, booked_on=member.booked_on)
        self.known.bank.learn_part((number, sequence), (number, *payment))

    def learn(
        self, number: int, marks: tuple[Mark, ...], payment: tuple[int, int], day: date | None
    ) -> None:
        """Remember that `marks` mean a new payment, which this message cannot mean twice."""
        self._claimed[number].add(payment)
        self.known.learn(number, marks, payment=payment, booked_on=day, arrived_on=self.at.date())
