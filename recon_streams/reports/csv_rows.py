"""The columns of the CSV, and which of them each part of an account fills."""

from collections.abc import Iterator, Sequence
from typing import Final

from recon_streams.kernel.money import amount_text
from recon_streams.reports.account_day import AccountDay
from recon_streams.reports.account_window import AccountWindow
from recon_streams.reports.parts import Covered, OpenDiscrepancies
from recon_streams.reports.totals import explains

# New columns are added at the end: what was written for these must go on working.
COLUMNS: Final = (
    "report_id", "sha256", "period", "version", "account_id", "currency", "section", "kind", "leg",
    "reference", "amount", "explains", "on", "age_business_days", "bucket", "due_on", "overdue",
    "covers", "count", "tier", "reason", "nearest", "origin",
)  # fmt: skip
NUMBERS: Final = frozenset({"version", "amount", "explains", "age_business_days", "count"})

Row = dict[str, str | int | None]


def rows_of_day(day: AccountDay) -> Iterator[Row]:
    """Yield the statement of one account: balances, every item, proof, and what it rests on."""
    own: Row = {"account_id": day.account_id, "currency": day.currency}
    used = day.statement
    origin = "" if used is None else used.origin
    yield own | {"section": "balance", "kind": "bank", "amount": day.bank_closing, "origin": origin}
    yield own | {"section": "balance", "kind": "ledger", "amount": day.ledger_at_cut_off}
    yield own | {"section": "balance", "kind": "difference", "amount": day.difference}
    for item in day.items:
        yield own | {
            "section": "item",
            "kind": item.kind,
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
    yield own | {"section": "balance", "kind": "explained_total", "amount": day.explained_total}
    yield own | {
        "section": "balance",
        "kind": "proof",
        "amount": day.proof,
    }
    yield own | {
        "section": "balance", "kind": "uncovered", "amount": day.uncovered, "tier": day.tier,
        "reason": day.rule,
    }  # fmt: skip
    yield own | {
        "section": "statement",
        "kind": day.chain.continuity,
        "reference": None if used is None else used.statement_id,
        "amount": day.chain.jump,
        "origin": origin,
    }
    for matched in day.matched:
        yield own | {
            "section": "matched", "kind": matched.rule, "amount": matched.bank_amount,
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
        yield own | {"section": "balance", "kind": kind, "amount": amount}
    yield own | {
        "section": "balance", "kind": "unexplained", "amount": window.unexplained,
        "tier": window.tier, "reason": window.rule,
    }  # fmt: skip
    for waiting in window.waiting:
        yield own | {
            "section": "waiting",
            "kind": waiting.kind,
            "reference": waiting.reference,
            "amount": waiting.amount,
            "explains": waiting.explains,
            "due_on": waiting.due_at.isoformat(),
            "overdue": _yes(waiting.overdue),
        }
    yield own | {
        "section": "drift", "kind": "change", "amount": window.drift.change,
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
        }
    for covered in coverage:
        yield own | {
            "section": "coverage",
            "reference": f"{covered.topic}/{covered.partition}",
            "count": covered.next_offset,
            "on": covered.through_at.isoformat() if covered.through_at else None,
        }


def _yes(value: bool) -> str:  # noqa: FBT001 - the one argument is the value that is spelled
    return "yes" if value else "no"
