"""The reconciliation statement of one account's day, from figures that were collected. Pure.

    bank closing - ledger at the cut-off = difference
    difference - what is explained, item by item = proof

Explained is what was apart when the account was registered, what one side booked through that day
and the other did not, what the bank announced and did not state, what a tolerance let pass, what a
person accepted who matched by hand, and what is matched by now with a partner of a later day. Every
total is taken by two roads: the books' sum for each kind, and the items listed.
"""

import hashlib
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from recon_streams.closing.standing import covered, within_bounds
from recon_streams.discrepancies.deadline import bucket_of
from recon_streams.discrepancies.finding import Cleared, Finding
from recon_streams.kernel.calendar import DayBounds
from recon_streams.kernel.money import ZERO, add, amount_text, subtract
from recon_streams.positions.rules import Limits
from recon_streams.positions.tiers import Rule, classify
from recon_streams.reports.account_day import (
    AccountDay,
    Chain,
    Continuity,
    Item,
    ItemGroup,
    ItemKind,
    MatchedTotal,
    StatementUsed,
)
from recon_streams.reports.backing import BY_SEVERITY
from recon_streams.reports.parts import Covered, Leg, OpenDiscrepancies
from recon_streams.reports.shortage import shortage_in
from recon_streams.reports.totals import items_by_kind, total
from recon_streams.statements.chain import Link, Relation, continuity
from topics.positions import Tier

_OUTSTANDING: Final = frozenset(
    {
        ItemKind.BANK_NOT_IN_LEDGER,
        ItemKind.LEDGER_NOT_AT_BANK,
        ItemKind.ANNOUNCED_NOT_STATED,
        ItemKind.MATCHED_LATER,
    }
)

_CONTINUITY: Final = {
    Relation.CONNECTED: Continuity.JOINED,
    Relation.RENUMBERED: Continuity.JOINED,
    Relation.GAP: Continuity.GAP,
    Relation.BACKWARD: Continuity.BROKEN,
    Relation.BROKEN: Continuity.BROKEN,
    Relation.UNKNOWN: Continuity.BROKEN,
}


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """What matching says of one account's day.

    Attributes:
        items: What explains, one by one; of too many the rest of a kind in one item.
        groups: The same as the books add it up.
        totals: What was matched, by rule.
        rules_version: Of the matching rules.
        findings: What is wrong with items.
        cleared: What was, and is proven gone.
    """

    items: tuple[Item, ...] = ()
    groups: tuple[ItemGroup, ...] = ()
    totals: tuple[MatchedTotal, ...] = ()
    rules_version: str = ""
    findings: tuple[Finding, ...] = ()
    cleared: tuple[Cleared, ...] = ()


