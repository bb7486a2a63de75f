"""`discrepancies`: what is wrong, how long it has been, and what people do about it."""

from typing import Annotated

import typer

from agents.cli.app import Ended, app, run
from agents.cli.discrepancy_page import print_listed, print_story
from agents.cli.output import Format, FormatOption, print_as, talk
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from recon_streams.discrepancies import queue
from recon_streams.discrepancies.deadline import BUCKETS
from recon_streams.discrepancies.finding import Kind
from recon_streams.kernel.clock import utc_now
from recon_streams.runtime.exit_codes import ExitCode
from topics.alerts import Severity

group = typer.Typer(help="What is wrong between ledger and bank: the queue, and who does what.")
app.add_typer(group, name="discrepancies")


@group.command("list")
def list_(
    is_open: Annotated[bool, typer.Option("--open", help="Also what was snoozed.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also what is resolved.")] = False,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only of this kind.")] = None,
    account: Annotated[str | None, typer.Option("--account", help="Only of this account.")] = None,
    severity: Annotated[Severity | None, typer.Option("--severity", help="Only these.")] = None,
    critical: Annotated[bool, typer.Option("--critical", help="Short for the worst.")] = False,
    past_due: Annotated[
        bool, typer.Option("--past-due", help="Only what people should have dealt with by now.")
    ] = False,
    bucket: Annotated[
        str | None,
        typer.Option("--bucket", help="Only of this age in business days: 0-1, 2-5 ... >30."),
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only assigned to them.")] = None,
    rows_max: Annotated[int, typer.Option("--limit", min=1, max=20_000)] = 1_000,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List what waits for somebody, the most urgent first, then what is due first."""
    names = [each.name for each in BUCKETS]
    if bucket is not None and bucket not in names:
        raise typer.BadParameter(f"--bucket takes one of {', '.join(names)}")
    if critical and severity not in {None, Severity.CRITICAL}:
        raise typer.BadParameter("--critical and another --severity leave nothing")
    wanted = queue.Wanted(
        asleep=is_open,
        resolved=everything,
        kind=kind,
        account_id=account,
        severity=Severity.CRITICAL if critical else severity,
        owner=owner,
        past_due=past_due,
        bucket=bucket,
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
    discrepancy_id: Annotated[int, typer.Argument(help="From `discrepancies list`.")],
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show one with all that is known of it, and its story."""
    found = run(_show(find_place(config, data, dsn, bootstrap), discrepancy_id))
    if found is None:
        talk.print(f"no discrepancy has the id {discrepancy_id}")
        raise Ended(ExitCode.FAILURE)
    listed, story = found
    if output is Format.TABLE:
        print_story(listed, story)
    else:
        print_as(output, {"discrepancy": listed, "actions": story})


async def _list(place: Place, wanted: queue.Wanted, rows_max: int) -> list[queue.Listed]:
    async with place.pool() as pool:
        return await queue.read(pool, wanted, now=utc_now(), rows_max=rows_max)


async def _show(place: Place, found: int) -> tuple[queue.Listed, list[queue.Happened]] | None:
    async with place.pool() as pool:
        return await queue.read_one(pool, found, now=utc_now())
