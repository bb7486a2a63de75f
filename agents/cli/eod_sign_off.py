"""`eod close` and `eod reopen`: days signed by two people, or by one where there are no others."""

import getpass
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

import typer

from agents.approving import ask
from agents.cli.app import Ended, run
from agents.cli.eod import AccountsOption, DayArgument, group, wanted_of
from agents.cli.output import Format, FormatOption, out, print_as, talk
from agents.cli.people import KeyOption, key_of, print_asked
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from agents.patience import with_patience
from agents.registration import takes_two
from recon_streams.approvals.machine import Request
from recon_streams.closing import store
from recon_streams.closing.by_matching import ByMatching
from recon_streams.closing.day import CRITICAL_VERDICT, UNEXPLAINED, Obstacle, OnePerson, Signature
from recon_streams.closing.rules_in_force import RulesInForce
from recon_streams.closing.run import run_day
from recon_streams.closing.sign_off import Answer, close_days, judge_days, reopen_days
from recon_streams.closing.turn import turn
from recon_streams.closing.two_people import wish_to_close, wish_to_reopen
from recon_streams.kernel.clock import utc_now
from recon_streams.runtime.exit_codes import ExitCode

_SECONDS_MAX: Final = 60.0
_ALONE: Final = "note: signed by one person alone: there are no operators here"
AllOption = Annotated[bool, typer.Option("--all", help="Every account.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why; it is kept.", prompt=False, show_default=False)
]


@group.command("close")
def close(
    on: DayArgument,
    reason: ReasonOption,
    account: AccountsOption = None,
    everything: AllOption = False,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept-unexplained",
            help="Close although the proof is not zero, the opening does not join, or the verdict "
            "is UNKNOWN; the reason says why that may be.",
        ),
    ] = False,
    accept_critical: Annotated[
        bool,
        typer.Option(
            "--accept-critical",
            help="Close although the verdict is CRITICAL or INTEGRITY; the reason "
            "says why that may be.",
        ),
    ] = False,
    key: KeyOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Close a day: its figures are made once more, and signed if they are what was looked at.

    Where there are operators this asks, and another of them agrees with `approvals approve`.
    """
    place = find_place(config, data, dsn, bootstrap)
    names = _names(account, everything=everything)
    waive = (UNEXPLAINED if accept else frozenset()) | (
        CRITICAL_VERDICT if accept_critical else frozenset()
    )
    if not run(_takes_two(place)):
        answers = run(_close(place, on, names, _reason(reason), waive=waive))
        _answer(answers, output, done="closed", on=on)
        return
    signer = key_of(key)
    answers, numbers = run(_closable(place, on, names, waive))
    if numbers:
        wish = wish_to_close(on, numbers, waive)
        _asked(run(ask(place, wish, reason=_reason(reason), key=signer)), output)
    _refusals(answers, on)


@group.command("reopen")
def reopen(
    on: DayArgument,
    reason: ReasonOption,
    account: AccountsOption = None,
    everything: AllOption = False,
    key: KeyOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Open a closed day again; its figures stay as they are until they are run.

    Where there are operators this asks, and another of them agrees with `approvals approve`.
    """
    place = find_place(config, data, dsn, bootstrap)
    names = _names(account, everything=everything)
    if run(_takes_two(place)):
        wish = wish_to_reopen(on, run(_run_numbers(place, on, names)))
        _asked(run(ask(place, wish, reason=_reason(reason), key=key_of(key))), output)
        return
    answers = run(_reopen(place, on, names, _reason(reason)))
    _answer(answers, output, done="open again", on=on)


def _asked(request: Request, output: Format) -> None:
    if output is Format.TABLE:
        print_asked(request)
    else:
        print_as(output, {"request_id": request.request_id, "facts_sha256": request.facts_sha256})


def _answer(answers: Sequence[Answer], output: Format, *, done: str, on: date) -> None:
    if output is not Format.TABLE:
        print_as(output, list(answers))
    else:
        for answer in answers:
            if not answer.refused:
                accepted = f"; accepted: {', '.join(answer.waived)}" if answer.waived else ""
                said = f"{answer.name} {on}: {done}, version {answer.day.version}{accepted}"
                out.print(said, markup=False)
    if any(not answer.refused for answer in answers):
        talk.print(_ALONE, markup=False)
    _refusals(answers, on)


def _refusals(answers: Sequence[Answer], on: date) -> None:
    """Say what was refused; end with 6 if that is all of them, and otherwise if it is some."""
    for answer in answers:
        for refusal in answer.refused:
            talk.print(f"{answer.name} {on}: refused: {refusal}", markup=False)
    refused = [answer for answer in answers if answer.refused]
    if not answers:
        talk.print(f"no account has a day {on}", markup=False)
        raise Ended(ExitCode.FAILURE)
    if refused:
        raise Ended(ExitCode.REFUSED if len(refused) == len(answers) else ExitCode.PARTIAL)


def _names(account: list[str] | None, *, everything: bool) -> list[str] | None:
    if everything == bool(account):
        raise typer.BadParameter("give --account, or --all")
    return account


def _reason(reason: str) -> str:
    if not reason.strip():
        raise typer.BadParameter("say why; the reason is kept with the day")
    return reason.strip()


async def _takes_two(place: Place) -> bool:
    async with place.pool() as pool:
        return await takes_two(place.settings, pool)


async def _closable(
    place: Place, on: date, names: list[str] | None, waive: frozenset[Obstacle]
) -> tuple[list[Answer], tuple[int, ...]]:
    """Run the day; return what closing it would come to, and which accounts could be closed."""
    calendars, now = place.calendars, utc_now()
    async with place.pool() as pool:
        wanted = await wanted_of(pool, on, names, now)

        async def attempt() -> list[Answer]:
            async with turn(pool) as unit:
                ran = await run_day(unit, calendars, ByMatching(RulesInForce()), wanted)
                return judge_days(ran, now, waive=waive)

        answers = await with_patience(attempt, _SECONDS_MAX)
    return answers, tuple(answer.number for answer in answers if not answer.refused)


async def _run_numbers(place: Place, on: date, names: list[str] | None) -> tuple[int, ...]:
    async with place.pool() as pool:
        numbers = (await wanted_of(pool, on, names, utc_now())).accounts
        return numbers or tuple(await store.snapshots(pool, on))


async def _close(
    place: Place, on: date, names: list[str] | None, reason: str, *, waive: frozenset[Obstacle]
) -> list[Answer]:
    calendars, now = place.calendars, utc_now()
    signature = Signature(actor=getpass.getuser(), reason=reason, at=now)
    async with place.pool() as pool:
        wanted = await wanted_of(pool, on, names, now)
        tools = (calendars, ByMatching(RulesInForce()), OnePerson())

        async def attempt() -> list[Answer]:
            async with turn(pool) as unit:
                _, answers = await close_days(unit, tools, wanted, signature, waive=waive)
                return answers

        return await with_patience(attempt, _SECONDS_MAX)


async def _reopen(place: Place, on: date, names: list[str] | None, reason: str) -> list[Answer]:
    signature = Signature(actor=getpass.getuser(), reason=reason, at=utc_now())
    async with place.pool() as pool:
        accounts = (await wanted_of(pool, on, names, signature.at)).accounts
        async with turn(pool) as unit:
            numbers = accounts or tuple(await store.snapshots(unit.connection, on))
            return await reopen_days(unit, OnePerson(), on, numbers, signature)
