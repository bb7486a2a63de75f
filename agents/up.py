"""One machine, no Kafka, no Docker: PostgreSQL, the worker and the publisher in one process."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import msgspec
import structlog

from agents.address import ADDRESS_FILE, PARTITIONS, Address
from agents.house import Duties, House, open_house
from agents.intakes import by_topic, make_intakes
from agents.logs import Logs, postgres_logs, topic_plans
from agents.publishing import key_ring_in
from agents.registration import (
    admit_operators,
    hold_loosened,
    register,
    takes_two,
    words_of_loosened,
)
from agents.sole_owner import sole_owner
from recon_streams.book.connection import open_pool
from recon_streams.book.revision import newest_revision, revision_of
from recon_streams.embedded.access import confine_payout_services
from recon_streams.embedded.postgres import EmbeddedPostgres
from recon_streams.positions.registry_store import DirectoryCache, RegistryChange
from recon_streams.registry.definition import AccountDefinition
from recon_streams.runtime.settings import Settings

# Through this directory payout services come in, and this file says how.
PAYOUTS_DOOR = "payouts"
PAYOUTS_DSN_FILE = "payouts.dsn"

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What `up` started."""

    postgres: EmbeddedPostgres
    pool: asyncpg.Pool
    logs: Logs
    house: House
    registry: RegistryChange | None
    payouts_dsn_file: Path

    @property
    def address(self) -> Address:
        """Return how others reach it."""
        telemetry = self.house.side_server.address
        return Address(dsn=self.postgres.dsn, telemetry=telemetry, pid=os.getpid())


@asynccontextmanager
async def installed(
    directory: Path, settings: Settings, accounts: Sequence[AccountDefinition] = ()
) -> AsyncIterator[Installation]:
    """Start everything in `directory`, and stop it in order at the end.

    Safe to kill at any moment; the next start continues where the book stands.
    """
    await asyncio.to_thread(directory.mkdir, 0o711, parents=True, exist_ok=True)
    with sole_owner(directory):
        # First: without a key nobody would believe what is published, and nothing need start.
        duties = Duties(keys=key_ring_in(directory, settings))
        postgres = EmbeddedPostgres(directory / "postgres", door=directory / PAYOUTS_DOOR)
        await postgres.start()
        try:
            if await revision_of(postgres.dsn) != newest_revision():
                await asyncio.to_thread(bring_up_to_date, postgres.dsn)
            await confine_payout_services(postgres.dsn)
            async with _open(directory, postgres, settings, accounts, duties=duties) as started:
                yield started
        finally:
            await postgres.stop()


@asynccontextmanager
async def _open(
    directory: Path,
    postgres: EmbeddedPostgres,
    settings: Settings,
    accounts: Sequence[AccountDefinition],
    *,
    duties: Duties,
) -> AsyncIterator[Installation]:
    pool = await open_pool(postgres.dsn, size_max=settings.database.pool_size_max)
    try:
        logs = postgres_logs(pool, group=settings.log.group_id)
        await logs.start()
        await logs.admin.apply(topic_plans(partitions=PARTITIONS))
        registry = await _register(pool, settings, accounts)
        name = f"{socket.gethostname()}-{os.getpid()}"
        dsn_file = directory / PAYOUTS_DSN_FILE
        async with open_house(settings, pool, logs, name=name, duties=duties) as house:
            installation = Installation(
                postgres=postgres,
                pool=pool,
                logs=logs,
                house=house,
                registry=registry,
                payouts_dsn_file=dsn_file,
            )
            address_file = directory / ADDRESS_FILE
            _write(address_file, msgspec.json.encode(installation.address), mode=0o600)
            # No secret: who may pass through the door is said with its permissions.
            _write(dsn_file, f"{postgres.payouts_dsn}\n".encode(), mode=0o644)
            try:
                yield installation
            finally:
                address_file.unlink(missing_ok=True)
    finally:
        await pool.close()


def bring_up_to_date(dsn: str) -> None:
    """Run the migrations that `dsn` lacks."""
    # Loaded when there is something to do: once a release, and it is a third of a start.
    from recon_streams.book.migrate import migrate  # noqa: PLC0415

    migrate(dsn)


async def _register(
    pool: asyncpg.Pool, settings: Settings, accounts: Sequence[AccountDefinition]
) -> RegistryChange | None:
    """Apply the registry, and let what waited for one of its accounts be decided."""
    await admit_operators(settings, pool)
    if not accounts:
        return None
    intakes = by_topic(make_intakes(DirectoryCache(), settings.limits))
    two = await takes_two(settings, pool)
    if two:
        accounts, held = await hold_loosened(pool, accounts)
        for words in words_of_loosened(held):
            # The rules in force stay: a file and a restart are what one person can do.
            _log.warning("rules_held", loosened=words, ask="recon-streams accounts apply --key")
    change, _ = await register(
        pool,
        accounts,
        intakes,
        source="up",
        actor=f"uid {os.geteuid()}",
        may_loosen=not two,
    )
    return change


def _write(path: Path, payload: bytes, *, mode: int) -> None:
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(payload)
        os.fchmod(descriptor, mode)
    partial.rename(path)
