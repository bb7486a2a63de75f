"""`status` and `explain`: what is known of each account, over what, and why."""

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
    print_wrapped,
    styled,
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
from recon_streams.kernel.clock import utc_now
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.positions.status import (
    AccountStatus,
    Coverage,
    Explanation,
    read_coverage,
    read_status,
)
from recon_streams.positions.status import (
    explain as explain_account,
)
from recon_streams.runtime.exit_codes import ExitCode
from topics.positions import Side


@app.command("status")
def status(
    account: Annotated[
        str | None, typer.Argument(help="One ledger account; all without it.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show every account: ledger, bank, difference, what explains it, tier, breaker, coverage."""
    place = find_place(config, data, dsn, bootstrap)
    accounts, coverage = run(_status(place, account))
    if output is Format.TABLE:
        print_status(accounts, coverage)
    else:
        lines = [
            *({"account": each} for each in accounts),
            *({"coverage": each} for each in coverage),
        ]
        print_as(output, {"accounts": accounts, "coverage": coverage}, lines)
    if account is not None and not accounts:
        talk.print(f"no account {account} is registered", markup=False)
        raise Ended(ExitCode.FAILURE)


@app.command("explain")
def explain(
    account: Annotated[str, typer.Argument(help="A ledger account.")],
    currency: Annotated[str | None, typer.Option("--currency", help="If it has several.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Say which rule gave an account its verdict, with the numbers, and what moved it last."""
    place = find_place(config, data, dsn, bootstrap)
    found = [
        each
        for each in run(_explain(place, account))
        if currency in (None, each.status.position.currency)
    ]
    if not found:
        talk.print(f"no account {account} is registered", markup=False)
        raise Ended(ExitCode.FAILURE)
    if output is not Format.TABLE:
        print_as(output, found)
        return
    for each in found:
        print_explanation(each)


def print_status(accounts: list[AccountStatus], coverage: list[Coverage]) -> None:
    """Print a line per account, its payments in flight, and over what all of it holds."""
    shown = Rows(
        "account", "ledger", "bank", "reserved", "difference", "in flight", "unexplained",
        "tier", "breaker", "ledger side", "bank side",
    )  # fmt: skip
    payments = Rows("in flight for", "kind", "reference", "amount", "explains", "due", "overdue")
    now = utc_now()
    for each in accounts:
        position = each.position
        shown.add_row(
            f"{position.account_id} {position.currency}",
            position.ledger or "-",
            position.bank or "-",
            position.reserved,
            position.difference or "-",
            position.explained,
            position.unexplained or "-",
            styled(position.tier.value) + f" {position.rule}",
            f"{styled(each.breaker_state)} {each.breaker_reason}",
            _side(position.ledger_side, now.timestamp()),
            _side(position.bank_side, now.timestamp()),
        )
        for item in position.in_flight:
            payments.add_row(
                f"{position.account_id} {position.currency}", item.kind, plain(item.reference),
                item.amount, item.explains, f"{item.due_at:%F %T}Z",
                "yes" if item.overdue else "no",
            )  # fmt: skip
    shown.print(out)
    if payments:
        out.print()
        payments.print(out)
    out.print()
    behind = [c for c in coverage if c.age_seconds is None]
    through = [c.decided_through for c in coverage if c.decided_through is not None]
    if not coverage or behind:
        out.print("[magenta]coverage: not every source has been read yet[/]")
    else:
        oldest = min(through)
        out.print(f"coverage: {len(coverage)} partitions, all decided through {oldest:%F %T}Z")


def print_explanation(found: Explanation) -> None:
    """Print one account's verdict as sentences."""
    position = found.status.position
    lines = [
        f"tier      {styled(position.tier.value)} by rule {position.rule}",
        f"raw tier  {styled(position.raw_tier.value)} on the difference as it is",
        (
            f"numbers   bank {position.bank or '-'} - ledger {position.ledger or '-'} = "
            f"{position.difference or '-'}; in flight {position.explained}; "
            f"unexplained {position.unexplained or '-'}"
        ),
        f"limits    {', '.join(f'{name} {value}' for name, value in found.rules.items())}",
        (
            f"breaker   {styled(found.status.breaker_state)} ({found.status.breaker_reason}) since "
            f"{found.status.breaker_since:%F %T}Z, epoch {found.status.breaker_epoch}"
        ),
        (
            f"last      event {found.last_sequence}: {type(found.last_event).__name__} "
            f"from {plain(_source(found))}"
        ),
    ]
    lines += [f"          {line}" for line in found.transitions]
    out.print(f"[bold]{found.status.scope}[/]")
    for line in lines:
        print_wrapped(f"  {line}", indent=12)


def _source(found: Explanation) -> str:
    evidence = found.last_event.evidence
    if evidence is None:
        return "the registry or the passing of time"
    return f"{evidence.topic}/{evidence.partition}/{evidence.offset} {evidence.path}".rstrip()


def _side(side: Side, now_seconds: float) -> str:
    if side.as_of is None:
        return "never"
    age = now_seconds - side.as_of.timestamp()
    where = f"{side.topic}/{side.partition}/{side.offset}" if side.topic else "opening"
    return f"{_age(age)} ago, {where}"


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


async def _status(place: Place, account: str | None) -> tuple[list[AccountStatus], list[Coverage]]:
    now = utc_now()
    async with place.pool() as pool:
        directory = await DirectoryCache().current(pool)
        return (
            await read_status(pool, directory, now=now, account_id=account),
            await read_coverage(pool, now=now),
        )


async def _explain(place: Place, account: str) -> list[Explanation]:
    async with place.pool() as pool:
        directory = await DirectoryCache().current(pool)
        found = await read_status(pool, directory, now=utc_now(), account_id=account)
        return [await explain_account(pool, directory, each) for each in found]
