"""Connections to the book that never wait for ever: every bound is set, none left to a default."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

if TYPE_CHECKING:
    Session: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    # A connection, whether it came from a pool or not; generic in the driver's stubs only.
    Session = asyncpg.Connection | PoolConnectionProxy

APP_ROLE: Final = "recon_app"

# A dead peer is noticed within about ten seconds instead of a quarter of an hour.
_SERVER_SETTINGS: Final = {
    "application_name": "recon-streams",
    "timezone": "UTC",
    "statement_timeout": "30000",
    "lock_timeout": "10000",
    "idle_in_transaction_session_timeout": "15000",
    "tcp_user_timeout": "10000",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}

_PASSWORD: Final = re.compile(r"(?<=password=)[^&]*", re.IGNORECASE)

CONNECT_SECONDS: Final = 5.0
COMMAND_SECONDS: Final = 30.0


class DatabaseUnreachable(Exception):
    """The book did not answer. Says which address, what was tried, for how long."""

    def __init__(self, address: str, tried_seconds: float, detail: str) -> None:
        super().__init__(f"no book at {address} after {tried_seconds:.0f} s: {detail}")
        self.address = address


async def connect(dsn: str, **options: Any) -> asyncpg.Connection:  # noqa: ANN401 - passed through
    """Return one connection, as the owner of the schema."""
    return await asyncpg.connect(
        dsn,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        server_settings=_SERVER_SETTINGS,
        **options,
    )


async def open_pool(
    dsn: str, *, size_max: int = 8, size_min: int = 1, as_app: bool = True
) -> asyncpg.Pool:
    """Return a pool whose connections have the application's rights only.

    Raises:
        DatabaseUnreachable: No server answered, or it refused us.
    """

    async def limit_rights(connection: asyncpg.Connection) -> None:
        # What happened cannot be rewritten by the program that recorded it.
        if as_app:
            await connection.execute(f"SET ROLE {APP_ROLE}")

    with reaching(dsn):
        return await asyncpg.create_pool(
            dsn,
            min_size=size_min,
            max_size=size_max,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings=_SERVER_SETTINGS,
            # Once for each connection: without a reset at its release it keeps the role.
            init=limit_rights,
            reset=_no_reset,
        )


@contextmanager
def reaching(dsn: str) -> Iterator[None]:
    """Raise `DatabaseUnreachable` for what a first contact with `dsn` fails of."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    try:
        yield
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        # A time-out has no words of its own.
        detail = str(error) or "the server took the connection and did not answer"
        raise DatabaseUnreachable(address_of(dsn), loop.time() - began_at, detail) from error


async def _no_reset(_connection: asyncpg.Connection) -> None:
    """Keep the session as it is: nothing here sets session state but `init`."""


def address_of(dsn: str) -> str:
    """Return `dsn` without what is secret in it."""
    scheme, separator, rest = dsn.partition("://")
    if not separator:
        return "the given DSN"
    credentials, at, address = rest.rpartition("@")
    user = credentials.partition(":")[0]
    return f"{scheme}://{user}{at}{_PASSWORD.sub('***', address)}"
