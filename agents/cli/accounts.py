"""`accounts`: the registry, from a file into the book."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from agents.approving import ask
from agents.cli.app import app, run
from agents.cli.output import out, talk
from agents.cli.people import KeyOption, key_of, print_asked, said_why
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from agents.intakes import by_topic, make_intakes
from agents.registration import hold_loosened, register, takes_two, words_of_loosened
from recon_streams.approvals.machine import Request
from recon_streams.identity.keys import PrivateKey
from recon_streams.kernel.disposition import Outcome
from recon_streams.positions.looser_rules import wish_to_apply
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
    reason: Annotated[
        str, typer.Option("--reason", help="Why a rule is loosened, where one is; it is kept.")
    ] = "",
    key: KeyOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Make a file the newest version of the registry; what waited for an account is decided.

    A file that loosens a rule of a registered account is only asked for, and nothing of it is
    applied, until another operator agrees with `approvals approve`.
    """
    place = find_place(config, data, dsn, bootstrap)
    definitions = place.accounts_in(file)
    loosened, two = run(_loosened(place, definitions))
    for words in loosened:
        talk.print(f"loosened: {words}", markup=False)
    if loosened and two:
        signer = key_of(key)
        print_asked(run(_ask(place, definitions, file, said_why(reason), signer)))
        return
    if loosened:
        talk.print("note: loosened by one person alone: there are no operators here", markup=False)
    change, replayed = run(_apply(place, definitions, file, may_loosen=not two))
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


async def _loosened(
    place: Place, definitions: tuple[AccountDefinition, ...]
) -> tuple[list[str], bool]:
    async with place.pool() as pool:
        _, loosened = await hold_loosened(pool, definitions)
        return words_of_loosened(loosened), await takes_two(place.settings, pool)


async def _ask(
    place: Place,
    definitions: tuple[AccountDefinition, ...],
    file: Path,
    reason: str,
    key: PrivateKey,
) -> Request:
    async with place.pool() as pool:
        wish = await wish_to_apply(pool, definitions, file.name)
    return await ask(place, wish, reason=reason, key=key)


async def _apply(
    place: Place, definitions: tuple[AccountDefinition, ...], file: Path, *, may_loosen: bool
) -> tuple[RegistryChange, dict[int, Outcome]]:
    intakes = by_topic(make_intakes(DirectoryCache(), place.settings.limits))
    async with place.pool() as pool:
        return await register(
            pool,
            definitions,
            intakes,
            source=file.name,
            actor=getpass.getuser(),
            may_loosen=may_loosen,
        )
