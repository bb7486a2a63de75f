"""What matching answers, as what explains a day. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from recon_streams.closing.after_cut_off import AfterCutOff
from recon_streams.closing.statement_of_day import Matched, summed_up
from recon_streams.discrepancies.deadline import bucket_of
from recon_streams.kernel.calendar import BusinessDays
from recon_streams.kernel.money import ZERO, add, amount_text, subtract
from recon_streams.matching.findings import due_on
from recon_streams.matching.items import Side
from recon_streams.matching.request import MatchedDay, OpenItem
from recon_streams.matching.rules import MatchingRules
from recon_streams.reports.account_day import Item, ItemGroup, ItemKind, MatchedTotal
from recon_streams.reports.parts import Leg

_NEAREST_MAX: Final = 3
_HAND: Final = "by_hand"


def matched_of(
    day: MatchedDay,
    rules: MatchingRules,
    calendar: BusinessDays,
    after: AfterCutOff | None = None,
) -> Matched:
    """Return `day` as items and sums that explain bank less ledger.

    The sums of each kind are the database's own; the items are added up beside them, and both must
    agree before anything is kept.
    """
    after = after or AfterCutOff()
    ledger = [item for item in day.open_ledger if item.key.sequence not in after.open_ids]
    left_out = [item for item in day.open_ledger if item.key.sequence in after.open_ids]
    items = [
        *(_open(item, day.on, rules, calendar) for item in (*day.open_bank, *ledger)),
        *(_tolerated(each.amount, each.on, day.on, each.explained_by, calendar)
          for each in day.differences),
        *(_later(each.amount, each.on, day.on, f"whole on {each.last_on}", calendar)
          for each in day.later),
        *(_later(amount, day.on, day.on, f"ledger:{sequence} was after the cut-off", calendar)
          for sequence, amount in after.matched),
    ]  # fmt: skip
    later = add(day.later_total.amount, _sum(amount for _, amount in after.matched))
    gone = _sum(item.amount for item in left_out)
    ledger_total = subtract(day.open_ledger_total.amount, gone)
    return Matched(
        items=summed_up(items),
        groups=_groups(
            {
                ItemKind.BANK_NOT_IN_LEDGER: (
                    day.open_bank_total.count,
                    day.open_bank_total.amount,
                ),
                ItemKind.LEDGER_NOT_AT_BANK: (
                    day.open_ledger_total.count - len(left_out),
                    subtract(ZERO, ledger_total),
                ),
                ItemKind.TOLERATED_DIFFERENCE: (
                    day.differences_total.count,
                    day.differences_total.amount,
                ),
                ItemKind.MATCHED_LATER: (day.later_total.count + len(after.matched), later),
            }
        ),
        totals=tuple(
            MatchedTotal(
                rule=_HAND if each.rule == "hand" else each.rule,
                matches=each.matches,
                bank_items=each.bank_items,
                ledger_items=each.ledger_items,
                bank_amount=amount_text(each.bank_amount),
                ledger_amount=amount_text(each.ledger_amount),
                difference=amount_text(each.difference),
            )
            for each in day.matched
        ),
        rules_version=f"{day.rules_version}:{day.rules_sha256[:12]}",
        findings=day.findings,
        cleared=day.cleared,
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


def _tolerated(
    amount: Decimal, since: date, on: date, explained_by: str, calendar: BusinessDays
) -> Item:
    age = _age(since, on, calendar)
    return Item(
        kind=ItemKind.TOLERATED_DIFFERENCE,
        leg=Leg.BOTH,
        reference=explained_by,
        amount=amount_text(amount),
        on=since,
        age_business_days=age,
        bucket=bucket_of(age).name,
        reason=explained_by,
    )


def _later(amount: Decimal, since: date, on: date, reason: str, calendar: BusinessDays) -> Item:
    age = _age(since, on, calendar)
    return Item(
        kind=ItemKind.MATCHED_LATER,
        leg=Leg.BOTH,
        reference=reason,
        amount=amount_text(amount),
        on=since,
        age_business_days=age,
        bucket=bucket_of(age).name,
        reason=reason,
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
