"""`breaker drill`: measures, in a live system, how long a stop takes to reach who pays."""

import getpass
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from agents.cli.app import Ended, run
from agents.cli.breaker import group
from agents.cli.layout import Rows
from agents.cli.output import Format, FormatOption, out, print_as, talk
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from agents.drilling import Drill, DrillFailed, DrillParts, Round
from agents.publishing import PUBLIC_KEYS_FILE
from recon_streams.acks.intake import DRILL_CLIENT
from recon_streams.client.guard import AsyncBreakerGuard
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.runtime.secrets import client_security

_STEPS: Final = (
    ("evidence on the log", "appended_ms"),
    ("OPEN readable", "readable_ms"),
    ("last permit granted", "last_permit_ms"),
    ("acknowledged", "acknowledged_ms"),
)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step over all rounds, in milliseconds since the append of the evidence began."""

    step: str
    p50_ms: int
    p99_ms: int
    max_ms: int


class Drilled(msgspec.Struct, frozen=True, kw_only=True):
    """What a drill measured."""

    scope: str
    rounds: tuple[Round, ...]
    steps: tuple[Step, ...]


@group.command("drill")
def drill(
    name: Annotated[
        str, typer.Option("--name", help="Of the exercise: its scope is drill:NAME.")
    ] = "cli",
    count: Annotated[int, typer.Option("--rounds", min=1, max=1000, help="How many stops.")] = 10,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", help="The public keys that payout services pin."),
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Stop a scope that no payout hangs on, again and again, and say how long each step took.

    Evidence goes through the log, the worker, the book and the publisher to a guard of its own.
    """
    if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name) is None:
        raise typer.BadParameter("--name takes 1 to 64 of A-Z a-z 0-9 . _ -")
    place = find_place(config, data, dsn, bootstrap)
    pinned = keys or _keys_of(place, data)
    try:
        drilled = run(_drill(place, f"drill:{name}", count, pinned))
    except DrillFailed as failed:
        talk.print(f"the drill failed: {failed}", markup=False)
        raise Ended(ExitCode.FAILURE) from failed
    if output is not Format.TABLE:
        print_as(output, drilled, drilled.steps)
        return
    shown = Rows("since the evidence", "p50", "p99", "max")
    for step in drilled.steps:
        shown.add_row(
            step.step, *(f"{each} ms" for each in (step.p50_ms, step.p99_ms, step.max_ms))
        )
    shown.print(out)
    out.print(f"{len(drilled.rounds)} stops of {drilled.scope}; it is CLOSED again", markup=False)


def _keys_of(place: Place, data: Path | None) -> Path:
    found = place.settings.signing.public_keys_file
    if found is None and data is not None:
        found = data / PUBLIC_KEYS_FILE
    if found is None:
        raise typer.BadParameter("give --keys: the public keys that payout services pin")
    return found


async def _drill(place: Place, scope: str, count: int, keys: Path) -> Drilled:
    async with place.pool() as pool, place.logs(pool) as logs:
        parts = DrillParts(
            pool=pool,
            logs=logs,
            guard=_guard(place, keys),
            scope=scope,
            actor=f"os:{getpass.getuser()}",
        )
        rounds = [each async for each in Drill(parts).rounds(count)]
    return Drilled(scope=scope, rounds=tuple(rounds), steps=tuple(steps_of(rounds)))


def steps_of(rounds: Sequence[Round]) -> list[Step]:
    """Return each step over `rounds`."""
    return [_step(step, sorted(getattr(each, field) for each in rounds)) for step, field in _STEPS]


def _step(name: str, ordered: Sequence[int]) -> Step:
    def share(percent: int) -> int:
        # The smallest value that so many percent of the rounds did not exceed.
        return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]

    return Step(step=name, p50_ms=share(50), p99_ms=share(99), max_ms=ordered[-1])


def _guard(place: Place, keys: Path) -> AsyncBreakerGuard:
    log = place.settings.log
    try:
        if log.kind == "kafka":
            return AsyncBreakerGuard.kafka(
                log.bootstrap_servers, keys=keys, client_id=DRILL_CLIENT, **client_security(log)
            )
        return AsyncBreakerGuard.postgres(place.dsn, keys=keys, client_id=DRILL_CLIENT)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
