"""`demo`: a scripted day over real bank messages, told as it happens; gone when it ends."""

import asyncio
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from agents.cli.app import Ended, app, run
from agents.cli.demo_page import print_act, print_day, print_end, print_start, print_ways_to_look
from agents.cli.output import Format, FormatOption, print_as, talk
from agents.cli.place import find_place
from agents.intakes import by_topic, make_intakes
from agents.publishing import PUBLIC_KEYS_FILE
from agents.registration import register
from agents.up import Installation, installed
from recon_streams.client.guard import AsyncBreakerGuard
from recon_streams.demo.accounts import all_accounts, bank_day, opening_accounts
from recon_streams.demo.act import Act
from recon_streams.demo.payouts import CLIENT_ID, PayoutService
from recon_streams.demo.people import TwoPeople
from recon_streams.demo.player import Played, Stage, Summary, play
from recon_streams.demo.scenario import acts
from recon_streams.embedded.postgres import EmbeddedPostgres
from recon_streams.identity.office import replace_file, write_public_key
from recon_streams.kernel.clock import utc_now
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.runtime.settings import Settings
from recon_streams.runtime.telemetry import configure_logging

_PAUSE_SECONDS = 1.5
_AGAIN_SECONDS = 1.0
# A terminal that is closed and a supervisor that stops the demo mean the same as Ctrl-C.
_GOODBYES = (signal.SIGTERM, signal.SIGHUP)


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
    with _directory(keep) as directory:
        summary = run(_demo(directory, place.settings, leave=leave, output=output))
    if summary is None:
        raise KeyboardInterrupt
    if output is not Format.TABLE:
        print_as(output, summary)
    if not summary.as_scripted:
        for failure in summary.failures:
            talk.print(f"not as scripted: {failure}", markup=False)
        raise Ended(ExitCode.FAILURE)


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    """Give where to play, and leave nothing of it behind unless it is kept."""
    # Until the demo listens for them itself.
    for number in _GOODBYES:
        # Whoever ignores a signal, as nohup does, goes on doing so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    if keep is not None:
        keep.mkdir(0o711, parents=True, exist_ok=True)
        yield keep
        return
    # Named before it is made: a goodbye between the two still finds it.
    directory = Path(tempfile.gettempdir(), f"recon-demo-{secrets.token_hex(4)}")
    try:
        # The server's user passes through; only it can read what lies inside.
        directory.mkdir(0o711)
        yield directory
    finally:
        for number in (signal.SIGINT, *_GOODBYES):
            signal.signal(number, signal.SIG_IGN)
        # It runs still if its start was interrupted.
        run(EmbeddedPostgres(directory / "postgres").stop())
        shutil.rmtree(directory, ignore_errors=True)


async def _demo(
    directory: Path, settings: Settings, *, leave: bool, output: Format
) -> Summary | None:
    """Play, and stay until Ctrl-C unless `leave`; None if Ctrl-C came before the end of the day."""
    began_at = utc_now()
    told = output is Format.TABLE
    people = TwoPeople()
    settings = _known(settings, people, directory)
    async with installed(directory, settings, opening_accounts(began_at)) as installation:
        goodbye, stop = asyncio.Event(), asyncio.Event()
        for number in (signal.SIGINT, *_GOODBYES):
            asyncio.get_running_loop().add_signal_handler(number, goodbye.set)
        waiting = asyncio.create_task(goodbye.wait())
        serving = asyncio.create_task(installation.house.serve(stop))
        payouts = _payout_service(installation, directory, began_at)
        paying = asyncio.create_task(payouts.run())
        playing = asyncio.create_task(
            _play(installation, began_at, (payouts, people), told=told, leave=leave)
        )
        try:
            await asyncio.wait({playing, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not playing.done():
                await _break_off(playing)
                return None
            if not leave:
                if told:
                    print_ways_to_look(directory)
                talk.print("\nCtrl-C ends the demo.")
                await waiting
            return playing.result()
        finally:
            waiting.cancel()
            paying.cancel()
            await asyncio.wait([paying])
            # The pool closes only after the house has given its connections back.
            stop.set()
            await serving


async def _break_off(playing: "asyncio.Task[Summary]") -> None:
    # Asked again and again, for a driver that was about to answer may swallow one cancellation.
    while not playing.done():
        playing.cancel()
        await asyncio.wait({playing}, timeout=_AGAIN_SECONDS)


def _known(settings: Settings, people: TwoPeople, directory: Path) -> Settings:
    """Return `settings` with the demo's payout service registered, and its people vouched for."""
    root_key, operators = directory / "root-key.json", directory / "operators.json"
    write_public_key(root_key, people.root)
    replace_file(operators, people.file, mode=0o644)
    vouched = {"root_key": root_key, "operators_file": operators}
    identity = settings.identity.model_copy(update=vouched)
    breaker = settings.breaker.model_copy(update={"clients": (CLIENT_ID,)})
    # What is set for another installation is not this one's: it keeps keys of its own.
    unnamed = {"key_file": None, "public_keys_file": None}
    signing = settings.signing.model_copy(update=unnamed)
    sections = {"breaker": breaker, "identity": identity, "signing": signing}
    return settings.model_copy(update=sections)


def _payout_service(
    installation: Installation, directory: Path, began_at: datetime
) -> PayoutService:
    keys = directory / PUBLIC_KEYS_FILE
    guard = AsyncBreakerGuard.postgres(
        installation.postgres.payouts_dsn, keys=keys, client_id=CLIENT_ID
    )
    accounts = opening_accounts(began_at)
    return PayoutService(
        guard, {each.account_id: f"account:{each.account_id}:{each.currency}" for each in accounts}
    )


async def _play(
    installation: Installation,
    began_at: datetime,
    who: tuple[PayoutService, TwoPeople],
    *,
    told: bool,
    leave: bool,
) -> Summary:
    if told:
        print_start(installation)
    stage = Stage(
        pool=installation.pool,
        writer=installation.logs.writer,
        began_at=began_at,
        register_latecomer=lambda: _register_latecomer(installation, began_at),
        payouts=who[0],
        people=who[1],
    )

    async def tell(act: Act, played: Played) -> None:
        if told:
            await print_act(installation, act, played)
        if not leave:
            await asyncio.sleep(_PAUSE_SECONDS)

    summary = await play(stage, acts(began_at), tell)
    if told:
        await print_day(installation, bank_day(began_at))
        print_end(summary)
    return summary


async def _register_latecomer(installation: Installation, began_at: datetime) -> None:
    intakes = by_topic(make_intakes(DirectoryCache()))
    await register(installation.pool, all_accounts(began_at), intakes, source="demo", actor="demo")
