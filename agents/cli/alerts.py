"""`alerts`: what on-call is told, what became of it, and how the sinks stand."""

import getpass
from collections.abc import Sequence
from typing import Annotated

import typer

from agents.cli.alert_page import print_alert, print_listed, print_sinks, print_story
from agents.cli.app import Ended, app, run
from agents.cli.output import Format, FormatOption, out, print_as, talk
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from recon_streams.alerts import reading
from recon_streams.alerts.alarm import Acknowledged
from recon_streams.alerts.telling import tell
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.bridges import delivery_store, troubles
from recon_streams.kernel.clock import utc_now
from recon_streams.runtime.exit_codes import ExitCode
from topics.alerts import Severity

_REASON_LENGTH_MAX = 500

group = typer.Typer(help="What on-call is told: causes that are there, and where they are told.")
app.add_typer(group, name="alerts")
KeyArgument = Annotated[str, typer.Argument(help="The dedup_key, from `alerts list`.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=20_000)]


@group.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also what is over.")] = False,
    alert_class: Annotated[str | None, typer.Option("--class", help="Only of this class.")] = None,
    severity: Annotated[Severity | None, typer.Option("--severity", help="Only these.")] = None,
    scope: Annotated[str | None, typer.Option("--scope", help="Only about this scope.")] = None,
    rows_max: LimitOption = 1_000,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List what fires, also what is inhibited, the most urgent first."""
    wanted = reading.Wanted(
        over=everything, alert_class=alert_class, severity=severity, scope=scope
    )
    found = run(_list(find_place(config, data, dsn, bootstrap), wanted, rows_max))
    if len(found) == rows_max:
        talk.print(f"the first {rows_max}; --limit shows more")
    if output is Format.TABLE:
        print_listed(found)
    else:
        print_as(output, found)


@group.command("show")
def show(
    key: KeyArgument,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show one with all that is known of it, and what became of it at each sink."""
    place = find_place(config, data, dsn, bootstrap)
    found, delivered = run(_show(place, key))
    if found is None:
        raise _unknown(key)
    if output is Format.TABLE:
        print_alert(found, delivered)
    else:
        print_as(output, {"alert": found, "deliveries": delivered})


@group.command("history")
def history(
    key: KeyArgument,
    rows_max: LimitOption = 200,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show what happened to one, over all its lives, oldest first."""
    place = find_place(config, data, dsn, bootstrap)
    found = run(_history(place, key, rows_max))
    if not found:
        raise _unknown(key)
    if output is Format.TABLE:
        print_story(found)
    else:
        print_as(output, found)


@group.command("ack")
def acknowledge(
    key: KeyArgument,
    reason: Annotated[str, typer.Option("--reason", help="For those who come later.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Say that you have it in hand: it is not told again unless it becomes worse."""
    if len(reason) > _REASON_LENGTH_MAX or not (reason.isprintable()):
        raise typer.BadParameter(f"--reason is one line of at most {_REASON_LENGTH_MAX} characters")
    place = find_place(config, data, dsn, bootstrap)
    found = run(_acknowledge(place, key, reason))
    if found is None:
        raise _unknown(key)
    out.print(f"{found.alert_class}: {found.state.value}", markup=False)


@group.command("sinks")
def sinks(
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show where alerts go, and whether each of these places takes them."""
    found = run(_sinks(find_place(config, data, dsn, bootstrap)))
    if output is Format.TABLE:
        print_sinks(found)
    else:
        print_as(output, found)


@group.command("resume")
def resume(
    sink: Annotated[str, typer.Argument(help="From `alerts sinks`.")],
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Send to a sink again that said it wanted nothing more, from where it was left."""
    if not run(_resume(find_place(config, data, dsn, bootstrap), sink)):
        talk.print(f"no sink {sink} is disabled", markup=False)
        raise Ended(ExitCode.FAILURE)
    out.print(f"{sink} gets alerts again", markup=False)


def _unknown(key: str) -> Ended:
    talk.print(f"no alert has the key {key}", markup=False)
    return Ended(ExitCode.FAILURE)


async def _list(place: Place, wanted: reading.Wanted, rows_max: int) -> list[reading.Shown]:
    async with place.pool() as pool:
        return await reading.listed(pool, wanted, rows_max=rows_max)


async def _show(place: Place, key: str) -> tuple[reading.Shown | None, Sequence[reading.Delivered]]:
    async with place.pool() as pool:
        return await reading.one(pool, key), await reading.deliveries(pool, key, rows_max=50)


async def _history(place: Place, key: str, rows_max: int) -> Sequence[reading.Happened]:
    async with place.pool() as pool:
        return await reading.story(pool, key, rows_max=rows_max)


async def _acknowledge(place: Place, key: str, reason: str) -> reading.Shown | None:
    said = Acknowledged(key=key, at=utc_now(), actor=getpass.getuser(), reason=reason)
    async with place.pool() as pool:
        async with UnitOfWork(pool) as unit:
            tell(unit, [said])
        return await reading.one(pool, key)


async def _sinks(place: Place) -> Sequence[reading.SinkShown]:
    async with place.pool() as pool:
        return await reading.sinks(pool)


async def _resume(place: Place, sink: str) -> bool:
    async with place.pool() as pool, UnitOfWork(pool) as unit:
        was_disabled = await delivery_store.enable(unit.connection, sink)
        if was_disabled:
            tell(unit, [troubles.enabled(sink, at=utc_now())])
        return was_disabled
