"""The columns of the CSV, and which of them each part of an account fills."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from recon_streams.kernel.money import amount_text
from recon_streams.reports.account_day import AccountDay
from recon_streams.reports.account_window import AccountWindow
from recon_streams.reports.change_words import FIGURES, before_and_now, figure_name
from recon_streams.reports.parts import Change, Covered, OpenDiscrepancies
from recon_streams.reports.reasons import reason_of
from recon_streams.reports.totals import explains
from recon_streams.reports.words import CONTINUITIES, KINDS

# New columns are added at the end: what was written for these must go on working.
COLUMNS: Final = (
    "report_id", "sha256", "period", "version", "account_id", "currency", "section", "kind", "leg",
    "reference", "amount", "explains", "on", "age_business_days", "bucket", "due_on", "overdue",
    "covers", "count", "tier", "reason", "nearest", "origin", "label", "at", "next_offset",
    "before", "now",
)  # fmt: skip
NUMBERS: Final = frozenset(
    {"version", "amount", "explains", "age_business_days", "count", "next_offset"}
)
# What changed is an amount or words: an amount stays a number.
MIXED: Final = frozenset({"before", "now"})

Row = dict[str, str | int | None]


def rows_of_day(day: AccountDay) -> Iterator[Row]:
    """Yield the statement of one account: balances, every item, proof, and what it rests on."""
    own: Row = {"account_id": day.account_id, "currency": day.currency}
    used = day.statement
    origin = "" if used is None else used.origin
    yield own | _balance("bank", day.bank_closing) | {"origin": origin, "at": _at(day.cut_off_at)}
    yield own | _balance("ledger", day.ledger_at_cut_off) | {"at": _at(day.cut_off_at)}
    yield own | _balance("difference", day.difference)
    for item in day.items:
        yield own | {
            "section": "item",
            "kind": item.kind,
            "label": KINDS[item.kind],
            "leg": item.leg,
            "reference": item.reference,
            "amount": item.amount,
            "explains": amount_text(explains(item.leg, item.amount)),
            "on": item.on.isoformat(),
            "age_business_days": item.age_business_days,
            "bucket": item.bucket,
            "due_on": item.due_on.isoformat() if item.due_on else None,
            "overdue": _yes(item.overdue),
            "covers": _yes(item.covers),
            "count": item.count,
            "reason": item.reason,
            "nearest": " | ".join(item.nearest),
            "origin": item.origin,
        }
    yield own | _balance("explained_total", day.explained_total)
    yield own | _balance("proof", day.proof)
    yield own | _balance("uncovered", day.uncovered) | _verdict(day)
    yield own | _balance("shortage", day.shortage)
    yield own | {
        "section": "statement",
        "kind": day.chain.continuity,
        "reference": None if used is None else used.statement_id,
        "label": CONTINUITIES[day.chain.continuity],
        "amount": day.chain.jump,
        "origin": origin,
    }
    for matched in day.matched:
        yield own | {
            "section": "matched", "kind": matched.rule, "amount": matched.bank_amount,
            "label": "matched on this day by this rule",
            "explains": matched.difference, "count": matched.matches,
        }  # fmt: skip
    yield from _rows_of_evidence(own, day.discrepancies, day.coverage)


def rows_of_window(window: AccountWindow) -> Iterator[Row]:
    """Yield one account at the end of a window: balances, what waits, and what is left."""
    own: Row = {"account_id": window.account_id, "currency": window.currency}
    said = window.bank_balance
    figures = (
        ("bank", window.bank.closing),
        ("ledger", window.ledger.closing),
        ("difference", window.difference),
        ("bank_balance_asked", said.balance),
        ("disagreement", said.disagreement),
        ("explained_total", window.explained_total),
    )
    for kind, amount in figures:
        yield own | _balance(kind, amount)
    yield own | _balance("unexplained", window.unexplained) | _verdict(window)
    for waiting in window.waiting:
        yield own | {
            "section": "waiting",
            "kind": waiting.kind,
            "reference": waiting.reference,
            "amount": waiting.amount,
            "explains": waiting.explains,
            "label": "a payment between its two legs",
            "due_on": waiting.due_at.date().isoformat(),
            "at": _at(waiting.due_at),
            "overdue": _yes(waiting.overdue),
        }
    yield own | {
        "section": "drift", "kind": "change", "amount": window.drift.change,
        "label": "what is unexplained changed by this in the window",
        "count": window.drift.windows,
    }  # fmt: skip
    yield from _rows_of_evidence(own, window.discrepancies, window.coverage)


def _rows_of_evidence(
    own: Row, discrepancies: Sequence[OpenDiscrepancies], coverage: Sequence[Covered]
) -> Iterator[Row]:
    for each in discrepancies:
        yield own | {
            "section": "discrepancies",
            "kind": each.kind,
            "amount": each.amount,
            "age_business_days": each.oldest_business_days,
            "bucket": each.bucket,
            "overdue": _yes(each.overdue > 0),
            "count": each.count,
            "label": f"open, {each.overdue} past due",
            "at": _at(each.counted_at),
        }
    for covered in coverage:
        source = f"{covered.topic}/{covered.partition}"
        through = f", decided through {_at(covered.through_at)}" if covered.through_at else ""
        yield own | {
            "section": "coverage",
            "kind": covered.topic,
            "reference": source,
            "label": f"every record of {source} before offset {covered.next_offset} is in{through}",
            "at": _at(covered.through_at),
            "next_offset": covered.next_offset,
        }


def row_of_change(change: Change) -> Row:
    """Return one figure that a correction says otherwise, before and now."""
    before, now = before_and_now(change)
    return {
        "account_id": change.account_id,
        "currency": change.currency,
        "section": "change",
        "kind": change.what,
        "label": figure_name(change.what),
        "before": change.before,
        "now": change.after,
        "reason": f"{before} became {now}",
    }


_LABELS: Final = {
    **FIGURES,
    "proof": "proof amount: what nothing explains",
    "unexplained": "what the payments between their legs do not explain",
    "bank_balance_asked": "the bank's own answer",
    "disagreement": "the bank's answer less what its messages come to",
}


def _balance(kind: str, amount: str | None) -> Row:
    return {"section": "balance", "kind": kind, "label": _LABELS[kind], "amount": amount}


def _verdict(account: AccountDay | AccountWindow) -> Row:
    return {"tier": account.tier, "reason": f"{account.rule}: {reason_of(account)}"}


def _at(instant: datetime | None) -> str | None:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}" if instant else None


def _yes(value: bool) -> str:  # noqa: FBT001 - the one argument is the value that is spelled
    return "yes" if value else "no"
