"""`quarantine`: what could not be used and why, its bytes, and another try once that was mended."""

import getpass
import sys
from typing import Annotated

import typer

from agents.cli.app import Ended, app, run
from agents.cli.layout import Rows
from agents.cli.output import (
    Format,
    FormatOption,
    out,
    plain,
    print_as,
    printable,
    talk,
)
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from agents.intakes import by_topic, make_intakes
from recon_streams.book import dismissal, quarantine
from recon_streams.book.replay import replay_codes, replay_ids
from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.runtime.exit_codes import ExitCode

_REASON_LENGTH_MAX = 500

group = typer.Typer(help="Inputs that could not be used: why, another try, or setting them aside.")
app.add_typer(group, name="quarantine")


@group.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Answered ones too.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List what waits, oldest first."""
    place = find_place(config, data, dsn, bootstrap)
    found = run(_list(place, everything=everything))
    if output is not Format.TABLE:
        print_as(output, found)
        return
    columns = ("id", "input", "code", "field", "rule", "found", "since")
    shown = Rows(*columns, "answer") if everything else Rows(*columns)
    for each in found:
        cells = (
            str(each.quarantine_id), each.place, each.code, plain(each.field), plain(each.rule),
            plain(each.detail), f"{each.noted_at:%F %T}Z",
        )  # fmt: skip
        shown.add_row(*cells, *([plain(_answer(each.answer))] if everything else []))
    if found:
        shown.print(out)
    else:
        out.print("nothing waits")


@group.command("show")
def show(
    quarantine_id: Annotated[int, typer.Argument(help="From `quarantine list`.")],
    raw: Annotated[bool, typer.Option("--raw", help="The bytes alone, as they came.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Show one input in quarantine with its bytes."""
    place = find_place(config, data, dsn, bootstrap)
    found = run(_show(place, quarantine_id))
    if found is None:
        talk.print(f"nothing has the id {quarantine_id}")
        raise Ended(ExitCode.FAILURE)
    item, payload = found
    if raw:
        sys.stdout.buffer.write(payload)
        return
    out.print(f"{item.code} at {item.field or 'the message'} of {item.place}", markup=False)
    out.print(f"rule   {item.rule}", markup=False)
    out.print(f"found  {item.detail or '-'}", markup=False)
    out.print(f"bytes  {len(payload)}, sha256 {item.payload_sha256}")
    if item.answer is not None:
        out.print(f"answer {_answer(item.answer)}", markup=False)
    typer.echo(printable(payload))


@group.command("replay")
def replay(
    ids: Annotated[list[int] | None, typer.Argument(help="From `quarantine list`.")] = None,
    code: Annotated[list[RefusalCode] | None, typer.Option("--code", help="All of a code.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Decide inputs again, from the bytes that were kept; exit 7 if some still cannot be used."""
    if not ids and not code:
        raise typer.BadParameter("name ids, or --code")
    place = find_place(config, data, dsn, bootstrap)
    outcomes = run(_replay(place, ids or [], code or []))
    for quarantine_id, outcome in sorted(outcomes.items()):
        reasons = ", ".join(held.code.value for held in outcome.held)
        out.print(f"{quarantine_id}: {outcome.disposition.value} {reasons}".rstrip())
    out.print(f"{len(outcomes)} decided again")
    if any(o.disposition is Disposition.QUARANTINED for o in outcomes.values()):
        raise Ended(ExitCode.PARTIAL)


@group.command("dismiss")
def dismiss(
    ids: Annotated[list[int], typer.Argument(help="From `quarantine list`.")],
    reason: Annotated[
        str, typer.Option("--reason", help="Why, for those who come later: up to 500 characters.")
    ],
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Set messages aside that their sender has replaced; bytes are kept, no figure moves."""
    reason = reason.strip()
    if not reason.isprintable() or not 0 < len(reason) <= _REASON_LENGTH_MAX:
        raise typer.BadParameter(f"--reason takes 1 to {_REASON_LENGTH_MAX} visible characters")
    run(_dismiss(find_place(config, data, dsn, bootstrap), ids, reason))
    for each in sorted(set(ids)):
        out.print(f"{each}: DISMISSED")


def _answer(answer: quarantine.Answer | None) -> str:
    if answer is None:
        return ""
    why = f": {answer.reason}" if answer.reason else ""
    return f"{answer.action} by {answer.actor} at {answer.at:%F %T}Z{why}"


async def _dismiss(place: Place, ids: list[int], reason: str) -> None:
    async with place.pool() as pool:
        await dismissal.dismiss(pool, ids, actor=getpass.getuser(), reason=reason)


async def _list(place: Place, *, everything: bool) -> list[quarantine.Quarantined]:
    async with place.pool() as pool:
        return await quarantine.read(pool, everything=everything)


async def _show(place: Place, quarantine_id: int) -> tuple[quarantine.Quarantined, bytes] | None:
    async with place.pool() as pool:
        return await quarantine.read_one(pool, quarantine_id)


async def _replay(place: Place, ids: list[int], codes: list[RefusalCode]) -> dict[int, Outcome]:
    intakes = by_topic(make_intakes(DirectoryCache(), place.settings.limits))
    actor = getpass.getuser()
    async with place.pool() as pool:
        await quarantine.require_waiting(pool, ids)
        outcomes = await replay_ids(pool, ids, intakes, actor=actor)
        if codes:
            outcomes |= await replay_codes(pool, codes, intakes, actor=actor)
        return outcomes
