"""What matching answers, as what explains a day. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from recon_streams.closing.after_cut_off import AfterCutOff, AfterMatched
from recon_streams.closing.announced import Announced, NotStated, Partner
from recon_streams.closing.standing import summed_up
from recon_streams.closing.statement_of_day import Matched
from recon_streams.discrepancies.deadline import bucket_of
from recon_streams.kernel.calendar import BusinessDays
from recon_streams.kernel.money import ZERO, add, amount_text, subtract
from recon_streams.matching.findings import due_on
from recon_streams.matching.items import Side
from recon_streams.matching.request import (
    Difference,
    HandDifference,
    MatchedDay,
    MatchedLater,
    OpenItem,
    RuleTotal,
)
from recon_streams.matching.rules import MatchingRules
from recon_streams.reports.account_day import Item, ItemGroup, ItemKind, MatchedTotal
from recon_streams.reports.parts import Leg

_NEAREST_MAX: Final = 3
_HAND: Final = "by_hand"
# Business days within which a partner of a later day makes good what was short, if the rules do not
# give an item longer: what one side books in the evening the other books the next morning.
_LATER_DAYS_MIN: Final = 1


def matched_of(
    day: MatchedDay,
    rules: MatchingRules,
    calendar: BusinessDays,
    after: AfterCutOff | None = None,
    not_stated: NotStated | None = None,
) -> Matched:
    """Return `day` as items and sums that explain bank less ledger.

    The sums of each kind are the database's own; the items are added up beside them, and both must
    agree before anything is kept.
    """
    after = after or AfterCutOff()
    not_stated = not_stated or NotStated()
    return Matched(
        items=summed_up(_items(day, rules, calendar, (after, not_stated))),
        groups=_groups(_sums(day, after, not_stated)),
        totals=tuple(map(_total, day.matched)),
        rules_version=f"{day.rules_version}:{day.rules_sha256[:12]}",
        findings=day.findings,
        cleared=day.cleared,
    )


def _items(
    day: MatchedDay,
    rules: MatchingRules,
    calendar: BusinessDays,
    left_out: tuple[AfterCutOff, NotStated],
) -> Iterator[Item]:
    after, not_stated = left_out
    # What the bank only announced is not at the bank: without a ledger movement there is nothing
    # between the two, and with one the ledger is alone.
    announced = {each.key for each in not_stated.entries}
    for item in (*day.open_bank, *day.open_ledger):
        is_of_the_day = (
            item.key not in announced
            if item.side is Side.BANK
            else item.key.sequence not in after.open_ids
        )
        if is_of_the_day:
            yield _open(item, day.on, rules, calendar)
    for entry in not_stated.entries:
        if entry.partner is not Partner.NONE:
            yield _announced(entry, day.on, calendar)
    yield from _of_matches(day, calendar)
    days_max = max(_LATER_DAYS_MIN, rules.missing_bank, rules.missing_ledger)
    for later in with_after_cut_off(day, after):
        yield _later(later, day.on, calendar, days_max=days_max)


def _of_matches(day: MatchedDay, calendar: BusinessDays) -> Iterator[Item]:
    for each in day.differences:
        yield _tolerated(each, day.on, calendar)
    for by_hand in day.by_hand:
        yield _by_hand(by_hand, day.on, calendar)


def with_after_cut_off(day: MatchedDay, after: AfterCutOff) -> list[MatchedLater]:
    """Return what of matches is of the day alone, by the bank's days and not by dates.

    A movement after the bank's day had ended is of the next day. Where that is the day of its
    partner, nothing of the pair is of this one.
    """
    moved: dict[int, list[AfterMatched]] = {}
    for one in after.matched:
        moved.setdefault(one.match_id, []).append(one)
    found = []
    for later in day.later:
        amount = add(later.amount, _sum(one.amount for one in moved.pop(later.match_id, ())))
        if amount:
            found.append(replace(later, amount=amount))
    for match_id, alone in moved.items():
        found.append(
            MatchedLater(
                match_id=match_id,
                on=day.on,
                amount=_sum(one.amount for one in alone),
                reference=alone[0].reference,
            )
        )
    return found


def _sums(
    day: MatchedDay, after: AfterCutOff, not_stated: NotStated
) -> dict[ItemKind, tuple[int, Decimal]]:
    """Return what the database added up, less what is of the next day or was only announced."""
    left_out = [item.amount for item in day.open_ledger if item.key.sequence in after.open_ids]
    ledger = subtract(day.open_ledger_total.amount, _sum(left_out))
    later = add(day.later_total.amount, _sum(one.amount for one in after.matched))
    # The books count matches; how many of them are of this day alone only the cut-off says.
    later_count = len(with_after_cut_off(day, after))
    nothing = 0, ZERO
    alone, here, waiting = (not_stated.totals.get(partner, nothing) for partner in Partner)
    return {
        ItemKind.BANK_NOT_IN_LEDGER: (
            day.open_bank_total.count - alone[0],
            subtract(day.open_bank_total.amount, alone[1]),
        ),
        ItemKind.LEDGER_NOT_AT_BANK: (
            day.open_ledger_total.count - len(left_out),
            subtract(ZERO, ledger),
        ),
        ItemKind.ANNOUNCED_NOT_STATED: (here[0], subtract(ZERO, here[1])),
        ItemKind.TOLERATED_DIFFERENCE: (
            day.differences_total.count,
            day.differences_total.amount,
        ),
        ItemKind.HAND_DIFFERENCE: (day.by_hand_total.count, day.by_hand_total.amount),
        ItemKind.MATCHED_LATER: (
            later_count + waiting[0],
            subtract(later, waiting[1]),
        ),
    }


def _total(each: RuleTotal) -> MatchedTotal:
    return MatchedTotal(
        rule=_HAND if each.rule == "hand" else each.rule,
        matches=each.matches,
        bank_items=each.bank_items,
        ledger_items=each.ledger_items,
        bank_amount=amount_text(each.bank_amount),
        ledger_amount=amount_text(each.ledger_amount),
        difference=amount_text(each.difference),
    )


def _open(item: OpenItem, on: date, rules: MatchingRules, calendar: BusinessDays) -> Item:
    is_bank = item.side is Side.BANK
    age = _age(item.on, on, calendar)
    due = due_on(item, rules, calendar)
    return Item(
        kind=ItemKind.BANK_NOT_IN_LEDGER if is_bank else ItemKind.LEDGER_NOT_AT_BANK,
        leg=Leg.BANK if is_bank else Leg.LEDGER,
        reference=item.reference or item.name,
        amount=amount_text(item.amount),
        on=item.on,
        age_business_days=age,
        bucket=bucket_of(age).name,
        due_on=due,
        overdue=on >= due,
        reason=item.reason,
        nearest=tuple(f"{each.name}: {each.text}" for each in item.candidates[:_NEAREST_MAX]),
        origin=item.name,
    )


def _announced(each: Announced, on: date, calendar: BusinessDays) -> Item:
    age = _age(each.on, on, calendar)
    name = f"bank:{each.key.sequence}.{each.key.part}"
    is_later = each.partner is Partner.LATER
    said = f"{amount_text(each.amount)} was announced; "
    return Item(
        kind=ItemKind.MATCHED_LATER if is_later else ItemKind.ANNOUNCED_NOT_STATED,
        leg=Leg.BOTH,
        reference=each.reference or name,
        amount=amount_text(subtract(ZERO, each.amount)),
        on=each.on,
        age_business_days=age,
        bucket=bucket_of(age).name,
        reason=said + "the statement does not have it, and the ledger has it on a later day"
        if is_later
        else said + "the ledger has it, the statement not",
        origin=name,
        # Only takes back what its match gives to the day.
        covers=is_later,
    )


def _tolerated(each: Difference, on: date, calendar: BusinessDays) -> Item:
    age = _age(each.on, on, calendar)
    return Item(
        kind=ItemKind.TOLERATED_DIFFERENCE,
        leg=Leg.BOTH,
        reference=each.explained_by or "tolerance",
        amount=amount_text(each.amount),
        on=each.on,
        age_business_days=age,
        bucket=bucket_of(age).name,
        reason=each.explained_by,
    )


def _by_hand(each: HandDifference, on: date, calendar: BusinessDays) -> Item:
    age = _age(each.on, on, calendar)
    return Item(
        kind=ItemKind.HAND_DIFFERENCE,
        leg=Leg.BOTH,
        reference=", ".join(each.references[:_NEAREST_MAX]),
        amount=amount_text(each.amount),
        on=each.on,
        age_business_days=age,
        bucket=bucket_of(age).name,
        reason=f"match {each.match_id} by {each.actor}: {each.reason} ({'; '.join(each.items)})",
        origin=f"match {each.match_id}",
    )


def _later(each: MatchedLater, on: date, calendar: BusinessDays, *, days_max: int) -> Item:
    """Return a match of which only a part is of the day.

    What is too much until then covers. What is missing until then covers only if a rule found its
    partner, soon, and no statement denies it: else a shortage could be rolled on from day to day.
    """
    age = _age(each.on, on, calendar)
    name = f"match {each.match_id}"
    whole = (
        f"whole on {each.last_on}" if each.last_on else "booked after the bank had ended its day"
    )
    days = 0 if each.last_on is None else calendar.business_days_between(each.on, each.last_on)
    doubts = {
        "by hand": each.by_hand,
        "the statement of that day does not hold it": each.is_denied,
        f"{days} business days later, at most {days_max} may be between": days > days_max,
    }
    because = [doubt for doubt, stands in doubts.items() if stands]
    return Item(
        kind=ItemKind.MATCHED_LATER,
        leg=Leg.BOTH,
        reference=each.reference or name,
        amount=amount_text(each.amount),
        on=each.on,
        age_business_days=age,
        bucket=bucket_of(age).name,
        reason="; ".join([whole, *because]),
        origin=name,
        covers=each.amount > 0 or not because,
    )


def _age(since: date, on: date, calendar: BusinessDays) -> int:
    return max(0, calendar.business_days_between(since, on))


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    found = ZERO
    for amount in amounts:
        found = add(found, amount)
    return found


def _groups(sums: Mapping[ItemKind, tuple[int, Decimal]]) -> tuple[ItemGroup, ...]:
    return tuple(
        ItemGroup(kind=kind, count=count, explains=amount_text(explains))
        for kind, (count, explains) in sums.items()
        if count
    )
