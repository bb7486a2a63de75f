"""`accounts`: the registry, from a file into the book."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from agents.cli.app import app, run
from agents.cli.output import out, talk
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from agents.intakes import by_topic, make_intakes
from agents.registration import register
from recon_streams.kernel.disposition import Outcome
from recon_streams.positions.registry_store import DirectoryCache, RegistryChange
from recon_streams.registry.definition import AccountDefinition

group = typer.Typer(help="Which bank account stands behind which ledger account, and its limits.")
app.add_typer(group, name="accounts")

FileArgument = Annotated[Path, typer.Argument(help="accounts.yaml")]


@group.command("check")
def check(file: FileArgument, config: ConfigOption = None) -> None:
    """Check a registry file; needs no server. Exit 3 and every error, by line and column, else.

    With the settings, that each connector it names is described in sweeps.connectors_file.
    """
    accounts = find_place(config, None, None, None).accounts_in(file)
    out.print(f"{file}: {len(accounts)} accounts, no errors", markup=False)


@group.command("apply")
def apply(
    file: FileArgument,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Make a file the newest version of the registry; what waited for an account is decided."""
    place = find_place(config, data, dsn, bootstrap)
    definitions = place.accounts_in(file)
    change, replayed = run(_apply(place, definitions, file))
    for word, names in (
        ("registered", change.registered),
        ("changed", change.changed),
        ("unchanged", change.unchanged),
        ("not in the file, kept", change.absent),
    ):
        if names:
            out.print(f"{word}: {', '.join(names)}", markup=False)
    if replayed:
        talk.print(f"{len(replayed)} inputs that waited were decided again")
    out.print(f"registry version {change.version}")


async def _apply(
    place: Place, definitions: tuple[AccountDefinition, ...], file: Path
) -> tuple[RegistryChange, dict[int, Outcome]]:
    intakes = by_topic(make_intakes(DirectoryCache(), place.settings.limits))
    async with place.pool() as pool:
        return await register(pool, definitions, intakes, source=file.name, actor=getpass.getuser())
