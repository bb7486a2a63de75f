"""How discrepancies look to people: a row each in the queue, and a page with the whole story."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import assert_never

from agents.cli.layout import Rows
from agents.cli.output import out, plain, printable
from recon_streams.discrepancies.action import (
    Assigned,
    Commented,
    Escalated,
    Found,
    ProvenGone,
    Reopened,
    Resolved,
    Snoozed,
    action_from_text,
)
from recon_streams.discrepancies.queue import Happened, Listed
from recon_streams.kernel.money import amount_text

_COLUMNS = (
    "id", "severity", "kind", "account", "subject", "amount", "state", "owner", "age", "due",
    "seen",
)  # fmt: skip


def print_listed(found: Sequence[Listed]) -> None:
    """Print one row for each."""
    if not found:
        out.print("nothing waits")
        return
    shown = Rows(*_COLUMNS)
    for each in found:
        shown.add_row(
            str(each.id),
            each.severity.value,
            each.kind.value,
            _cell(f"{each.account_id} {each.currency}"),
            _cell(each.subject),
            each.amount or "-",
            _state(each),
            _cell(each.owner or "-"),
            f"{each.age_business_days} d",
            f"{_instant(each.due_at)}{' PAST DUE' if each.is_past_due else ''}",
            f"{each.occurrences}x",
        )
    shown.print(out)


def print_story(listed: Listed, story: Sequence[Happened]) -> None:
    """Print all that is known of one, and what happened to it, oldest first."""
    _line("", f"{listed.kind.value} {listed.id}: {_state(listed)}, {listed.severity.value}")
    _line("account", f"{listed.account_id} {listed.currency}")
    _line("subject", listed.subject)
    if listed.on is not None:
        _line("day", listed.on.isoformat())
    if listed.amount is not None:
        _line("amount", listed.amount)
    _line("opened", f"{_instant(listed.opened_at)}, {listed.age_business_days} business days old")
    late = ", past due" if listed.is_past_due else ""
    _line("due", f"{_instant(listed.due_at)}{late}")
    seen = f"{listed.occurrences}x, {_instant(listed.first_seen)} to {_instant(listed.last_seen)}"
    _line("seen", seen)
    if listed.owner is not None:
        _line("owner", listed.owner)
    if listed.reason_code is not None:
        _line("reason", f"{listed.reason_code} {listed.reason or ''}".rstrip())
    for name, value in sorted(listed.facts.items()):
        _line("fact", f"{name}: {value}")
    out.print()
    shown = Rows("at", "who", "what", "state", "why")
    for each in story:
        shown.add_row(
            _instant(each.at),
            _cell(each.actor),
            each.kind,
            each.to_state.value,
            _cell(_why(each)),
        )
    shown.print(out)


def _state(listed: Listed) -> str:
    if listed.snoozed_until is not None:
        return f"{listed.state.value} asleep until {_instant(listed.snoozed_until)}"
    return listed.state.value


def _why(happened: Happened) -> str:
    action = action_from_text(bytes(happened.body))
    match action:
        case Found():
            amount = "" if action.amount is None else f"{amount_text(action.amount)} "
            return f"{amount}by {action.source.value} of {action.evidence}"
        case ProvenGone():
            proof = ", ".join(f"{name}: {value}" for name, value in sorted(action.proof.items()))
            return f"by {action.source.value} of {action.evidence}; {proof}"
        case Assigned():
            return f"to {action.owner}"
        case Snoozed():
            return f"until {_instant(action.until)}: {action.reason}"
        case Resolved():
            return f"{action.reason_code.value}: {action.reason}"
        case Escalated() | Reopened() | Commented():
            return action.reason
        case _:
            assert_never(action)


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%F %T}Z"


def _line(name: str, text: str) -> None:
    out.print(f"{name:<8} {_shown(text)}".lstrip(), markup=False)


def _cell(text: str) -> str:
    return plain(_shown(text))


def _shown(text: str) -> str:
    """Return `text`, some of which others wrote, as one line that a terminal only shows."""
    return printable(text.encode()).replace("\n", "\\n")
