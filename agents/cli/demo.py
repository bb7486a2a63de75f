"""`demo`: a scripted day over real bank messages, told as it happens; gone when it ends."""

import asyncio
import shutil
import signal
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding

from agents.cli.app import Ended, app, run
from agents.cli.output import Format, FormatOption, out, print_as, styled, talk
from agents.cli.place import find_place
from agents.registration import register
from agents.up import Installation, installed
from agents.worker import by_topic, make_intakes
from recon_streams.book import quarantine
from recon_streams.demo.accounts import all_accounts, opening_accounts
from recon_streams.demo.player import Played, Stage, Summary, play
from recon_streams.demo.scenario import Act, acts
from recon_streams.kernel.clock import utc_now
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.runtime.settings import Settings
from recon_streams.runtime.telemetry import configure_logging

_PAUSE_SECONDS = 1.5


@app.command("demo")
def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="Full speed, then end with a code.")
    ] = False,
    keep: Annotated[
        Path | None, typer.Option("--keep", help="Play in this directory and keep it.")
    ] = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Play a day: a drift, a suspension that heals, a shortage that opens the breaker."""
    place = find_place(None, None, None, None, telemetry_port=0)
    configure_logging("critical", place.settings.telemetry.log_format)
    directory = keep or Path(tempfile.mkdtemp(prefix="recon-demo-"))
    if keep is None:
        # The server's user passes through; only it can read what lies inside.
        directory.chmod(0o711)
    try:
        summary = run(_demo(directory, place.settings, leave=leave, output=output))
    finally:
        if keep is None:
            shutil.rmtree(directory, ignore_errors=True)
    if output is not Format.TABLE:
        print_as(output, summary)
    if not summary.as_scripted:
        for failure in summary.failures:
            talk.print(f"not as scripted: {failure}", markup=False)
        raise Ended(ExitCode.FAILURE)


async def _demo(directory: Path, settings: Settings, *, leave: bool, output: Format) -> Summary:
    began_at = utc_now()
    told = output is Format.TABLE
    async with installed(directory, settings, opening_accounts(began_at)) as installation:
        stop = asyncio.Event()
        serving = asyncio.create_task(installation.house.serve(stop))
        if told:
            _print_start(installation)
        stage = Stage(
            pool=installation.pool,
            writer=installation.logs.writer,
            register_latecomer=lambda: _register_latecomer(installation, began_at),
        )

        async def tell(act: Act, played: Played) -> None:
            if told:
                await _print_act(installation, act, played)
            if not leave:
                await asyncio.sleep(_PAUSE_SECONDS)

        summary = await play(stage, acts(began_at), tell)
        if told:
            _print_end(directory, summary)
        if not leave:
            await _wait_for_interrupt()
        stop.set()
        await serving
    return summary


async def _register_latecomer(installation: Installation, began_at: datetime) -> None:
    intakes = by_topic(make_intakes(DirectoryCache()))
    await register(installation.pool, all_accounts(began_at), intakes, source="demo", actor="demo")


def _print_start(installation: Installation) -> None:
    postgres = installation.postgres
    out.print("[bold]recon-streams[/]: one day, real bank messages, one machine\n")
    out.print(f"started  PostgreSQL {postgres.major} ({postgres.origin}), the book and the log")
    out.print("started  worker and publisher")
    out.print(f"started  metrics and health on {installation.address.telemetry}\n")


async def _print_act(installation: Installation, act: Act, played: Played) -> None:
    out.print(f"[bold]{act.title}[/]")
    out.print(Padding(act.story, (0, 0, 0, 2)), style="dim")
    for send in act.sends:
        out.print(f"  [blue]{send.topic}[/]  {send.caption}")
    if act.quarantines:
        newest = (await quarantine.read(installation.pool, everything=True))[-act.quarantines :]
        for each in newest:
            out.print(f"  [magenta]{each.code}[/] at {each.field}", highlight=False)
            out.print(f"    rule: {each.rule}; found: {each.detail or '-'}", markup=False)
    for account in played.accounts:
        if not any(e.account_id == account.position.account_id for e in act.expects):
            continue
        position = account.position
        raw = "" if position.raw_tier is position.tier else f" (raw {styled(position.raw_tier)})"
        out.print(
            f"  {position.account_id:<14} bank {position.bank}  ledger {position.ledger}  "
            f"unexplained {position.unexplained}  {styled(position.tier)}{raw}  "
            f"breaker {styled(account.breaker_state)}"
        )
    if act.sends:
        milliseconds = played.decided_seconds * 1000
        out.print(f"  [dim]decided and published {milliseconds:.0f} ms after the last record[/]")
    out.print()


def _print_end(directory: Path, summary: Summary) -> None:
    verdict = "as scripted" if summary.as_scripted else "[bold red]NOT AS SCRIPTED[/]"
    out.print(
        f"{summary.inputs} inputs, {summary.disposed} with exactly one disposition, "
        f"{summary.quarantined} in quarantine: {verdict}"
    )
    if summary.trip_seconds is not None:
        out.print(f"the breaker's OPEN record could be read {summary.trip_seconds * 1000:.0f} ms "
                  "after the notification arrived")  # fmt: skip
    out.print("\n[bold]Look closer[/], in another terminal:")
    for command in (
        "status",
        "explain NORDIC-FLOAT",
        "quarantine list",
        "tail recon.breaker",
        "audit inputs",
    ):
        out.print(f"  recon-streams {command} --data {directory}", markup=False)


async def _wait_for_interrupt() -> None:
    out.print("\nCtrl-C ends the demo and removes everything it made.")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
