"""How to reach a Kafka, and how long to try: the bounds that the client library leaves open."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec
from aiokafka.errors import KafkaError

from recon_streams.log.errors import LogUnreachable

_RETRY_SECONDS = 0.25
_CLOSE_SECONDS_MAX = 10.0


class KafkaConnection(msgspec.Struct, frozen=True, kw_only=True):
    """Where the brokers are and what every client of them is told.

    Attributes:
        bootstrap: `host:port` of some brokers, separated by commas.
        client_id: What broker logs and quotas call us.
        connect_seconds: How long a first contact is tried before `LogUnreachable`.
        request_seconds: How long one request may take. The outcome of a write that takes longer
            is unknown.
        security: aiokafka's own arguments: `security_protocol`, `ssl_context`, `sasl_*`.
    """

    bootstrap: str
    client_id: str = "recon-streams"
    connect_seconds: float = 15.0
    request_seconds: float = 15.0
    security: Mapping[str, Any] = {}

    def client_arguments(self) -> dict[str, Any]:
        """Return the arguments that every aiokafka client takes."""
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": self.client_id,
            "request_timeout_ms": round(self.request_seconds * 1000),
            **self.security,
        }


AnyClient = TypeVar("AnyClient")


async def connected(
    connection: KafkaConnection,
    make: Callable[[], AnyClient],
    *,
    start: Callable[[AnyClient], Awaitable[None]],
    stop: Callable[[AnyClient], Awaitable[None]],
) -> AnyClient:
    """Return a started client, made anew for each try.

    Raises:
        LogUnreachable: No try succeeded within `connect_seconds`.
    """
    last = ""
    try:
        async with asyncio.timeout(connection.connect_seconds):
            while True:
                client = make()
                try:
                    await start(client)
                except (KafkaError, OSError) as failure:
                    last = str(failure)
                    await closed(stop(client))
                    await asyncio.sleep(_RETRY_SECONDS)
                except BaseException:
                    await closed(stop(client))
                    raise
                else:
                    return client
    except TimeoutError as expired:
        raise LogUnreachable(connection.bootstrap, connection.connect_seconds, last) from expired


async def closed(stopping: Awaitable[None]) -> None:
    """Await the end of a client, but not for ever and not caring how it went.

    The client library waits for brokers that may never answer again. What was acknowledged is
    safe, and what was not is the caller's to repeat.
    """
    with contextlib.suppress(TimeoutError, KafkaError, OSError):
        await asyncio.wait_for(stopping, _CLOSE_SECONDS_MAX)
