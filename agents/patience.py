"""Waiting for a book that is away: again and again within a bound, then up to a supervisor."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import asyncpg
import stamina

T = TypeVar("T")

# What the world does to a connection; everything else is ours and is not retried.
UNAVAILABLE: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver says so when a server goes down mid-protocol
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.SerializationError,
    asyncpg.QueryCanceledError,
    asyncpg.ReadOnlySQLTransactionError,
)


class BookGone(Exception):
    """The book did not come back within the bound; a supervisor has to start us again."""


async def with_patience(attempt: Callable[[], Awaitable[T]], seconds_max: float) -> T:
    """Return what `attempt` returns, trying again while the book is away.

    Raises:
        BookGone: It stayed away for longer than `seconds_max`.
    """
    try:
        async for trial in stamina.retry_context(
            on=UNAVAILABLE, attempts=None, timeout=seconds_max, wait_initial=0.1, wait_max=2.0
        ):
            with trial:
                return await attempt()
    except UNAVAILABLE as error:
        raise BookGone(f"no book for {seconds_max:.0f} s: {error!r}") from error
    raise AssertionError("a retry ends by returning or by raising")
