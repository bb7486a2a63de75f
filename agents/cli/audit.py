"""`audit inputs`: the proof that nothing was lost, by a reader of its own."""

import typer

from agents.cli.app import Ended, app, run
from agents.cli.layout import Rows
from agents.cli.output import Format, FormatOption, out, print_as
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from agents.intakes import input_topics
from recon_streams.book.audit import PartitionAudit, audit_inputs
from recon_streams.runtime.exit_codes import ExitCode

group = typer.Typer(help="Prove what the book says against the log.")
app.add_typer(group, name="audit")


@group.command("inputs")
def inputs(
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Compare every offset of every input partition with the book; exit 5 and the list if not."""
    audits = run(_audit(find_place(config, data, dsn, bootstrap)))
    flaws = [flaw for audit in audits for flaw in audit.flaws]
    if output is Format.TABLE:
        shown = Rows("partition", "log start", "end", "records", "flaws")
        for audit in audits:
            name = f"{audit.topic}/{audit.partition}"
            found = str(sum(flaw.until - flaw.first for flaw in audit.flaws))
            shown.add_row(name, str(audit.start), str(audit.end), str(audit.records), found)
        shown.print(out)
        for flaw in flaws:
            where = f"{flaw.topic}/{flaw.partition} [{flaw.first}, {flaw.until})"
            out.print(f"[bold red]{flaw.flaw.value}[/] {where}")
        verdict = "every offset has exactly one row" if not flaws else "NOT PROVEN"
        out.print(f"{sum(a.end - a.start for a in audits)} offsets: {verdict}")
    else:
        lines = [*({"partition": audit} for audit in audits), {"proven": not flaws}]
        print_as(output, {"partitions": audits, "proven": not flaws}, lines)
    if flaws:
        raise Ended(ExitCode.DIFFERENCES)


async def _audit(place: Place) -> list[PartitionAudit]:
    async with place.pool() as pool, place.logs(pool) as logs:
        return await audit_inputs(pool, logs.probe, input_topics())
