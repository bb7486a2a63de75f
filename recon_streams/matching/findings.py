"""What is wrong with an account's items as of a day, as values for the register of discrepancies.

An item that may still be on its way is not wrong: before its due it is in flight, after it missing.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Kind, Source
from recon_streams.kernel.calendar import BusinessDays
from recon_streams.kernel.money import amount_text, subtract
from recon_streams.matching.items import ItemKey, Side
from recon_streams.matching.request import OpenItem
from recon_streams.matching.results import Candidate, Why
from recon_streams.matching.rules import MatchingRules

_SEPARATOR: Final = "|"


def due_on(item: OpenItem, rules: MatchingRules, calendar: BusinessDays) -> date:
    """Return the day from which on `item` counts as missing on the other side."""
    days = rules.missing_bank if item.side is Side.BANK else rules.missing_ledger
    return calendar.add_business_days(item.on, days) if days else item.on


def findings_of(
    account: int,
    items: Iterable[OpenItem],
    *,
    on: date,
    rules: MatchingRules,
    calendar: BusinessDays,
) -> dict[tuple[Side, ItemKey], Finding]:
    """Return what is wrong, by the item it is about; two items of one pair share one finding.

    Args:
        account: Its number.
        items: What is open.
        on: As of the end of this day; later items are not looked at.
        rules: When an item counts as missing.
        calendar: Of the account's bank.
    """
    return {
        (item.side, item.key): finding
        for item in items
        if item.on <= on
        and (finding := _finding(account, item, on, due_on(item, rules, calendar))) is not None
    }


def cleared_of(
    account: int,
    before: Mapping[tuple[Side, ItemKey], str],
    now: Mapping[tuple[Side, ItemKey], Finding],
    matched_by: Mapping[tuple[Side, ItemKey], str],
) -> tuple[Cleared, ...]:
    """Return which causes are proven gone: their item is matched, or has another cause now.

    Args:
        account: Its number.
        before: What was found of each item before, as `spelled` wrote it.
        now: What is found of each item now.
        matched_by: The rule that matched each item since.
    """
    still = {spelled(finding.cause) for finding in now.values()}
    gone: dict[str, Cleared] = {}
    for place, text in sorted(before.items()):
        if text in still:
            continue
        if place in matched_by:
            proof = {"matched by": matched_by[place]}
        elif place in now:
            proof = {"is now": now[place].cause.kind.value}
        else:
            continue  # that nothing is said of it proves nothing
        gone[text] = Cleared(cause=cause_of(account, text), source=Source.MATCHING, proof=proof)
    return tuple(gone.values())


def spelled(cause: Cause) -> str:
    """Return kind and subject as one text, to be kept beside the item."""
    return f"{cause.kind.value}{_SEPARATOR}{cause.subject}"


def cause_of(account: int, text: str) -> Cause:
    """Return the cause that `spelled` wrote."""
    kind, _, subject = text.partition(_SEPARATOR)
    return Cause(kind=Kind(kind), account=account, subject=subject)


def _finding(account: int, item: OpenItem, on: date, due: date) -> Finding | None:
    began_on = item.on
    facts = {"item": item.name, "day": item.on.isoformat(), "reason": item.reason}
    if item.reference:
        facts["reference"] = item.reference
    amount = item.amount if item.side is Side.BANK else -item.amount
    rival = _rival(item)
    if item.why in {Why.AMBIGUOUS, Why.SUGGESTED}:
        kind, subject = Kind.AMBIGUOUS_MATCH, item.name
        if item.why is Why.SUGGESTED:
            # It has a partner that only a person can say yes to: it is not missing.
            facts["waits for"] = "a suggestion to be confirmed or refused"
    elif item.why is Why.DUPLICATE:
        kind, subject = Kind.DUPLICATE_TXN, item.name
    elif rival is not None:
        kind, subject = Kind.AMOUNT_MISMATCH, _SEPARATOR.join(sorted((item.name, rival.name)))
        bank, ledger = item.amount, rival.amount
        if item.side is Side.LEDGER:
            bank, ledger = ledger, bank
        amount = subtract(bank, ledger)
        began_on = min(item.on, rival.on)
        facts = {
            "bank amount": amount_text(bank),
            "ledger amount": amount_text(ledger),
            "reason": rival.text,
        }
    elif on >= due:
        kind, subject = Kind.MISSING_TXN, item.name
        facts["expected by"] = due.isoformat()
    else:
        return None
    cause = Cause(kind=kind, account=account, subject=subject)
    return Finding(cause=cause, source=Source.MATCHING, amount=amount, facts=facts, on=began_on)


def _rival(item: OpenItem) -> Candidate | None:
    """Return the open item of the same reference and another amount, if that is what is wrong."""
    if item.why is not Why.AMOUNT or not item.candidates:
        return None
    nearest = item.candidates[0]
    is_rival = nearest.reference_equal and nearest.failing is Why.AMOUNT
    return nearest if is_rival else None
