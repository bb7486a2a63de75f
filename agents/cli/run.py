"""`up`, `worker`, `publisher`, `migrate`: what runs, and what prepares it."""

import asyncio
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from agents.cli.app import app, run
from agents.cli.output import talk
from agents.cli.place import BootstrapOption, ConfigOption, DataOption, DsnOption, Place, find_place
from agents.house import Duties, open_house
from agents.publishing import key_ring_of, redis_line_of
from agents.up import bring_up_to_date, installed
from recon_streams.book.revision import newest_revision, revision_of
from recon_streams.registry.definition import AccountDefinition
from recon_streams.runtime.telemetry import configure_logging
from recon_streams.runtime.tuning import tune_collector

PortOption = Annotated[
    int | None, typer.Option("--telemetry-port", help="Metrics and health; 0 is any free port.")
]
AccountsOption = Annotated[
    Path | None, typer.Option("--accounts", help="A registry file to apply at start.")
]


@app.command("up")
def up(
    data: Annotated[Path, typer.Option("--data", envvar="RECON_DATA", help="Where it all lives.")],
    config: ConfigOption = None,
    accounts: AccountsOption = None,
    telemetry_port: PortOption = None,
) -> None:
    """Run the whole product on this machine, durable, with nothing else installed."""
    place = find_place(config, None, None, None, telemetry_port=telemetry_port)
    _configure(place)
    definitions = place.accounts_in(accounts) if accounts is not None else ()
    run(_up(place, data, definitions))


@app.command("worker")
def worker(
    config: ConfigOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    telemetry_port: PortOption = None,
) -> None:
    """Consume inputs, decide them, commit them. Run as many as there are partitions."""
    place = _place_of_service(config, dsn, bootstrap, telemetry_port)
    run(_serve(place, Duties(publisher=False)))


@app.command("publisher")
def publisher(
    config: ConfigOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    telemetry_port: PortOption = None,
) -> None:
    """Carry decisions to the log and renew the breaker's lease. One is active, others stand by."""
    place = _place_of_service(config, dsn, bootstrap, telemetry_port)
    # Whether there is a book to publish from is the first question.
    _ = place.dsn
    redis_line_of(place.settings)  # opens nothing; an address that is none is told
    run(_serve(place, Duties(worker=False, keys=key_ring_of(place.settings))))


@app.command("migrate")
def migrate(config: ConfigOption = None, data: DataOption = None, dsn: DsnOption = None) -> None:
    """Bring the book's tables to the version of this program."""
    place = find_place(config, data, dsn, None)
    # Asked first, because Alembic does not say which address it could not reach.
    if run(revision_of(place.dsn)) != newest_revision():
        bring_up_to_date(place.dsn)
    talk.print(f"the book is at revision {newest_revision()}")


async def _up(place: Place, data: Path, definitions: tuple[AccountDefinition, ...]) -> None:
    stop = _stop_on_signals()
    async with installed(data, place.settings, definitions) as installation:
        postgres, address = installation.postgres, installation.address
        talk.print(f"PostgreSQL {postgres.major} ({postgres.origin}) in {data}", markup=False)
        talk.print(f"metrics and health on {address.telemetry}", markup=False)
        talk.print(f"payout services: {installation.payouts_dsn_file}", markup=False)
        talk.print(f"look closer: recon-streams status --data {data}", markup=False)
        await installation.house.serve(stop, on_started=lambda: talk.print("ready", markup=False))


async def _serve(place: Place, duties: Duties) -> None:
    stop = _stop_on_signals()
    name = f"{socket.gethostname()}-{os.getpid()}"
    async with (
        place.pool() as pool,
        place.logs(pool) as logs,
        open_house(place.settings, pool, logs, name=name, duties=duties) as house,
    ):
        ready = f"ready on {logs.name}; health on {house.side_server.address}"
        await house.serve(stop, on_started=lambda: talk.print(ready, markup=False))


def _place_of_service(
    config: Path | None, dsn: str | None, bootstrap: str | None, telemetry_port: int | None
) -> Place:
    place = find_place(config, None, dsn, bootstrap, telemetry_port=telemetry_port)
    _configure(place)
    return replace(place, takes_data=False)


def _configure(place: Place) -> None:
    telemetry = place.settings.telemetry
    configure_logging(telemetry.log_level, telemetry.log_format)
    tune_collector()


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
