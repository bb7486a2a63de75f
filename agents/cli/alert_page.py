"""How alerts look to people: a row each, a page with the whole of one, and the sinks."""

from collections.abc import Sequence
from datetime import UTC, datetime

from agents.cli.layout import Rows
from agents.cli.output import out, plain, printable
from recon_streams.alerts.alarm import QUIET
from recon_streams.alerts.classes import runbook_of
from recon_streams.alerts.reading import Delivered, Happened, Shown, SinkShown


def print_listed(found: Sequence[Shown]) -> None:
    """Print one row for each."""
    if not found:
        out.print("nothing fires")
        return
    shown = Rows("severity", "class", "since", "seen", "state", "summary", "key")
    for each in found:
        shown.add_row(
            each.severity.value,
            _cell(each.alert_class),
            _instant(each.first_seen),
            f"{each.count}x",
            _cell(_state(each)),
            _cell(each.summary),
            _cell(each.dedup_key),
        )
    shown.print(out)


def print_alert(found: Shown, delivered: Sequence[Delivered]) -> None:
    """Print all that is known of one, and what became of it."""
    _line("", f"{found.alert_class}: {_state(found)}, {found.severity.value}")
    _line("what", found.summary)
    said = {
        "scope": found.scope,
        "tier": found.tier,
        "status": found.status,
        "epoch": found.epoch,
        **found.amounts,
    }
    for name, value in said.items():
        if value is not None:
            _line(name, str(value))
    _line("since", _instant(found.first_seen))
    _line("seen", f"{found.count}x, last {_instant(found.last_seen)}")
    if found.evidence is not None:
        _line("evidence", found.evidence)
    _line("runbook", runbook_of(found.component, found.alert_class))
    if not delivered:
        return
    out.print()
    shown = Rows("sink", "version", "action", "outcome", "at", "detail")
    for each in delivered:
        shown.add_row(
            _cell(each.sink),
            str(each.version),
            each.action,
            each.outcome,
            _instant(each.delivered_at),
            _cell(each.detail),
        )
    shown.print(out)


def print_story(story: Sequence[Happened]) -> None:
    """Print what happened to one, oldest first."""
    shown = Rows("at", "what", "told", "state", "severity", "class", "who", "why")
    for each in story:
        inhibited = f"instead: {each.inhibited_by}" if each.inhibited_by else ""
        why = each.reason or ("no trouble yet" if each.inhibited_by == QUIET else inhibited)
        shown.add_row(
            _instant(each.at),
            each.what,
            each.action or "-",
            each.state,
            each.severity,
            _cell(each.alert_class),
            _cell(each.actor or "-"),
            _cell(why),
        )
    shown.print(out)


def print_sinks(found: Sequence[SinkShown]) -> None:
    """Print one row for each sink."""
    if not found:
        out.print("no sink has had an alert; they are set under bridges in recon.yaml")
        return
    shown = Rows("sink", "stands", "sent", "refused", "next offset", "trouble")
    for each in found:
        shown.add_row(
            _cell(each.sink),
            _standing(each),
            str(each.sent),
            str(each.parked),
            str(each.next_offset),
            _cell(each.trouble or "-"),
        )
    shown.print(out)


def _state(found: Shown) -> str:
    if found.inhibited_by is None:
        return found.state.value
    if found.inhibited_by == QUIET:
        return f"{found.state.value}, no trouble yet"
    return f"{found.state.value}, told as {found.inhibited_by}"


def _standing(found: SinkShown) -> str:
    if found.disabled_at is not None:
        return f"disabled since {_instant(found.disabled_at)}"
    if found.failing_since is not None:
        return f"down since {_instant(found.failing_since)}, {found.failures} tries"
    return "takes alerts"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%F %T}Z"


def _line(name: str, text: str) -> None:
    out.print(f"{name:<12} {_shown(text)}".lstrip(), markup=False)


def _cell(text: str) -> str:
    return plain(_shown(text))


def _shown(text: str) -> str:
    return printable(text.encode()).replace("\n", "\\n")
