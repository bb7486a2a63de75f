"""`config` and `version`: what is set, where it came from, and what may be set."""

import platform
from importlib.metadata import version as version_of
from typing import Annotated

import typer

from agents.cli.app import app
from agents.cli.layout import Rows
from agents.cli.output import Format, FormatOption, out, print_as, print_json
from agents.cli.place import ConfigOption, find_place
from recon_streams.runtime.settings import settings_schema

group = typer.Typer(help="Settings: check, show, and their schema.")
app.add_typer(group, name="config")


@group.command("check")
def check(config: ConfigOption = None) -> None:
    """Check recon.yaml and the files it names; exit 3 and every error with line and column if not.

    The files are sweeps.connectors_file and calendars.file. The environment is checked too.
    """
    place = find_place(config, None, None, None)
    connectors = place.connectors
    # Reading it is the check.
    _ = place.calendars
    out.print(f"no errors; {len(connectors)} connectors to banks")


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
