"""`degraded`: a permit file for when the installation is down; made and signed without it."""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from agents.approving import operators_of
from agents.cli.app import app
from agents.cli.output import out
from agents.cli.people import KeyOption, key_of
from agents.cli.place import ConfigOption, find_place
from recon_streams.degraded.paper import (
    HOURS_MAX,
    Paper,
    Terms,
    check_terms,
    paper_bytes,
    read_paper,
    signed,
    signers,
    verify,
)
from recon_streams.identity.office import replace_file
from recon_streams.kernel.clock import utc_now

group = typer.Typer(help="Paying while the installation is down: a paper that two people sign.")
app.add_typer(group, name="degraded")

FileArgument = Annotated[Path, typer.Argument(help="The permit file.")]


@group.command("write")
def write(
    file: FileArgument,
    scope: Annotated[
        list[str], typer.Option("--scope", help="account:ID:CURRENCY; repeat it for several.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why, in 20 characters or more.")],
    minutes: Annotated[
        int, typer.Option("--minutes", min=1, max=HOURS_MAX * 60, help="For how long, from now.")
    ],
    config: ConfigOption = None,
) -> None:
    """Write a permit file that nobody has signed yet; without two signatures it permits nothing."""
    operators = operators_of(find_place(config, None, None, None))
    if file.exists():
        raise typer.BadParameter(f"{file} exists already; a paper is never written over another")
    now = utc_now()
    terms = Terms(
        installation=operators.installation,
        scopes=tuple(sorted(set(scope))),
        not_before=now,
        not_after=now + timedelta(minutes=minutes),
        reason=reason.strip(),
        nonce=secrets.token_hex(16),
    )
    check_terms(terms, operators.installation)
    replace_file(file, paper_bytes(Paper(terms=terms)), mode=0o644)
    out.print(f"{file}: written; two people sign it with `recon-streams degraded sign`")


@group.command("sign")
def sign(file: FileArgument, key: KeyOption = None, config: ConfigOption = None) -> None:
    """Sign a permit file with your own key; it takes two people with the role breakglass."""
    operators = operators_of(find_place(config, None, None, None))
    private, paper = key_of(key), read_paper(file)
    check_terms(paper.terms, operators.installation)
    _print(paper)
    after = signed(paper, private, operators.owner_of(private.public.kid).subject)
    names = signers(after, operators)
    replace_file(file, paper_bytes(after), mode=0o644)
    out.print(f"signed by {', '.join(names)}", markup=False)


@group.command("show")
def show(file: FileArgument, config: ConfigOption = None) -> None:
    """Show what a permit file permits now, and who signed it; exit 6 if it permits nothing."""
    operators = operators_of(find_place(config, None, None, None))
    paper = read_paper(file)
    _print(paper)
    out.print(f"signed by {', '.join(signers(paper, operators)) or 'nobody'}", markup=False)
    verify(paper, operators, utc_now())
    out.print("it permits")


def _print(paper: Paper) -> None:
    terms = paper.terms
    for line in (
        f"scopes  {', '.join(terms.scopes)}",
        f"from    {terms.not_before:%Y-%m-%d %H:%M:%S} UTC",
        f"until   {terms.not_after:%Y-%m-%d %H:%M:%S} UTC",
        f"because {terms.reason}",
    ):
        out.print(line, markup=False)
