"""From a prepared camt.054 to account events: seen before or new, booked or only announced.

An entry books its own amount, always; the transactions in it only say which part of that was
already booked from notifications of its parts.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal

import msgspec

from recon_streams.kernel.disposition import Disposition, Held, Outcome, quarantined
from recon_streams.kernel.money import normal, subtract
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions.bank_message import Prepared, PreparedEntry, PreparedReport
from recon_streams.positions.directory import Account
from recon_streams.positions.event import BankMoved, BankObserved, Evidence
from recon_streams.positions.identity import Mark
from recon_streams.positions.known import SeenMark, SeenReport
from recon_streams.positions.working_set import WorkingSet


def take(prepared: Prepared, working: WorkingSet, *, at: datetime, evidence: Evidence) -> Outcome:
    """Decide a prepared message on the accounts of `working`, and return what became of it.

    What the same input did before, when a part of it was held, counts as done by it: a replay ends
    as if all had been decided at once.
    """
    message = _Message(working, at, evidence)
    held = [*prepared.held, *message.take(prepared.reports)]
    if held:
        return quarantined(*held, events=message.events)
    became = _disposition_of(message.became)
    duplicate_of = message.duplicate_of if became is Disposition.DUPLICATE else None
    return Outcome(disposition=became, duplicate_of=duplicate_of, events=message.events)


def _disposition_of(parts: Collection[Disposition]) -> Disposition:
    for stronger in (Disposition.APPLIED, Disposition.OBSERVATION, Disposition.DUPLICATE):
        if stronger in parts:
            return stronger
    return Disposition.OBSERVATION


class _Message:
    """One message while it is decided.

    Attributes:
        became: What became of its parts.
        duplicate_of: Where the first thing stands that was known already.
        events: How many events it added.
    """

    def __init__(self, working: WorkingSet, at: datetime, evidence: Evidence) -> None:
        self._working = working
        self._known = working.known
        self._at = at
        self._evidence = evidence
        # By account the payments (sequence, part) that an entry of this message was paired with.
        self._claimed: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
        self.became: set[Disposition] = set()
        self.duplicate_of: str | None = None
        self.events = 0

    def take(self, reports: Collection[PreparedReport]) -> list[Held]:
        """Decide `reports` and return those that must wait."""
        where = f"{self._evidence.topic}/{self._evidence.partition}/{self._evidence.offset}"
        before = self._taken_before(reports, where)
        held = []
        for report in reports:
            key = (report.account.number, report.key)
            seen = self._known.reports.get(key)
            if seen is None:
                became = self._take_report(report)
                self._known.learn_report(*key, SeenReport(report.content, where, became))
                self.became.add(became)
            elif seen.content != report.content:
                held.append(_conflict(report, seen))
            elif key in before:
                self.became.add(seen.became)
            else:
                self._note_known(seen.where)
        return held

    def _taken_before(
        self, reports: Collection[PreparedReport], where: str
    ) -> set[tuple[int, bytes]]:
        """Return the reports that this input brought before, and claim their payments again."""
        before = set()
        for report in reports:
            key = (report.account.number, report.key)
            seen = self._known.reports.get(key)
            if seen is None or (seen.content, seen.where) != (report.content, where):
                continue
            if key not in before:
                before.add(key)
                self._claim_again(report, seen)
        return before

    def _claim_again(self, report: PreparedReport, seen: SeenReport) -> None:
        for prepared in report.booked:
            payment = self._recognise(report.account.number, prepared)
            if payment is not None and seen.became is Disposition.DUPLICATE:
                self._note_known(f"{report.account.account_id}#{payment.sequence}")

    def _note_known(self, where: str) -> None:
        self.became.add(Disposition.DUPLICATE)
        self.duplicate_of = self.duplicate_of or where

    def _take_report(self, report: PreparedReport) -> Disposition:
        became = set()
        for prepared in report.booked:
            seen = self._recognise(report.account.number, prepared)
            if seen is None:
                became.add(self._book(report.account, prepared))
            else:
                self._note_known(f"{report.account.account_id}#{seen.sequence}")
                became.add(Disposition.DUPLICATE)
        if not became:
            # Nothing booked, but the bank has spoken: that alone is evidence that its feed lives.
            evidence = msgspec.structs.replace(self._evidence, path=report.path)
            self._record(report.account, BankObserved(at=self._at, evidence=evidence))
        return _disposition_of(became)

    def _recognise(self, number: int, prepared: PreparedEntry) -> SeenMark | None:
        """Return the known payment that the entry is, or None if it is new."""
        booked_on = prepared.entry.booked_on
        seen = self._pair(number, prepared.marks, booked_on=booked_on)
        if seen is not None:
            for part in prepared.parts:
                self._pair(number, part.marks, booked_on=booked_on)
        return seen

    def _pair(
        self,
        number: int,
        marks: tuple[Mark, ...],
        *,
        booked_on: date | None,
        otherwise: tuple[int, int] | None = None,
    ) -> SeenMark | None:
        """Pair `marks` with a known payment and return it; if there is none, with `otherwise`."""
        known, claimed = self._known, self._claimed[number]
        seen = known.find(number, marks, booked_on=booked_on, claimed=claimed)
        payment = (seen.sequence, seen.part) if seen is not None else otherwise
        if payment is not None:
            claimed.add(payment)
            # References this observation adds make the payment recognisable under them too.
            known.learn(number, marks, payment=payment, booked_on=booked_on)
        return seen

    def _book(self, account: Account, prepared: PreparedEntry) -> Disposition:
        """Record an entry nobody has met before; it moves money unless the opening contains it."""
        known, number, booked_on = self._known, account.number, prepared.entry.booked_on
        sequence = self._working.next_sequence(account)
        self._claimed[number].add((sequence, 0))
        net = prepared.entry.signed_amount
        legs = list(prepared.legs)
        for position, part in enumerate(prepared.parts, start=1):
            own = (sequence, position)
            if self._pair(number, part.marks, booked_on=booked_on, otherwise=own) is not None:
                net = subtract(net, part.signed_amount)
            elif part.leg:
                legs.append(part.leg)
        known.learn(number, prepared.marks, payment=(sequence, 0), booked_on=booked_on)
        known.learn_bank_legs(number, ((leg.reference, leg.amount) for leg in legs))
        at, where = self._at, msgspec.structs.replace(self._evidence, path=prepared.entry.path)
        event: BankMoved | BankObserved = BankObserved(at=at, evidence=where, legs=tuple(legs))
        if not prepared.in_opening:
            event = BankMoved(
                at=at,
                evidence=where,
                amount=normal(net),
                entry_amount=normal(prepared.entry.signed_amount),
                remainder=_remainder_of(prepared) if prepared.parts else None,
                legs=tuple(legs),
            )
        assert self._record(account, event) == sequence, "an entry is one event"
        return Disposition.OBSERVATION if prepared.in_opening else Disposition.APPLIED

    def _record(self, account: Account, event: BankMoved | BankObserved) -> int:
        self.events += 1
        return self._working.record(account, event)


def _remainder_of(prepared: PreparedEntry) -> Decimal:
    remainder = prepared.entry.signed_amount
    for part in prepared.parts:
        remainder = subtract(remainder, part.signed_amount)
    return normal(remainder)


def _conflict(report: PreparedReport, seen: SeenReport) -> Held:
    return Held(
        code=RefusalCode.ID_CONFLICT,
        field=f"{report.path}/Id",
        rule="a notification sent again says the same; another content needs another id",
        detail=f"first seen at {seen.where}",
    )
