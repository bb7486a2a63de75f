"""`breaker`: where every scope stands, what happened to it, and stopping it; one person may."""

import asyncio
import getpass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import asyncpg
import msgspec
import typer

from agents.approving import operators_of
from agents.cli.app import Ended, app, run
from agents.cli.breaker_page import print_history, print_scopes
from agents.cli.output import Format, FormatOption, out, plain, print_as, styled, talk
from agents.cli.people import KeyOption, key_of
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from recon_streams.book.streams import book_time
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker.scope import Transition
from recon_streams.breaker_desk.status import (
    Happened,
    Lease,
    ScopeStatus,
    read_history,
    read_lease,
    read_scopes,
)
from recon_streams.breaker_desk.trip import TripDesk, UnknownScope
from recon_streams.identity.flaw import NotBelieved
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.runtime.exit_codes import ExitCode

group = typer.Typer(help="May payouts leave: where every scope stands, stopping it, releasing it.")
app.add_typer(group, name="breaker")

_WATCH_SECONDS: Final = 1.0
_PUBLISHED_SECONDS_MAX: Final = 3.0
_REASON_LENGTH_MAX: Final = 500

ScopeArgument = Annotated[
    str,
    typer.Argument(help="all, account:<id>:<currency>, corridor:<id> or drill:<id>."),
]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why, for those who come later: up to 500 characters.")
]


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What `status` shows: the lease behind every yes, and the scopes."""

    lease: Lease | None
    scopes: list[ScopeStatus]


@group.command("status")
def status(
    scope: Annotated[str | None, typer.Argument(help="One scope; all without it.")] = None,
    stopped: Annotated[bool, typer.Option("--stopped", help="Only what may not pay.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again every second.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show state, cause, what stands above, what a suspension waits for, and what is under way."""
    place = find_place(config, data, dsn, bootstrap)
    try:
        found = run(_show(place, scope, output, stopped=stopped, watch=watch))
    except KeyboardInterrupt:
        talk.print("stopped")
        return
    if scope is not None and not found:
        talk.print(f"nobody knows the scope {scope}", markup=False)
        raise Ended(ExitCode.FAILURE)


@group.command("history")
def history(
    scope: ScopeArgument,
    rows_max: Annotated[int, typer.Option("--limit", help="How many, the newest first.")] = 20,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show what happened to a scope, by whom and why; as JSON with the evidence."""
    place = find_place(config, data, dsn, bootstrap)
    found = run(_history(place, scope, rows_max))
    if not found:
        talk.print(f"nobody knows the scope {scope}", markup=False)
        raise Ended(ExitCode.FAILURE)
    if output is Format.TABLE:
        print_history(found)
    else:
        print_as(output, found)


@group.command("trip")
def trip(
    scope: ScopeArgument,
    reason: ReasonOption,
    key: KeyOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Stop payouts of a scope now; it takes nobody else, and two people to release it.

    Needs no key; with one, the record says who you are instead of the name of your login.
    """
    place = find_place(config, data, dsn, bootstrap)
    _done(place, scope, _words(reason), _actor(place, key), output, is_stop=True)


@group.command("stand-down")
def stand_down(
    scope: ScopeArgument,
    reason: ReasonOption,
    key: KeyOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """End an exercise: close a drill:<id>; no payout hangs on it, so one person may."""
    place = find_place(config, data, dsn, bootstrap)
    _done(place, scope, _words(reason), _actor(place, key), output, is_stop=False)


def _words(text: str) -> str:
    text = text.strip()
    if not text.isprintable() or not 0 < len(text) <= _REASON_LENGTH_MAX:
        raise typer.BadParameter(f"--reason takes 1 to {_REASON_LENGTH_MAX} visible characters")
    return text


def _actor(place: Place, key: Path | None) -> str:
    """Return who acts. Nothing about a key may be in the way of a stop."""
    login = f"os:{getpass.getuser()}"
    if key is None:
        return login
    try:
        return operators_of(place).owner_of(key_of(key).public.kid).subject
    except (NotBelieved, typer.BadParameter, OSError) as error:
        talk.print(f"note: recorded as {login}, the key does not say who you are: {error}")
        return login


def _done(
    place: Place, scope: str, reason: str, actor: str, output: Format, *, is_stop: bool
) -> None:
    try:
        transition, seconds = run(_move(place, scope, reason, actor, is_stop=is_stop))
    except UnknownScope as error:
        talk.print(f"error: {error}; see: recon-streams breaker status", markup=False)
        raise Ended(ExitCode.FAILURE) from None
    if output is not Format.TABLE:
        print_as(output, {"scope": scope, "transition": transition, "published": seconds})
        return
    state = styled(transition.to_state.value)
    out.print(f"{plain(scope)}: {state} by {transition.reason}, epoch {transition.epoch}")
    if seconds is None:
        talk.print(
            "it is not on the log yet: no publisher answers; payout services stop when their "
            "lease ends, within 15 seconds"
        )
    else:
        out.print(f"payout services can read it since {seconds:.1f} s after it was asked for")


async def _move(
    place: Place, scope: str, reason: str, actor: str, *, is_stop: bool
) -> tuple[Transition, float | None]:
    desk = TripDesk(DirectoryCache())
    loop = asyncio.get_running_loop()
    async with place.pool() as pool:
        began_at = loop.time()
        async with UnitOfWork(pool) as unit:
            at = await book_time(unit.connection)
            move = desk.trip if is_stop else desk.stand_down
            transition = await move(unit, scope, reason=reason, actor=actor, at=at)
        while loop.time() - began_at < _PUBLISHED_SECONDS_MAX:
            if not await _is_waiting(pool, scope):
                return transition, loop.time() - began_at
            await asyncio.sleep(0.1)
    return transition, None


async def _is_waiting(pool: asyncpg.Pool, scope: str) -> bool:
    found: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT FROM book.outbox WHERE published_at IS NULL "
        "AND topic LIKE 'recon.breaker%' AND topic = 'recon.breaker' AND key = $1)",
        scope.encode(),
    )
    return found


async def _show(
    place: Place, scope: str | None, output: Format, *, stopped: bool, watch: bool
) -> list[ScopeStatus]:
    directories = DirectoryCache()
    async with place.pool() as pool:
        while True:
            now = await book_time(pool)
            directory = await directories.current(pool)
            scopes = await read_scopes(pool, directory, now=now, scope=scope)
            shown = [each for each in scopes if not (stopped and each.may_pay)]
            _print(Picture(lease=await read_lease(pool), scopes=shown), output, now, watch=watch)
            if not watch:
                return scopes
            await asyncio.sleep(_WATCH_SECONDS)


def _print(picture: Picture, output: Format, now: datetime, *, watch: bool) -> None:
    if output is not Format.TABLE:
        print_as(output, picture, picture.scopes)
        return
    if watch and out.is_terminal:
        out.clear()
    print_scopes(picture.scopes, picture.lease, now)


async def _history(place: Place, scope: str, rows_max: int) -> list[Happened]:
    async with place.pool() as pool:
        return await read_history(pool, scope, rows_max=rows_max)
