"""`config` and `version`: what is set, where it came from, and what may be set."""

import os
import platform
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated

import typer

from agents.cli.app import app
from agents.cli.layout import Rows
from agents.cli.output import Format, FormatOption, out, print_as, print_json, talk
from agents.cli.place import ConfigOption, find_place
from agents.publishing import check_keys_in, key_ring_of
from recon_streams.runtime.settings import Settings, settings_schema

group = typer.Typer(help="Settings: check, show, and their schema.")
app.add_typer(group, name="config")


@group.command("check")
def check(
    config: ConfigOption = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", envvar="RECON_DATA", help="The directory of `up`, for its keys."),
    ] = None,
) -> None:
    """Check recon.yaml and the files it names; exit 3 and every error with line and column if not.

    The files are sweeps.connectors_file, calendars.file and those of signing: the key that signs
    must be among those that payout services pin. The environment is checked too.
    """
    place = find_place(config, None, None, None)
    connectors = place.connectors
    # Reading it is the check.
    _ = place.calendars
    unchecked = _check_keys(place.settings, data)
    if unchecked is not None:
        talk.print(f"note: {unchecked}", markup=False)
    out.print(f"no errors; {len(connectors)} connectors to banks")


def _check_keys(settings: Settings, data: Path | None) -> str | None:
    """Return what cannot be checked here, if anything; errors are raised."""
    if data is not None:
        check_keys_in(data, settings)
        return None
    key_file = settings.signing.key_file
    if key_file is None:
        return None
    unknown = "whether payout services pin the key that signs was not checked"
    # It is on the publisher's machine only, and the first time it is made after this.
    if not os.access(key_file, os.R_OK):
        return f"{key_file} cannot be read here; {unknown}"
    key_ring_of(settings)
    if settings.signing.public_keys_file is None:
        return f"signing.public_keys_file names no file; {unknown}"
    return None


@group.command("show")
def show(
    config: ConfigOption = None,
    origin: Annotated[bool, typer.Option("--origin", help="Where each value came from.")] = False,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show every setting in force; secrets stay hidden."""
    settings = find_place(config, None, None, None).settings
    rows = settings.rows()
    if output is not Format.TABLE:
        print_as(output, {name: value for name, value, _ in rows})
        return
    shown = Rows("setting", "value", *(("from",) if origin else ()))
    for name, value, source in rows:
        shown.add_row(name, value, *((source,) if origin else ()))
    shown.print(out)


@group.command("schema")
def schema() -> None:
    """Print the JSON Schema of recon.yaml, for editors."""
    print_json(settings_schema())


@app.command("version")
def version(output: FormatOption = Format.TABLE) -> None:
    """Print what this is."""
    facts = {
        "recon-streams": version_of("recon-streams"),
        "faust-streaming": version_of("faust-streaming"),
        "aiokafka": version_of("aiokafka"),
        "lxml": version_of("lxml"),
        "python": platform.python_version(),
    }
    if output is not Format.TABLE:
        print_as(output, facts)
        return
    for name, value in facts.items():
        out.print(f"{name} {value}")
