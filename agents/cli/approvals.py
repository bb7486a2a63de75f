"""`approvals`: what waits for a second person, shown exactly as both sign it, and answered."""

import sys
from datetime import timedelta
from typing import Annotated, Any, Final

import msgspec
import typer

from agents.approving import answer, look, verified, waiting
from agents.cli.app import Ended, app, run
from agents.cli.layout import Rows
from agents.cli.output import Format, FormatOption, out, plain, print_as, talk
from agents.cli.people import KeyOption, key_of, said_why
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from recon_streams.approvals.desk import Outcome, Sight
from recon_streams.approvals.machine import Request, RequestState, state_at
from recon_streams.kernel.clock import utc_now
from recon_streams.runtime.exit_codes import ExitCode

group = typer.Typer(help="What takes two people: asked for, shown, agreed to or refused.")
app.add_typer(group, name="approvals")

_ROWS_MAX: Final = 1_000
RequestArgument = Annotated[int, typer.Argument(help="From `approvals list`.", min=1)]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]
EverythingOption = Annotated[
    bool, typer.Option("--all", help="Also those that have ended, the newest first.")
]
FactsOption = Annotated[
    str | None,
    typer.Option(
        "--facts",
        help="The hash of the facts as you were shown them, or its beginning; if the request is "
        "about others, nothing is signed. Without it you are shown them and asked.",
    ),
]


@group.command("list")
def list_(
    everything: EverythingOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show what waits for a second person."""
    place = find_place(config, data, dsn, bootstrap)
    requests = run(waiting(place, everything=everything, rows_max=_ROWS_MAX))
    if output is not Format.TABLE:
        print_as(output, [_as_json(each) for each in requests])
        return
    if not requests:
        out.print("nothing waits" if not everything else "nothing was ever asked for")
        return
    print_requests(requests)


@group.command("show")
def show(
    request_id: RequestArgument,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show the facts that both sign, their hash, the time that is left, what stands against it."""
    place = find_place(config, data, dsn, bootstrap)
    sight = run(look(place, request_id))
    if output is not Format.TABLE:
        now_words = {
            "state": sight.state,
            "seconds_left": int(sight.left.total_seconds()),
            "facts_are_the_same": sight.facts_are_the_same,
            "obstacles": sight.obstacles,
        }
        print_as(output, _as_json(sight.request) | now_words)
        return
    print_sight(sight)


@group.command("approve")
def approve(
    request_id: RequestArgument,
    reason: ReasonOption,
    key: KeyOption = None,
    facts: FactsOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Agree, as another person than whoever asked; it is done in the same moment."""
    place = find_place(config, data, dsn, bootstrap)
    decide(place, request_id, approve=True, reason=reason, key=key, facts=facts)


@group.command("refuse")
def refuse(
    request_id: RequestArgument,
    reason: ReasonOption,
    key: KeyOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Refuse; the request has ended, and whoever asked may ask again."""
    place = find_place(config, data, dsn, bootstrap)
    decide(place, request_id, approve=False, reason=reason, key=key)


@group.command("verify")
def verify(
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Hold all that took two people against their signatures; exit 5 if anything was not signed."""
    place = find_place(config, data, dsn, bootstrap)
    found = run(verified(place))
    if output is not Format.TABLE:
        print_as(output, [msgspec.to_builtins(each) for each in found])
    elif found:
        shown = Rows("what", "about", "request", "what is wrong")
        for each in found:
            number = "-" if each.approval_id is None else str(each.approval_id)
            shown.add_row(each.kind, plain(each.subject), number, plain(each.words))
        shown.print(out)
    else:
        out.print("everything that takes two people was signed by two")
    if found:
        raise Ended(ExitCode.DIFFERENCES)


def decide(
    place: Place,
    request_id: int,
    *,
    approve: bool,
    reason: str,
    key: KeyOption,
    facts: str | None = None,
) -> None:
    """Answer a request and say what became of it; exit 6 if it was not done.

    Whoever agrees without naming the facts is shown them here, and asked.
    """
    if approve and facts is None:
        facts = _seen(run(look(place, request_id)))
    outcome = run(
        answer(
            place,
            request_id,
            approve=approve,
            reason=said_why(reason),
            key=key_of(key),
            facts=facts,
        )
    )
    print_outcome(outcome)


def _seen(sight: Sight) -> str:
    """Show what is about to be signed; return its hash once somebody has said yes to it."""
    print_sight(sight)
    digest = sight.request.facts_sha256
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            f"nobody is there to be asked: say what you were shown, as in --facts {digest[:12]}"
        )
    if not typer.confirm("Do you agree to this, as it stands above?", default=False, err=True):
        raise Ended(ExitCode.REFUSED)
    return digest


def print_outcome(outcome: Outcome) -> None:
    """Say what became of an answer; end with 6 if it was to be done and was not."""
    request = outcome.request
    by = f" by {request.checker}, asked for by {request.maker}" if request.checker else ""
    said = f"request {request.request_id}: {request.kind} of {request.subject}: {request.state}{by}"
    out.print(said, markup=False)
    for words in outcome.words:
        talk.print(f"request {request.request_id}: {words}", markup=False)
    if outcome.words:
        raise Ended(ExitCode.REFUSED)


def print_requests(requests: list[Request]) -> None:
    """Print requests as a table."""
    now = utc_now()
    shown = Rows("request", "kind", "about", "state", "asked by", "why", "left", "answered by")
    for each in requests:
        state = state_at(each, now)
        is_waiting = state is RequestState.REQUESTED
        shown.add_row(
            str(each.request_id),
            each.kind.value,
            plain(each.subject),
            state.value,
            plain(each.maker),
            plain(each.reason),
            _left(each.expires_at - now) if is_waiting else "-",
            plain(each.checker or "-"),
        )
    shown.print(out)


def print_sight(sight: Sight) -> None:
    """Print a request as both are shown it."""
    request = sight.request
    lines = [
        f"request {request.request_id}: {request.kind} of {request.subject}",
        f"  asked by   {request.maker} at {request.requested_at:%Y-%m-%d %H:%M:%S} UTC",
        f"  because    {request.reason}",
        f"  state      {sight.state}"
        + (f", {_left(sight.left)} left" if sight.left > timedelta(0) else ""),
    ]
    if request.epoch is not None:
        lines.append(f"  epoch      {request.epoch}")
    lines += [f"  {name:<10} {value}" for name, value in sorted(request.details.items())]
    lines.append(f"  facts      sha256 {request.facts_sha256}")
    lines += [f"    {line}" for line in _facts_lines(request.facts)]
    if not sight.facts_are_the_same:
        lines.append("  the facts are not these any more; an approval would find it void")
    lines += [f"  stands against it now: {words}" for words in sight.obstacles]
    for line in lines:
        out.print(line, markup=False)


def _facts_lines(facts: bytes) -> list[str]:
    return msgspec.json.format(facts, indent=2).decode().splitlines()


def _left(left: timedelta) -> str:
    minutes, seconds = divmod(max(0, int(left.total_seconds())), 60)
    return f"{minutes}:{seconds:02}"


def _as_json(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(request)
    return found | {"facts": msgspec.Raw(request.facts)}
