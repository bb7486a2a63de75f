"""`eod`: the days of accounts: run, looked at, closed, and opened again."""

from datetime import date, datetime
from typing import Annotated, Final

import asyncpg
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
from agents.patience import with_patience
from recon_streams.closing import store
from recon_streams.closing.by_matching import ByMatching
from recon_streams.closing.overview import DayLine, overview
from recon_streams.closing.rules_in_force import RulesInForce
from recon_streams.closing.run import Became, DayResult, DayRun, run_day
from recon_streams.closing.signatures import words_of
from recon_streams.closing.turn import turn
from recon_streams.kernel.clock import utc_now
from recon_streams.runtime.exit_codes import ExitCode

group = typer.Typer(help="The ends of days: reconciliation statements, run, closed and reopened.")
app.add_typer(group, name="eod")

_SECONDS_MAX: Final = 60.0
_WORDS: Final = {
    Became.RUN: "run",
    Became.UNCHANGED: "unchanged",
    Became.CORRECTED: "corrected; it was closed, and is open again",
    Became.NO_BUSINESS_DAY: "no business day of the calendar {calendar}, and no statement came",
    Became.NOT_OVER: "the day is not over yet",
    Became.BEFORE_OPENING: "the day is before the account's opening",
}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write a day such as 2026-11-20") from None


DayArgument = Annotated[date, typer.Argument(parser=_day, metavar="DATE", help="The bank's day.")]
AccountsOption = Annotated[
    list[str] | None,
    typer.Option("--account", help="A ledger account; repeat it for several."),
]


@group.command("run")
def run_(
    on: DayArgument,
    account: AccountsOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Run a day now, of all accounts or some, and issue its report, or a correction of it."""
    place = find_place(config, data, dsn, bootstrap)
    result = run(_run(place, on, account))
    if output is not Format.TABLE:
        print_as(output, result, list(result.accounts))
        return
    _print_result(result)


@group.command("status")
def status(
    on: Annotated[
        date | None, typer.Argument(parser=_day, metavar="[DATE]", help="The newest without it.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show where each account's day stands: statement, proof, what keeps it from being closed."""
    place = find_place(config, data, dsn, bootstrap)
    lines = run(_status(place, on))
    if output is not Format.TABLE:
        print_as(output, lines)
        return
    if not lines:
        out.print("no day was run")
        return
    shown = Rows(
        "day", "account", "state", "version", "tier", "proof", "statement", "not closable", "signed"
    )
    for line in lines:
        shown.add_row(
            line.on.isoformat(),
            plain(line.name),
            line.state.value,
            str(line.version or "-"),
            styled(line.tier) if line.tier else "-",
            line.proof or "-",
            "there" if line.has_statement else "[magenta]missing[/]",
            plain("; ".join(line.obstacles)),
            plain(_signed(line)),
        )
    shown.print(out)


def _signed(line: DayLine) -> str:
    """Return who closed the day and why, or opened it again, the last time it happened."""
    if not line.signed:
        return ""
    return words_of(line.signed[-1])


def _print_result(result: DayResult) -> None:
    shown = Rows("account", "what", "version", "proof", "state")
    for each in result.accounts:
        figures = each.day.figures if each.day else None
        shown.add_row(
            plain(each.name),
            plain(_WORDS[each.became].format(calendar=each.calendar)),
            str(each.day.version) if each.day else "-",
            (figures.proof if figures else None) or "-",
            each.day.state.value if each.day else "-",
        )
    shown.print(out)
    out.print(f"report: {result.report_id or 'nothing new to say'}")


async def _run(place: Place, on: date, names: list[str] | None) -> DayResult:
    calendars, now = place.calendars, utc_now()
    matcher = ByMatching(RulesInForce())
    async with place.pool() as pool:
        wanted = await wanted_of(pool, on, names, now)

        async def attempt() -> DayResult:
            async with turn(pool) as unit:
                return await run_day(unit, calendars, matcher, wanted)

        # Somebody else may run the same day at this moment: then once more.
        return await with_patience(attempt, _SECONDS_MAX)


async def _status(place: Place, on: date | None) -> list[DayLine]:
    async with place.pool() as pool:
        return await overview(pool, on)


async def wanted_of(pool: asyncpg.Pool, on: date, names: list[str] | None, now: datetime) -> DayRun:
    """Return what a person wants run: the named accounts or all of them, which must be known."""
    numbers: tuple[int, ...] | None = None
    if names is not None:
        known = await store.registered(pool)
        numbers = tuple(each.number for each in known if each.definition.account_id in names)
        missing = set(names) - {each.definition.account_id for each in known}
        if missing:
            talk.print(f"no account {', '.join(sorted(missing))} is registered", markup=False)
            raise Ended(ExitCode.FAILURE)
    run_name = f"eod {on.isoformat()} by hand at {now.isoformat()}"
    return DayRun(on=on, accounts=numbers, at=now, run=run_name, whole=names is None)
