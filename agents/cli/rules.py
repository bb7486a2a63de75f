"""`rules`: by which rules bank items and ledger items become one, tried before they are applied."""

import getpass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agents.cli.app import Ended, app, run
from agents.cli.layout import Rows
from agents.cli.output import Format, FormatOption, out, plain, print_as, talk
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from recon_streams.matching import rule_store
from recon_streams.matching.request import MatchAccount
from recon_streams.matching.rules import MatchingRules
from recon_streams.matching.rules_file import load_rules
from recon_streams.matching.trial import Trial, try_rules
from recon_streams.registry.calendar_store import calendars_in_force
from recon_streams.runtime.exit_codes import ExitCode

group = typer.Typer(help="The rules of matching: show, try on history, apply.")
app.add_typer(group, name="rules")

FileArgument = Annotated[Path, typer.Argument(help="matching.yaml")]
_DAY = ["%Y-%m-%d"]


@group.command("show")
def show(
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show the rules in force, as the file they are."""
    found = run(_show(find_place(config, data, dsn, bootstrap)))
    if output is not Format.TABLE:
        said = {
            "version": found.rules.version,
            "sha256": found.rules.sha256,
            "source": found.source,
            "actor": found.actor,
            "content": found.content,
        }
        print_as(output, said)
        return
    by = f", applied by {found.actor}" if found.actor else ", as shipped"
    talk.print(f"version {found.rules.version} of {found.source}{by}", markup=False)
    typer.echo(found.content.rstrip("\n"))


@group.command("apply")
def apply(
    file: FileArgument,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Make a file the newest version of the rules; the next run goes by it."""
    _, content = load_rules(file)
    place = find_place(config, data, dsn, bootstrap)
    version = run(_apply(place, file.name, content)).rules.version
    out.print(f"matching rules version {version}")


@group.command("try")
def try_(
    file: FileArgument,
    since: Annotated[
        datetime, typer.Option("--from", formats=_DAY, help="First day of the items.")
    ],
    until: Annotated[datetime, typer.Option("--to", formats=_DAY, help="Last day of the items.")],
    account: Annotated[
        str | None, typer.Option("--account", help="One ledger account; all without it.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Say what a file would match otherwise than what is matched now; nothing is stored."""
    if since > until:
        raise typer.BadParameter(f"--from {since:%F} is after --to {until:%F}: there are no days")
    rules, _ = load_rules(file)
    place = find_place(config, data, dsn, bootstrap)
    trials = run(_try(place, rules, (since, until), account))
    if account is not None and not trials:
        talk.print(f"no account {account} is registered", markup=False)
        raise Ended(ExitCode.FAILURE)
    if output is not Format.TABLE:
        print_as(output, [{"account_id": name, **msgspec.to_builtins(t)} for name, t in trials])
        return
    _print_trials(trials)


def _print_trials(trials: list[tuple[str, Trial]]) -> None:
    counts = Rows("account", "kept", "gained", "lost", "suggested", "open bank", "open ledger")
    changes = Rows("account", "change", "rule", "score", "bank", "ledger", "because")
    changed = False
    for name, trial in trials:
        sizes = (trial.kept, len(trial.gained), len(trial.lost), len(trial.suggested))
        cells = [str(n) for n in (*sizes, trial.open_bank, trial.open_ledger)]
        counts.add_row(plain(name), *cells)
        for word, found in (
            ("gained", trial.gained),
            ("lost", trial.lost),
            ("suggested", trial.suggested),
        ):
            for each in found:
                changed = True
                changes.add_row(
                    plain(name), word, each.rule, str(each.score), plain(", ".join(each.bank)),
                    plain(", ".join(each.ledger)), plain("; ".join(each.because)),
                )  # fmt: skip
        if trial.cut:
            talk.print(f"{name}: too many items; the newest days were left out", markup=False)
    counts.print(out)
    if changed:
        changes.print(out)


async def _show(place: Place) -> rule_store.RulesVersion:
    async with place.pool() as pool:
        return await rule_store.current_rules(pool)


async def _apply(place: Place, source: str, content: str) -> rule_store.RulesVersion:
    async with place.pool() as pool:
        return await rule_store.apply_rules(
            pool, source=source, content=content, actor=getpass.getuser()
        )


async def _try(
    place: Place, rules: MatchingRules, days: tuple[datetime, datetime], account: str | None
) -> list[tuple[str, Trial]]:
    trials = []
    async with place.pool() as pool:
        calendars = await calendars_in_force(pool)
        for each in await rule_store.registered(pool, account):
            definition = each.definition
            asked = MatchAccount(
                number=each.number,
                currency=definition.currency,
                zone=definition.time_zone,
                calendar=calendars.as_known(definition.calendar),
                scale=definition.scale,
            )
            async with pool.acquire() as connection:
                trial = await try_rules(connection, rules, asked, (days[0].date(), days[1].date()))
            trials.append((f"{definition.account_id}:{definition.currency}", trial))
    return trials
