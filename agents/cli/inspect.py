"""`inspect`: what a bank's file says, without a book and without a guess."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from agents.cli.app import Ended, app
from agents.cli.inspect_page import print_file, print_relations
from agents.cli.output import Format, FormatOption, talk
from recon_streams.bankfiles.delivery import delivered_in
from recon_streams.bankfiles.inspection import Inspected, inspect_delivered
from recon_streams.bankfiles.relations import Related
from recon_streams.runtime.exit_codes import ExitCode


@app.command("inspect")
def inspect(
    files: Annotated[
        list[Path], typer.Argument(help="camt.052/053/054 or MT940/MT942, ZIPs, folders.")
    ],
    output: FormatOption = Format.TABLE,
    relations: Annotated[
        bool | None,
        typer.Option(
            "--relations/--no-relations",
            help="What the files say about each other; JSON has it only on request, as last line.",
        ),
    ] = None,
) -> None:
    """Show the figures of bank files, what is odd about them, and which must be refused.

    With -o json, one JSON object a line for each file. Ends with 0 if all could be read, with 6 if
    one was refused.
    """
    is_page = output is Format.TABLE
    wants_relations = is_page if relations is None else relations
    related = Related()
    refused = False
    count = 0
    for count, inspected in enumerate(_inspected(files), start=1):  # noqa: B007 - how many, in the end
        refused = refused or "refused" in inspected.shown
        related.add(inspected)
        if is_page:
            print_file(inspected.shown)
        else:
            _print_line(inspected.shown)
    if not count:
        names = ", ".join(map(str, files))
        talk.print(f"there is no file in {names}; hidden files are not looked at", markup=False)
    if wants_relations:
        found = related.found()
        if is_page:
            print_relations(found)
        else:
            _print_line({"relations": found})
    if refused:
        raise Ended(ExitCode.REFUSED)


def _inspected(files: list[Path]) -> Iterator[Inspected]:
    for delivered in delivered_in(files):
        yield inspect_delivered(delivered)


def _print_line(value: dict[str, Any]) -> None:
    typer.echo(msgspec.json.encode(value).decode())
