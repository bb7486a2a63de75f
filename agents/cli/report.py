"""`report`: the statements that were made, shown, exported, and checked against their hashes."""

import sys
from datetime import datetime
from enum import StrEnum, unique
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agents.cli.app import Ended, app, run
from agents.cli.layout import Rows
from agents.cli.output import Format, FormatOption, out, plain, print_as, styled, talk
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from agents.cli.report_page import print_report
from recon_streams.closing.signatures import DaySigned, signatures_of, words_of
from recon_streams.reports import store
from recon_streams.reports.as_csv import as_csv
from recon_streams.reports.as_html import as_html
from recon_streams.reports.as_json import as_json
from recon_streams.reports.dataset import EodDataset, dataset_from_bytes
from recon_streams.reports.figures import printed
from recon_streams.reports.verify import NotAReport, verify_file
from recon_streams.runtime.exit_codes import ExitCode
from topics.reports import ReportKind, ReportTotals

group = typer.Typer(help="Reports of days and sweep windows: list, show, export, verify.")
app.add_typer(group, name="report")


@unique
class ExportFormat(StrEnum):
    """What `--format` takes."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


IdArgument = Annotated[str, typer.Argument(metavar="ID", help="From `report list`.")]


@group.command("list")
def list_(
    kind: Annotated[ReportKind | None, typer.Option("--kind", help="Only of this kind.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List the reports, the newest first."""
    place = find_place(config, data, dsn, bootstrap)
    found = run(_list(place, kind, since, until))
    if output is not Format.TABLE:
        print_as(output, [each.record for each in found])
        return
    shown = Rows("report", "worst", "accounts", "bank less ledger", "unexplained", "sha256")
    for each in found:
        record = each.record
        shown.add_row(
            plain(record.report_id),
            styled(record.worst_tier.value),
            str(sum(row.accounts for row in record.totals)),
            ", ".join(_figure_of(row, row.difference) for row in record.totals),
            ", ".join(_figure_of(row, row.unexplained_total) for row in record.totals),
            record.sha256,
        )
    if shown:
        shown.print(out)
    else:
        out.print("there is no report")


def _figure_of(row: ReportTotals, amount: str) -> str:
    """Return a sum for people: of accounts without a figure there is none, and it is not zero."""
    if row.without_figure == row.accounts:
        return f"{row.currency} none (no balance to compare)"
    without = f" ({row.without_figure} without a balance)" if row.without_figure else ""
    return f"{row.currency} {printed(amount, row.currency)}{without}"


@group.command("show")
def show(
    identity: IdArgument,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show one report: from the bank's balance to the ledger's, and what is left."""
    place = find_place(config, data, dsn, bootstrap)
    content = _content(place, identity)
    if output is Format.TABLE:
        print_report(content)
        for each in run(_signatures(place, content)):
            who = f"{each.account_id} {each.currency}, {each.at:%F %T}Z"
            out.print(f"{who}: {words_of(each)}", markup=False)
    elif output is Format.JSON:
        typer.echo(_as_json(place, content), nl=False)
    else:
        accounts = dataset_from_bytes(content).accounts
        for account in accounts:
            typer.echo(msgspec.json.encode(account, order="sorted").decode())


@group.command("export")
def export(
    identity: IdArgument,
    export_format: Annotated[ExportFormat, typer.Option("--format", help="Of the file.")],
    file: Annotated[
        Path | None, typer.Option("--out", help="Where to; standard output without it.")
    ] = None,
    bom: Annotated[
        bool, typer.Option("--bom", help="CSV: begin with a byte order mark, for Excel.")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Write one report as a file; whatever the format, it carries the dataset's hash."""
    place = find_place(config, data, dsn, bootstrap)
    content = _content(place, identity)
    exported = _exported(place, content, export_format, bom=bom).encode()
    if file is None:
        sys.stdout.buffer.write(exported)
        return
    try:
        file.write_bytes(exported)
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="--out") from error
    talk.print(f"wrote {file}", markup=False)


def _exported(place: Place, content: bytes, export_format: ExportFormat, *, bom: bool) -> str:
    match export_format:
        case ExportFormat.JSON:
            return _as_json(place, content)
        case ExportFormat.CSV:
            return as_csv(content, with_bom=bom)
        case ExportFormat.HTML:
            return as_html(content)


@group.command("verify")
def verify(
    files: Annotated[list[Path], typer.Argument(help="Exported with `--format json`.")],
    output: FormatOption = Format.TABLE,
) -> None:
    """Check the figures of exported reports without a database; exit 5 if one does not agree.

    Their hash and every total are computed again. Signatures are not part of the hash, so that a
    day can be signed after its report was issued: `report show` asks the book who signed.
    """
    answers = [_verify(file) for file in files]
    if output is Format.TABLE:
        for answer in answers:
            for problem in answer.problems:
                out.print(f"{answer.file}: {problem}", markup=False)
            if not answer.problems:
                words = f"{answer.file}: {answer.totals} totals agree, sha256 {answer.sha256}"
                out.print(words, markup=False)
            for each in answer.not_proven:
                words = f"{each}: not proven by this file; `report show ID` asks the book"
                out.print(f"{answer.file}: {words}", markup=False)
    else:
        print_as(output, answers)
    if any(answer.problems for answer in answers):
        raise Ended(ExitCode.DIFFERENCES)


class VerifiedFile(msgspec.Struct, frozen=True):
    """What `verify` answers of one file.

    Attributes:
        not_proven: What stands in the file beside the figures, and nothing in it can prove.
    """

    file: str
    sha256: str | None
    totals: int
    problems: tuple[str, ...]
    not_proven: tuple[str, ...] = ()


def _verify(file: Path) -> VerifiedFile:
    try:
        found = verify_file(file.read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error
    except NotAReport as error:
        return VerifiedFile(str(file), None, 0, (str(error),))
    return VerifiedFile(
        str(file), found.sha256, found.totals, found.problems, not_proven=("signatures",)
    )


def _content(place: Place, identity: str) -> bytes:
    """Return the bytes of a report, proven to have the hash that is kept with them."""
    try:
        return run(_read(place, identity))
    except store.NoSuchReport as error:
        talk.print(f"error: {error}", markup=False)
        raise Ended(ExitCode.FAILURE) from error
    except store.ReportAltered as error:
        talk.print(f"error: {error}", markup=False)
        raise Ended(ExitCode.DIFFERENCES) from error


def _as_json(place: Place, content: bytes) -> str:
    return as_json(
        content, signatures=[msgspec.to_builtins(each) for each in run(_signatures(place, content))]
    )


async def _signatures(place: Place, content: bytes) -> list[DaySigned]:
    dataset = dataset_from_bytes(content)
    if not isinstance(dataset, EodDataset):
        return []
    async with place.pool() as pool:
        return await signatures_of(pool, dataset)


async def _read(place: Place, identity: str) -> bytes:
    async with place.pool() as pool:
        return await store.read(pool, identity)


async def _list(
    place: Place, kind: ReportKind | None, since: datetime | None, until: datetime | None
) -> list[store.StoredReport]:
    async with place.pool() as pool:
        return list(
            await store.find(
                pool,
                kind=kind,
                since=since.date() if since else None,
                until=until.date() if until else None,
            )
        )
