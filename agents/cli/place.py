"""Where a command works: the settings from file, environment and options, and what they lead to."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer

from agents.address import PARTITIONS, read_address
from agents.cli.output import talk
from agents.logs import Logs, kafka_logs, postgres_logs
from recon_streams.book.connection import open_pool
from recon_streams.book.revision import check_revision
from recon_streams.connectors.file import load_connectors
from recon_streams.connectors.http import HttpTerms
from recon_streams.connectors.named import require_described
from recon_streams.kernel.calendars import Calendars
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.registry.calendar_file import load_calendars
from recon_streams.registry.definition import AccountDefinition
from recon_streams.registry.file import load_accounts
from recon_streams.runtime.secrets import client_security, dsn_of
from recon_streams.runtime.settings import Settings, load_settings

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", envvar="RECON_CONFIG", help="The file recon.yaml."),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", envvar="RECON_DATA", help="Directory of an installation started with `up`."
    ),
]
DsnOption = Annotated[
    str | None,
    typer.Option("--dsn", help="The book: postgresql://user@host/database.", show_envvar=False),
]
BootstrapOption = Annotated[
    str | None,
    typer.Option("--bootstrap", help="Kafka: host:port of some brokers; implies log.kind kafka."),
]


@dataclass(frozen=True, kw_only=True)
class Place:
    """The settings of this command, and whether it can be sent to a directory."""

    settings: Settings
    takes_data: bool = True

    @property
    def dsn(self) -> str:
        """Return the address of the book."""
        dsn = dsn_of(self.settings.database)
        if not dsn:
            directory = "--data DIR of a running `recon-streams up`, or " if self.takes_data else ""
            raise typer.BadParameter(
                f"no book: give {directory}--dsn, or database.dsn in recon.yaml"
            )
        return dsn

    @property
    def calendars(self) -> Calendars:
        """Return the calendars of banks, with the operator's words."""
        return load_calendars(self.settings.calendars.file)

    @property
    def connectors(self) -> tuple[HttpTerms, ...]:
        """Return how banks are asked, as `sweeps.connectors_file` says; none without one."""
        file = self.settings.sweeps.connectors_file
        return () if file is None else load_connectors(file)

    def accounts_in(self, file: Path) -> tuple[AccountDefinition, ...]:
        """Return the accounts of the registry `file`; the connectors they name are described."""
        definitions = load_accounts(file, self.calendars)
        connectors_file = self.settings.sweeps.connectors_file
        if connectors_file is not None:
            require_described(file, {each.name for each in self.connectors}, connectors_file)
        elif asked := sum(each.sweep.connector is not None for each in definitions):
            talk.print(
                f"note: {asked} accounts name a connector; whether it is described was not "
                "checked, because sweeps.connectors_file names no file here",
                markup=False,
            )
        return definitions

    @asynccontextmanager
    async def pool(self) -> AsyncIterator[asyncpg.Pool]:
        """Open the book, if this program was written for it."""
        await check_revision(self.dsn)
        size = self.settings.database.pool_size_max
        opened = await open_pool(self.dsn, size_max=size)
        try:
            yield opened
        finally:
            await opened.close()

    @asynccontextmanager
    async def maybe_pool(self) -> AsyncIterator[asyncpg.Pool | None]:
        """Open the book if the log lives in it; a Kafka log needs none."""
        if self.settings.log.kind == "kafka":
            yield None
            return
        async with self.pool() as pool:
            yield pool

    @asynccontextmanager
    async def logs(self, pool: asyncpg.Pool | None) -> AsyncIterator[Logs]:
        """Connect to the log."""
        logs = make_logs(self.settings, pool)
        await logs.start()
        try:
            yield logs
        finally:
            await logs.stop()


def find_place(
    config: Path | None,
    data: Path | None,
    dsn: str | None,
    bootstrap: str | None,
    *,
    telemetry_port: int | None = None,
) -> Place:
    """Return the place that file, environment and options name."""
    flags: dict[str, Any] = {}
    if data is not None:
        flags["database.dsn"] = read_address(data).dsn
        flags["log.kind"] = "postgres"
        # Whatever the settings say of topics elsewhere: this place was made by `up`.
        flags["topics.partitions"] = PARTITIONS
    if dsn is not None:
        flags["database.dsn"] = dsn
    if bootstrap is not None:
        flags["log.kind"] = "kafka"
        flags["log.bootstrap_servers"] = bootstrap
    if telemetry_port is not None:
        flags["telemetry.port"] = telemetry_port
    return Place(settings=load_settings(config, os.environ, flags))


def make_logs(settings: Settings, pool: asyncpg.Pool | None) -> Logs:
    """Return the log that `settings` name."""
    log = settings.log
    if log.kind == "postgres":
        assert pool is not None, "this log lives in the book"
        return postgres_logs(pool, group=log.group_id)
    connection = KafkaConnection(bootstrap=log.bootstrap_servers, security=client_security(log))
    return kafka_logs(connection, group=log.group_id, instance_id=log.group_instance_id)
