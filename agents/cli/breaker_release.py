"""`breaker reset` and `breaker override`: what takes two people, asked for and answered."""

from typing import Annotated, Any

import msgspec
import typer

from agents.approving import ask, waiting
from agents.cli.app import run
from agents.cli.approvals import EverythingOption, approve, print_requests, refuse
from agents.cli.breaker import ScopeArgument, group
from agents.cli.output import Format, FormatOption, out, print_as
from agents.cli.people import KeyOption, key_of, print_asked, said_why
from agents.cli.place import BootstrapOption, ConfigOption, DataOption, DsnOption, find_place
from recon_streams.approvals.machine import REASON_LENGTH_MIN, Request
from recon_streams.approvals.subject import ApprovalKind, Wish

reset = typer.Typer(help="Let go of what is stopped: one asks, another agrees.")
override = typer.Typer(help="Force what is stopped to pay for some minutes: two people, loudly.")
group.add_typer(reset, name="reset")
group.add_typer(override, name="override")

_OF_BREAKERS = frozenset({ApprovalKind.BREAKER_RESET, ApprovalKind.BREAKER_OVERRIDE})
_ROWS_MAX = 1_000
LongReasonOption = Annotated[
    str,
    typer.Option(
        "--reason",
        help="Why, for whoever agrees and for those who come later: in "
        f"{REASON_LENGTH_MIN} characters or more, up to 500.",
    ),
]


@reset.command("request")
def request_reset(
    scope: ScopeArgument,
    reason: LongReasonOption,
    key: KeyOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Ask for a scope to be let go; another person agrees within 15 minutes."""
    place = find_place(config, data, dsn, bootstrap)
    wish = Wish(kind=ApprovalKind.BREAKER_RESET, subject=scope)
    asked = run(ask(place, wish, reason=_words(reason), key=key_of(key)))
    print_asked(asked) if output is Format.TABLE else print_as(output, _as_json(asked))


@reset.command("list")
def list_(
    everything: EverythingOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show what was asked for about breakers and waits for a second person."""
    place = find_place(config, data, dsn, bootstrap)
    found = run(waiting(place, everything=everything, rows_max=_ROWS_MAX))
    found = [each for each in found if each.kind in _OF_BREAKERS]
    if output is not Format.TABLE:
        print_as(output, [_as_json(each) for each in found])
    elif found:
        print_requests(found)
    else:
        out.print("nothing waits")


reset.command("approve", help="Agree, as another person than whoever asked; it is let go at once.")(
    approve
)
reset.command("refuse", help="Refuse; the request has ended, and the scope stays as it is.")(refuse)


@override.command("request")
def request_override(
    scope: ScopeArgument,
    reason: LongReasonOption,
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=30, help="From the approval on.")],
    key: KeyOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Ask for a scope to pay for some minutes, whatever its evidence says of what is known.

    Another person agrees with `breaker reset approve`. It ends by itself, and at once with any
    danger that was not known when it was agreed to.
    """
    place = find_place(config, data, dsn, bootstrap)
    details = {"minutes": str(minutes)}
    wish = Wish(kind=ApprovalKind.BREAKER_OVERRIDE, subject=scope, details=details)
    asked = run(ask(place, wish, reason=_words(reason), key=key_of(key)))
    print_asked(asked) if output is Format.TABLE else print_as(output, _as_json(asked))


def _words(reason: str) -> str:
    return said_why(reason, length_min=REASON_LENGTH_MIN)


def _as_json(request: Request) -> dict[str, Any]:
    """Return a request with its facts as they are, not as bytes."""
    found: dict[str, Any] = msgspec.to_builtins(request)
    return found | {"facts": msgspec.Raw(request.facts)}
