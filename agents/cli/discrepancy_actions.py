"""What people do about discrepancies: assign, comment, escalate, snooze, resolve, reopen."""

import getpass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from agents.cli.app import run
from agents.cli.discrepancies import group
from agents.cli.output import Format, FormatOption, out, print_as
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.action import (
    Assigned,
    ByPerson,
    Commented,
    Escalated,
    ReasonCode,
    Reopened,
    Resolved,
    Snoozed,
)
from recon_streams.discrepancies.change import Discrepancy
from recon_streams.discrepancies.register import act, zones_of
from recon_streams.kernel.clock import utc_now

_REASON_LENGTH_MAX = 500
_OWNER_LENGTH_MAX = 64
# A check that looked again is no choice of a person.
_CODES = [each.value for each in ReasonCode if each is not ReasonCode.PROVEN_GONE]

IdsArgument = Annotated[list[int], typer.Argument(help="From `discrepancies list`.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why, for those who come later: up to 500 characters.")
]


@group.command("assign")
def assign(
    discrepancy_id: Annotated[int, typer.Argument(help="From `discrepancies list`.")],
    who: Annotated[str, typer.Argument(help="Who works on it from now on.")],
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Give one to somebody; it stays with them until it is resolved or given to another."""
    action = Assigned(at=utc_now(), actor=getpass.getuser(), owner=_words(who, _OWNER_LENGTH_MAX))
    _do(find_place(config, data, dsn, bootstrap), [discrepancy_id], action, output)


@group.command("comment")
def comment(
    ids: IdsArgument,
    reason: Annotated[str, typer.Option("--text", help="What to know: up to 500 characters.")],
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Add something to know to the story; nothing else changes."""
    action = Commented(at=utc_now(), actor=getpass.getuser(), reason=_words(reason))
    _do(find_place(config, data, dsn, bootstrap), ids, action, output)


@group.command("escalate")
def escalate(
    ids: IdsArgument,
    reason: ReasonOption,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Tell on-call that its owner needs help; what is past due is escalated by itself."""
    action = Escalated(at=utc_now(), actor=getpass.getuser(), reason=_words(reason))
    _do(find_place(config, data, dsn, bootstrap), ids, action, output)


@group.command("snooze")
def snooze(
    ids: IdsArgument,
    until: Annotated[
        str,
        typer.Option(
            "--until",
            help="2026-11-30 or 2026-11-30T12:00, in the account's time zone, or with an offset "
            "such as +04:00; 14 days at most.",
        ),
    ],
    reason: ReasonOption,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Let it wait; it comes back then, or when it becomes worse. Its due time does not move."""
    action = Snoozed(
        at=utc_now(), actor=getpass.getuser(), until=_instant(until), reason=_words(reason)
    )
    _do(find_place(config, data, dsn, bootstrap), ids, action, output)


@group.command("resolve")
def resolve(
    ids: IdsArgument,
    code: Annotated[str, typer.Option("--reason-code", help=f"One of {', '.join(_CODES)}.")],
    reason: ReasonOption,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Say that it is dealt with; it is reopened if its cause is found again."""
    if code not in _CODES:
        raise typer.BadParameter(f"--reason-code takes one of {', '.join(_CODES)}")
    action = Resolved(
        at=utc_now(),
        actor=getpass.getuser(),
        reason_code=ReasonCode(code),
        reason=_words(reason),
    )
    _do(find_place(config, data, dsn, bootstrap), ids, action, output)


@group.command("reopen")
def reopen(
    ids: IdsArgument,
    reason: ReasonOption,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Say that what was resolved was not dealt with."""
    action = Reopened(at=utc_now(), actor=getpass.getuser(), reason=_words(reason))
    _do(find_place(config, data, dsn, bootstrap), ids, action, output)


def _words(text: str, length_max: int = _REASON_LENGTH_MAX) -> str:
    text = text.strip()
    if not text.isprintable() or not 0 < len(text) <= length_max:
        raise typer.BadParameter(f"takes 1 to {length_max} visible characters")
    return text


def _instant(text: str) -> datetime:
    """Return the instant that `text` names; without an offset it is that of a wall clock."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("--until takes 2026-11-30 or 2026-11-30T12:00+04:00") from error


def _do(place: Place, ids: list[int], action: ByPerson, output: Format) -> None:
    done = run(_act(place, ids, action))
    if output is not Format.TABLE:
        print_as(output, [{"id": each.id, "state": each.life.state} for each in done])
        return
    for each in done:
        out.print(f"{each.id}: {each.life.state.value}")


async def _act(place: Place, ids: list[int], action: ByPerson) -> list[Discrepancy]:
    async with place.pool() as pool, UnitOfWork(pool) as unit:
        if not isinstance(action, Snoozed) or action.until.tzinfo is not None:
            return await act(unit, ids, action)
        # A day begins when it begins at the bank.
        found = await zones_of(unit.connection, ids)
        done: list[Discrepancy] = []
        for zone in sorted(set(found.values()), key=str):
            until = action.until.replace(tzinfo=zone).astimezone(UTC)
            there = [each for each in ids if found[each] == zone]
            done += await act(unit, there, msgspec.structs.replace(action, until=until))
        return sorted(done, key=lambda each: each.id)
