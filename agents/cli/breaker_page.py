"""The breaker for people: a line a scope, and below what is still under way from stopped ones."""

from collections.abc import Sequence
from datetime import datetime

from agents.cli.layout import Rows
from agents.cli.output import out, plain, styled
from recon_streams.breaker.record import SYSTEM
from recon_streams.breaker_desk.status import Happened, Lease, ScopeStatus


def print_scopes(scopes: Sequence[ScopeStatus], lease: Lease | None, now: datetime) -> None:
    """Print where `scopes` stand at `now`, and the lease behind every yes."""
    out.print(_lease(lease))
    rows = Rows(
        "scope", "pays", "state", "epoch", "since", "by", "because", "waits for", "evidence"
    )
    for each in scopes:
        rows.add_row(
            plain(each.scope),
            _pays(each, lease),
            f"{styled(each.state)} {each.reason}" + (" (held: flapping)" if each.flapping else ""),
            str(each.epoch),
            f"{each.since:%F %T}Z",
            plain(_by(each)),
            plain(each.words or "-"),
            _waits_for(each, now),
            _evidence(each, now),
        )
    rows.print(out)
    pending = Rows("under way from", "kind", "reference", "amount", "due", "overdue", "at the bank")
    for each in scopes:
        for item in each.pending:
            pending.add_row(
                plain(each.scope),
                item.kind,
                plain(item.reference),
                item.amount,
                f"{item.due_at:%F %T}Z",
                "yes" if item.overdue else "no",
                "booked: finish" if item.at_bank else "not booked: finish or recall",
            )
    if pending:
        out.print()
        pending.print(out)


def print_history(happened: Sequence[Happened]) -> None:
    """Print transitions, the newest first."""
    rows = Rows("epoch", "at", "from", "to", "reason", "by", "because", "request", "evidence")
    for each in happened:
        by = f"{each.maker} and {each.checker}" if each.checker else each.actor
        if by == SYSTEM:
            by = f"rule {each.reason}"
        until = f" until {each.override_until:%T}Z" if each.override_until else ""
        rows.add_row(
            str(each.epoch),
            f"{each.decided_at:%F %T}Z",
            styled(each.from_state) if each.from_state else "-",
            styled(each.to_state),
            each.reason + until,
            plain(by or "-"),
            plain(each.words or "-"),
            "-" if each.approval_id is None else str(each.approval_id),
            each.evidence_hash[:12],
        )
    rows.print(out)


def _by(status: ScopeStatus) -> str:
    """Return who brought it into its state: two people, one, or a rule of ours."""
    if status.maker and status.checker:
        return f"{status.maker} and {status.checker}"
    return f"rule {status.rule}" if status.actor == SYSTEM else status.actor


def _lease(lease: Lease | None) -> str:
    if lease is None:
        return "[bold red]no lease was ever given: nothing may pay[/]"
    if lease.left_ms <= 0:
        return f"[bold red]lease {lease.lease_seq} has run out: nothing may pay[/]"
    return f"lease {lease.lease_seq} of {plain(lease.publisher_id)}: {_seconds(lease.left_ms)} left"


def _pays(status: ScopeStatus, lease: Lease | None) -> str:
    if status.held_by:
        return f"[bold red]no[/]: {plain(', '.join(status.held_by))}"
    if not status.may_pay:
        return "[bold red]no[/]"
    return "[green]yes[/]" if lease is not None and lease.left_ms > 0 else "[bold red]no[/]: lease"


def _waits_for(status: ScopeStatus, now: datetime) -> str:
    if status.override_until is not None:
        return f"forced for {_left(status.override_until, now)} more"
    match status.state:
        case "OPEN":
            return "two people"
        case "SUSPENDED" if status.clears_at is not None:
            return f"calm for {_left(status.clears_at, now)} more"
        case "SUSPENDED":
            return f"clean evaluations, {status.clean} of {status.clean_needed}"
        case _:
            return "-"


def _evidence(status: ScopeStatus, now: datetime) -> str:
    found = status.evidence
    if found is None:
        return "-"
    sides = (("bank", found.bank_as_of), ("ledger", found.ledger_as_of))
    ages = [
        f"{name} {_left(now, as_of)} ago" if as_of else f"{name} never" for name, as_of in sides
    ]
    return f"{styled(found.tier)} {found.rule}; {', '.join(ages)}"


def _left(until: datetime, now: datetime) -> str:
    minutes, seconds = divmod(max(0, int((until - now).total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000 // 100} s"
