"""Who acts: the key of an operator, never a user name; what takes two people is told alike."""

from pathlib import Path
from typing import Annotated

import typer

from agents.cli.output import out, plain
from recon_streams.approvals.machine import Request
from recon_streams.identity.keys import PrivateKey, read_private_key

KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key",
        envvar="RECON_OPERATOR_KEY",
        help="Your own key file, by which you are known; see `operators add`.",
    ),
]


def key_of(path: Path | None) -> PrivateKey:
    """Return the operator's key.

    Raises:
        NotBelieved: It is none, or others can read it.
    """
    if path is None:
        raise typer.BadParameter("give --key with your own key file, or set RECON_OPERATOR_KEY")
    return read_private_key(path)


def said_why(reason: str, *, length_min: int = 1) -> str:
    """Return the reason, if one was given, of `length_min` characters or more."""
    text = reason.strip()
    if not text:
        raise typer.BadParameter("say why; the reason is kept")
    if len(text) < length_min:
        raise typer.BadParameter(
            f"--reason takes {length_min} characters or more, and this has {len(text)}: say what "
            "was found, and where another can see it"
        )
    return text


def print_asked(request: Request) -> None:
    """Say that a request waits, for whom, until when, and how it goes on."""
    expires_at = f"{request.expires_at:%H:%M:%S} UTC"
    out.print(f"request {request.request_id}: {request.kind} of {plain(request.subject)}")
    out.print(f"  facts {request.facts_sha256}")
    out.print(f"  waits for another person until {expires_at}:")
    out.print(f"  recon-streams approvals show {request.request_id}")
    out.print(f"  recon-streams approvals approve {request.request_id} --reason ... --key ...")
