"""From a prepared camt.054 to account events: seen before or new, booked or only announced.

An entry books its own amount, always; the transactions in it only say which part of that was
already booked from notifications of its parts.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from recon_streams.kernel.disposition import Disposition, Held, Outcome, quarantined
from recon_streams.kernel.money import normal, subtract
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions.bank_message import Prepared, PreparedEntry, PreparedReport
from recon_streams.positions.directory import Account
from recon_streams.positions.event import BankMoved, BankObserved, Evidence
from recon_streams.positions.known import SeenReport
from recon_streams.positions.working_set import WorkingSet


def take(prepared: Prepared, working: WorkingSet, *, at: datetime, evidence: Evidence) -> Outcome:
    """Decide a prepared message on the accounts of `working`, and return what became of it."""
    held = list(prepared.held)
    duplicate_of: str | None = None
    moved = observed = 0
    for report in prepared.reports:
        seen = working.known.reports.get((report.account.number, report.key))
        if seen is not None and seen.content != report.content:
            held.append(_conflict(report, seen))
        elif seen is not None:
            duplicate_of = duplicate_of or seen.where
        else:
            where = f"{evidence.topic}/{evidence.partition}/{evidence.offset}"
            working.known.learn_report(
                report.account.number, report.key, SeenReport(report.content, where)
            )
            taken = _take_report(report, working, at, evidence)
            moved += taken.moved
            observed += taken.observed
            duplicate_of = duplicate_of or taken.duplicate_of
    if held:
        return quarantined(*held, events=moved + observed)
    if moved:
        return Outcome(disposition=Disposition.APPLIED, events=moved + observed)
    if observed or duplicate_of is None:
        return Outcome(disposition=Disposition.OBSERVATION, events=observed)
    return Outcome(disposition=Disposition.DUPLICATE, duplicate_of=duplicate_of)


class _Taken(msgspec.Struct, frozen=True):
    moved: int
    observed: int
    duplicate_of: str | None


def _take_report(
    report: PreparedReport, working: WorkingSet, at: datetime, evidence: Evidence
) -> _Taken:
    claimed: set[tuple[int, int]] = set()
    moved = 0
    duplicate_of: str | None = None
    for prepared in report.booked:
        where = msgspec.structs.replace(evidence, path=prepared.entry.path)
        known_at = _take_entry(report.account, prepared, working, claimed, (at, where))
        if known_at is None:
            moved += 1
        else:
            duplicate_of = duplicate_of or f"{report.account.account_id}#{known_at}"
    if moved or duplicate_of:
        return _Taken(moved, 0, duplicate_of)
    # Nothing booked, but the bank has spoken: that alone is evidence that its feed lives.
    working.record(
        report.account,
        BankObserved(at=at, evidence=msgspec.structs.replace(evidence, path=report.path)),
    )
    return _Taken(0, 1, None)


def _take_entry(
    account: Account,
    prepared: PreparedEntry,
    working: WorkingSet,
    claimed: set[tuple[int, int]],
    origin: tuple[datetime, Evidence],
) -> int | None:
    """Book `prepared`, or return the sequence of the event that had booked it already."""
    known, number, booked_on = working.known, account.number, prepared.entry.booked_on
    seen = known.find(number, prepared.marks, booked_on=booked_on, claimed=claimed)
    if seen is not None:
        payment = (seen.sequence, seen.part)
        claimed.add(payment)
        # References this observation adds make the payment recognisable under them too.
        known.learn(number, prepared.marks, payment=payment, booked_on=booked_on)
        return seen.sequence
    sequence = working.next_sequence(account)
    claimed.add((sequence, 0))
    net = prepared.entry.signed_amount
    legs = list(prepared.legs)
    for position, part in enumerate(prepared.parts, start=1):
        booked = known.find(number, part.marks, booked_on=booked_on, claimed=claimed)
        if booked is None:
            payment = (sequence, position)
            legs.extend([part.leg] if part.leg else [])
        else:
            payment = (booked.sequence, booked.part)
            net = subtract(net, part.signed_amount)
        claimed.add(payment)
        known.learn(number, part.marks, payment=payment, booked_on=booked_on)
    known.learn(number, prepared.marks, payment=(sequence, 0), booked_on=booked_on)
    known.learn_bank_legs(number, ((leg.reference, leg.amount) for leg in legs))
    at, evidence = origin
    recorded = working.record(
        account,
        BankMoved(
            at=at,
            evidence=evidence,
            amount=normal(net),
            entry_amount=normal(prepared.entry.signed_amount),
            remainder=_remainder_of(prepared) if prepared.parts else None,
            legs=tuple(legs),
        ),
    )
    assert recorded == sequence, "an entry is one event"
    return None


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
