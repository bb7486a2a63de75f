"""`run`: look at accounts now, at one of the three depths."""

import asyncio
import secrets
from datetime import date
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
from agents.cli.status import status as tier_1
from recon_streams.kernel.clock import utc_now
from recon_streams.positions.directory import Account
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.positions.status import status_pages
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.sweeps.status import SweepStatus, decided_of, request_sweeps, sweeps_of

_POLL_SECONDS = 0.2
# Each column of a sweep, and what it says where its name does not.
COLUMNS: Final = (
    ("account", ""),
    ("verdict", ""),
    ("ledger", ""),
    ("bank", ""),
    ("difference", "bank less ledger"),
    ("unexplained", "what payments between their legs do not explain of it; the verdict is on it"),
    ("an hour", "how fast it moves; - while it has no trend"),
    ("score", "how many deviations the newest is off that trend"),
    ("reaches limit", "when it reaches the next limit at that pace"),
    ("table", "whether the worker's rolling figures are those of the book"),
    ("bank says", "what came of asking the bank; NOT_ASKED: the account has no connector"),
    ("balance", "what the bank answered"),
    ("ours then", "our figure of the bank as of the same instant"),
)
_BAD = frozenset({"SIGNIFICANT", "UNKNOWN", "CRITICAL", "INTEGRITY"})


@app.command("run")
def run_(
    account: Annotated[str | None, typer.Argument(help="A ledger account.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every account.")] = False,
    tier: Annotated[
        int,
        typer.Option(
            "--tier", min=1, max=3, help="1: the verdict in force. 2: a sweep. 3: a day, with --on."
        ),
    ] = 2,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="The bank's day, for tier 3.")
    ] = None,
    wait_seconds: Annotated[
        int, typer.Option("--wait", min=1, max=3600, help="Seconds until it is given up.")
    ] = 120,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Look at accounts now. Exit 5 if a verdict is worse than MINOR, 1 if no worker answered.

    Of a sweep: difference is bank less ledger, unexplained what payments
    between their legs do not explain of it; the verdict is on that. An hour is
    how fast it moves, score how many deviations the newest is off that trend,
    reaches limit when it would at that pace. Table says whether the worker's
    rolling figures are those of the book. Bank says and balance are the bank's
    own answer, ours then is our figure of it as of the same instant.
    """
    if (account is None) is not every:
        raise typer.BadParameter("name one account, or give --all")
    if tier == 1:
        tier_1(account, config, data, dsn, bootstrap, output)
        return
    if tier == 3:  # noqa: PLR2004 - what the option says
        from agents.cli import eod  # noqa: PLC0415 - what a day needs is loaded by who runs one

        names = None if account is None else [account]
        eod.run_(_day_of(on), names, config, data, dsn, bootstrap, output)
        return
    place = find_place(config, data, dsn, bootstrap)
    wanted, found = run(_sweep(place, account, wait_seconds))
    if wanted == 0:
        talk.print(f"no account {account} is registered", markup=False)
        raise Ended(ExitCode.FAILURE)
    if output is Format.TABLE:
        print_sweeps(found)
    else:
        print_as(output, found)
    decided = [each for each in found if each.state == "DECIDED"]
    if len(decided) < wanted:
        talk.print(
            f"{wanted - len(decided)} of {wanted} are not decided after {wait_seconds} s; "
            "do a worker and a publisher run?"
        )
        raise Ended(ExitCode.FAILURE)
    if any(each.verdict in _BAD for each in decided):
        raise Ended(ExitCode.DIFFERENCES)


def print_sweeps(found: list[SweepStatus]) -> None:
    """Print a line per account: verdict, figures, where they go, and what the bank says."""
    if not found:
        return
    shown = Rows(*(name for name, _ in COLUMNS))
    for each in found:
        said = f"{each.bank_state} {plain(each.detail)}".strip()
        shown.add_row(
            f"{each.account_id} {each.currency}",
            f"{styled(each.verdict)} {each.rule}",
            each.ledger or "-",
            each.bank or "-",
            each.difference or "-",
            each.unexplained or "-",
            each.velocity or "-",
            each.score or "-",
            f"{each.reaches_limit_at:%F %T}Z" if each.reaches_limit_at else "-",
            each.table,
            said,
            each.bank_balance or "-",
            each.ours or "-",
        )
    shown.print(out)
    if not out.is_terminal:
        return
    for name, meaning in COLUMNS:
        if meaning:
            talk.print(f"  {name}: {meaning}", markup=False, style="dim")


async def _sweep(
    place: Place, account_id: str | None, wait_seconds: int
) -> tuple[int, list[SweepStatus]]:
    request_id = f"run-{secrets.token_hex(8)}"
    async with place.pool() as pool:
        accounts = await _accounts(pool, account_id)
        await request_sweeps(pool, accounts, request_id, now=utc_now())
        try:
            async with asyncio.timeout(wait_seconds):
                while await decided_of(pool, request_id) < len(accounts):  # noqa: ASYNC110 - others decide
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            pass
        return len(accounts), await sweeps_of(pool, request_id)


async def _accounts(pool: asyncpg.Pool, account_id: str | None) -> list[Account]:
    directory = await DirectoryCache().current(pool)
    found = []
    async for page in status_pages(pool, directory, now=utc_now()):
        for each in page:
            position = each.position
            account = directory.by_ledger(position.account_id, position.currency)
            if account is not None and account_id in (None, position.account_id):
                found.append(account)
    return found


def _day_of(on: str | None) -> date:
    try:
        return date.fromisoformat(on or "")
    except ValueError:
        raise typer.BadParameter("tier 3 needs --on with a day such as 2026-11-20") from None
