"""One connection to Redis that keeps the order of what is sent, and never makes anybody wait long.

Nothing is repeated by itself and nothing is sent over a second connection: a SET that is sent again
after a DEL would be a permit after a denial. At the first doubt the connection is thrown away.
"""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

Command = Sequence[bytes | str | int]

# After a failure nobody is made to wait for the next one for so long.
_PAUSE_SECONDS: Final = 0.5


class RedisSilent(Exception):
    """Redis did not answer within the bound, or refused. What it has done is not known."""


class RedisLine:
    """Commands in, replies out, in order."""

    def __init__(self, url: str) -> None:
        """Speak to the Redis at `url`: `redis://`, `rediss://` or `unix://`. Connects when asked.

        Raises:
            ValueError: It is no such address.
        """
        options: dict[str, Any] = dict(parse_url(url))
        self._make = options.pop("connection_class", Connection)
        self._options = {**options, "protocol": 2, "retry": Retry(NoBackoff(), 0)}
        self._connection: AbstractConnection | None = None
        self._lock = asyncio.Lock()
        self._down_until = 0.0

    async def ask(self, make: Callable[[], Sequence[Command]], *, seconds_max: float) -> list[Any]:
        """Return the replies to the commands that `make` returns, sent together, in their order.

        `make` is called when it is their turn: whatever was asked for before has been sent then,
        and whatever is asked for later is sent later. Waiting for one's turn counts as well.

        Raises:
            RedisSilent: It took too long, failed or refused one of them.
        """
        try:
            async with asyncio.timeout(seconds_max), self._lock:
                if monotonic() < self._down_until:
                    raise RedisSilent("it failed a moment ago")
                return await self._ask(make())
        except TimeoutError as error:
            raise RedisSilent(f"no answer within {seconds_max} s") from error

    async def _ask(self, commands: Sequence[Command]) -> list[Any]:
        try:
            replies = await self._exchange(commands)
            _heed_cancellation()
        except (RedisError, OSError) as error:
            await self._hang_up()
            _heed_cancellation()
            raise RedisSilent(type(error).__name__) from error
        except asyncio.CancelledError:
            # Replies to what was sent are still to come: they must not be taken for others.
            await self._hang_up()
            raise
        return replies

    async def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        if self._connection is None:
            self._connection = self._make(**self._options)
            await self._connection.connect()
        connection = self._connection
        await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        return [await connection.read_response() for _ in commands]

    async def close(self) -> None:
        """Hang up. What was sent may still be carried out, with the end it has in itself."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def _hang_up(self) -> None:
        self._down_until = monotonic() + _PAUSE_SECONDS
        await self.close()


def _heed_cancellation() -> None:
    """Raise the cancellation that the client library has swallowed, if it did."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
