"""`matches`: what was found to be one, what is asked, what is open, and what people do about it."""

import getpass
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from agents.cli.app import Ended, app, run
from agents.cli.layout import Rows
from agents.cli.match_page import match_rows, open_rows, print_match, suggestion_rows
from agents.cli.output import Format, FormatOption, out, print_as, talk
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing.day import DayState
from recon_streams.closing.store import snapshots
from recon_streams.kernel.clock import utc_now
from recon_streams.kernel.money import parse_amount
from recon_streams.kernel.refusal import Refused
from recon_streams.matching import hand, reading, rule_store
from recon_streams.matching.items import ItemKey
from recon_streams.registry.calendar_store import calendars_in_force
from recon_streams.registry.definition import AccountDefinition
from recon_streams.runtime.exit_codes import ExitCode

group = typer.Typer(help="Which bank item is which ledger item: list, decide by hand, take apart.")
app.add_typer(group, name="matches")

AccountOption = Annotated[str | None, typer.Option("--account", help="One ledger account.")]
CurrencyOption = Annotated[str | None, typer.Option("--currency", help="If it has several.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for those who come later.")]
AccountArgument = Annotated[str, typer.Argument(help="A ledger account.")]


@group.command("list")
def list_(
    account: AccountOption = None,
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="Matches whose last item is of this day."),
    ] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Of one rule; `hand` for people.")] = (
        None
    ),
    suggested: Annotated[bool, typer.Option("--suggested", help="What waits for a yes.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="What has no partner, and why.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Taken apart ones too.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List matches, newest first; or suggestions, or open items. At most 1,000 rows."""
    place = find_place(config, data, dsn, bootstrap)
    if open_:
        opened = run(_read(place, lambda pool: reading.list_open(pool, account)))
        _answer(output, opened, open_rows(opened))
    elif suggested:
        asked = run(_read(place, lambda pool: reading.list_suggestions(pool, account)))
        _answer(output, asked, suggestion_rows(asked))
    else:
        day = on.date() if on else None

        async def ask(pool: Any) -> list[reading.MatchShown]:  # noqa: ANN401 - a pool
            return await reading.list_matches(
                pool, account_id=account, on=day, rule=rule, released=everything
            )

        found = run(_read(place, ask))
        _answer(output, found, match_rows(found))


@group.command("show")
def show(
    match_id: Annotated[int, typer.Argument(help="From `matches list`.")],
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show one match: its items, every predicate, and what people did with it."""
    place = find_place(config, data, dsn, bootstrap)
    found = run(_read(place, lambda pool: reading.read_match(pool, match_id)))
    if found is None:
        talk.print(f"no match is {match_id}")
        raise Ended(ExitCode.FAILURE)
    if output is not Format.TABLE:
        print_as(output, found)
        return
    print_match(found)


@group.command("match")
def match(
    account: AccountArgument,
    bank: Annotated[list[str], typer.Option("--bank", help="A bank item: 12.0, as listed.")],
    ledger: Annotated[list[str], typer.Option("--ledger", help="A movement id.")],
    reason: ReasonOption,
    difference: Annotated[
        str | None,
        typer.Option(
            "--accept-difference",
            metavar="AMOUNT",
            help="Bank less ledger, such as -0.50, if it is not zero and is borne.",
        ),
    ] = None,
    currency: CurrencyOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Match items by hand, as many as it takes on each side.

    A difference must be accepted; it stays an item of its own, and a discrepancy.
    """
    keys = [_bank_key(each) for each in bank]
    names = [each.removeprefix("ledger:") for each in ledger]
    accepted = None if difference is None else _amount(difference)

    async def work(unit: UnitOfWork, deed: hand.Deed) -> str:
        made = await hand.match_by_hand(unit, deed, keys, names, accept_difference=accepted)
        return f"match {made}"

    _do(find_place(config, data, dsn, bootstrap), (account, currency), reason, work)


@group.command("confirm")
def confirm(
    account: AccountArgument,
    suggestion: Annotated[str, typer.Argument(help="From `matches list --suggested`.")],
    reason: ReasonOption,
    currency: CurrencyOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Say yes to a suggestion."""

    async def work(unit: UnitOfWork, deed: hand.Deed) -> str:
        return f"match {await hand.confirm(unit, deed, suggestion)}"

    _do(find_place(config, data, dsn, bootstrap), (account, currency), reason, work)


@group.command("unmatch")
def unmatch(
    account: AccountArgument,
    match_id: Annotated[int, typer.Argument(help="From `matches list`.")],
    reason: ReasonOption,
    currency: CurrencyOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Take a match apart: its items are open again, and are not put together by a rule any more."""

    async def work(unit: UnitOfWork, deed: hand.Deed) -> str:
        await hand.unmatch(unit, deed, match_id)
        return f"match {match_id} was taken apart"

    _do(find_place(config, data, dsn, bootstrap), (account, currency), reason, work)


def _do(
    place: Place,
    account: tuple[str, str | None],
    reason: str,
    work: Callable[[UnitOfWork, hand.Deed], Awaitable[str]],
) -> None:
    async def act() -> str:
        async with place.pool() as pool:
            found = [
                each
                for each in await rule_store.registered(pool, account[0])
                if account[1] in {None, each.definition.currency}
            ]
            if len(found) != 1:
                several = (
                    "has several currencies; give --currency" if found else "is not registered"
                )
                raise hand.HandRefused(f"account {account[0]} {several}")
            definition, now = found[0].definition, utc_now()
            deed = hand.Deed(
                account=found[0].number,
                name=f"{definition.account_id} {definition.currency}",
                actor=getpass.getuser(),
                reason=reason.strip(),
                zone=definition.time_zone,
                on=now.astimezone(ZoneInfo(definition.time_zone)).date(),
                at=now,
                is_closed=_closed(definition),
            )
            async with UnitOfWork(pool) as unit:
                return await work(unit, deed)

    try:
        out.print(run(act()), markup=False)
    except hand.HandRefused as refusal:
        talk.print(f"error: {refusal}", markup=False)
        raise Ended(ExitCode.FAILURE) from None


def _closed(definition: AccountDefinition) -> hand.Closed:
    """Return what asks whether somebody has signed the business day that a date belongs to."""

    async def is_closed(connection: Session, account: int, on: date) -> bool:
        calendar = (await calendars_in_force(connection)).as_known(definition.calendar)
        day = calendar.add_business_days(on, 0)
        found = (await snapshots(connection, day, [account])).get(account)
        return found is not None and found.day.state is DayState.CLOSED

    return is_closed


def _bank_key(text: str) -> ItemKey:
    sequence, _, part = text.removeprefix("bank:").partition(".")
    if not sequence.isdecimal() or not (part or "0").isdecimal():
        raise typer.BadParameter(f"{text} is no bank item; write it as listed, such as 12.0")
    return ItemKey(int(sequence), int(part or 0))


def _amount(text: str) -> Decimal:
    try:
        found = parse_amount(text.removeprefix("-"), field="--accept-difference")
    except Refused:
        raise typer.BadParameter("--accept-difference takes an amount such as -0.50") from None
    return -found if text.startswith("-") else found


async def _read(place: Place, ask: Callable[[Any], Awaitable[Any]]) -> Any:  # noqa: ANN401 - as asked
    async with place.pool() as pool:
        return await ask(pool)


def _answer(output: Format, value: list[Any], rows: Rows) -> None:
    if output is not Format.TABLE:
        print_as(output, value)
    elif value:
        rows.print(out)
    else:
        out.print("nothing")