class DayInput(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the statement of a day is made of.

    Attributes:
        bank_base: What the bank had before everything the book knows of it: attested, or what its
            first statement implies. None if neither is there.
        ledger_base: What the ledger had issued before everything the book knows of it.
        opened_on: From when on the account is looked at, and what was apart then is as old;
        opened_business_days: how many business days before the day that is.
        ledger_at_cut_off: The ledger's figure without what happened after the cut-off.
        statement: The day's, as the report names it; None if it is not there.
        link: The same in the chain of statements.
        before: The statement before it, or before the day.
    """

    account_id: str
    currency: str
    bounds: DayBounds
    time_zone: str
    limits: Limits
    bank_base: Decimal | None
    ledger_base: Decimal | None
    opened_on: date
    opened_business_days: int
    ledger_at_cut_off: Decimal | None
    statement: StatementUsed | None
    link: Link | None
    before: Link | None
    matched: Matched
    discrepancies: tuple[OpenDiscrepancies, ...]
    coverage: tuple[Covered, ...]
    rules_version: str
    calendar_version: str


class TwoRoads(AssertionError):
    """The books' sum of one kind is not that of the items: we are wrong, nothing may be stored."""


def account_day(given: DayInput) -> AccountDay:
    """Return the reconciliation statement of the day."""
    statement = given.statement
    bank = None if statement is None else Decimal(statement.closing)
    ledger = given.ledger_at_cut_off
    items, groups = _explanation(given)
    items = within_bounds(items, bank, given.limits)
    explained = total(Decimal(group.explains) for group in groups)
    difference = None if bank is None or ledger is None else subtract(bank, ledger)
    proof = None if difference is None else subtract(difference, explained)
    raw_tier, _ = _verdict(difference, bank, ledger, given.limits)
    uncovered = None if difference is None else subtract(difference, covered(items))
    shortage = None if proof is None else shortage_in(items, proof)
    tier, rule = max(
        (_verdict(left, bank, ledger, given.limits) for left in (uncovered, shortage, proof)),
        key=lambda verdict: BY_SEVERITY.index(verdict[0]),
    )
    return AccountDay(
        account_id=given.account_id,
        currency=given.currency,
        on=given.bounds.on,
        time_zone=given.time_zone,
        cut_off_at=given.bounds.cut_off_at,
        bank_opening=None if statement is None else statement.opening,
        bank_closing=_text(bank),
        ledger_at_cut_off=_text(ledger),
        difference=_text(difference),
        groups=groups,
        items=items,
        explained_total=amount_text(explained),
        proof=_text(proof),
        uncovered=_text(uncovered),
        shortage=_text(shortage),
        raw_tier=raw_tier,
        tier=tier,
        rule=rule.value,
        statement=statement,
        chain=chain_of(given.link, given.before),
        matched=given.matched.totals,
        discrepancies=given.discrepancies,
        coverage=given.coverage,
        rules_version=given.rules_version,
        matching_rules_version=given.matched.rules_version,
        calendar_version=given.calendar_version,
    )


def figures_digest(day: AccountDay) -> str:
    """Return the SHA-256 of what makes another version of a day if it changes.

    How far inputs were read and how old a discrepancy is are other tomorrow, and what was
    outstanding at the end of the day finds its partner later: it was outstanding all the same.
    """
    said = (
        (day.account_id, day.currency, day.on, day.cut_off_at),
        (day.bank_opening, day.bank_closing, day.ledger_at_cut_off, day.explained_total, day.proof),
        (day.tier.value, day.rule, day.chain),
        None if day.statement is None else (day.statement.origin, day.statement.version),
        _stable(day),
    )
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def _stable(day: AccountDay) -> list[tuple[str, str]]:
    """Return what explains the difference, without whether a partner has come by now."""
    sums: dict[str, Decimal] = {}
    for group in day.groups:
        key = "outstanding" if group.kind in _OUTSTANDING else group.kind.value
        sums[key] = add(sums.get(key, ZERO), Decimal(group.explains))
    return [(key, amount_text(amount)) for key, amount in sorted(sums.items()) if amount]


def chain_of(link: Link | None, before: Link | None) -> Chain:
    """Return how the statement `link` joins the one `before`."""
    closing = None if before is None or before.closing is None else amount_text(before.closing)
    previous_on = None if before is None else before.closing_on
    if link is None:
        return Chain(
            continuity=Continuity.MISSING, previous_on=previous_on, previous_closing=closing
        )
    if before is None:
        return Chain(continuity=Continuity.FIRST)
    found = continuity(before, link)
    is_whole = link.opening is not None and before.closing is not None
    return Chain(
        continuity=_CONTINUITY[found.relation],
        previous_on=previous_on,
        previous_closing=closing if is_whole else None,
        jump=None if found.difference is None else amount_text(found.difference),
        missing_sequences=_ranges(found.missing),
    )


def _explanation(given: DayInput) -> tuple[tuple[Item, ...], tuple[ItemGroup, ...]]:
    items = given.matched.items
    groups = {group.kind: group for group in given.matched.groups if group.count}
    opening = _opening_item(given)
    if opening is not None:
        items = (opening, *items)
        groups[opening.kind] = ItemGroup(kind=opening.kind, count=1, explains=opening.amount)
    for kind, (count, explained) in items_by_kind(items).items():
        group = groups.get(kind)
        said = (0, "0") if group is None else (group.count, group.explains)
        if said != (count, amount_text(explained)):
            raise TwoRoads(
                f"{given.account_id} {given.currency} on {given.bounds.on}, {kind}: the books have "
                f"{said[0]} of {said[1]}, the items are {count} of {amount_text(explained)}"
            )
    return items, tuple(groups[kind] for kind in ItemKind if kind in groups)


def _opening_item(given: DayInput) -> Item | None:
    if given.bank_base is None or given.ledger_base is None:
        return None
    apart = subtract(given.bank_base, given.ledger_base)
    if not apart:
        return None
    return Item(
        kind=ItemKind.OPENING_DIFFERENCE,
        leg=Leg.BOTH,
        reference="opening",
        amount=amount_text(apart),
        on=given.opened_on,
        age_business_days=given.opened_business_days,
        bucket=bucket_of(given.opened_business_days).name,
        reason=f"bank {amount_text(given.bank_base)} - ledger {amount_text(given.ledger_base)}",
    )


def _verdict(
    difference: Decimal | None, bank: Decimal | None, ledger: Decimal | None, limits: Limits
) -> tuple[Tier, Rule]:
    if bank is None or ledger is None or difference is None:
        return Tier.UNKNOWN, Rule.NO_BANK_FIGURE if bank is None else Rule.NO_LEDGER_FIGURE
    return classify(difference, ledger=ledger, bank=bank, limits=limits)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else amount_text(amount)


def _ranges(numbers: Sequence[int]) -> tuple[str, ...]:
    if not numbers:
        return ()
    if len(numbers) == 1:
        return (str(numbers[0]),)
    return (f"{numbers[0]}-{numbers[-1]}",)
