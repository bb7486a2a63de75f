"""One POST to a sink, bounded in every way, that goes only where it is sent.

Redirects are not followed and no proxy is taken from the environment. A name that leads into a
private network is not connected to unless somebody allowed it, so that an address of ours cannot be
turned against what stands beside us.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

from recon_streams.bridges.sink import Answer, Outcome
from recon_streams.kernel.clock import utc_now
from recon_streams.runtime.bridge_contradictions import is_public
from recon_streams.runtime.contradictions import is_loopback

_READ_BYTES_MAX: Final = 4_096
_WAIT_SECONDS_MAX: Final = 300.0
_GONE: Final = 410
# What is wrong with this one message, and will be wrong with it at any time. Anything else that is
# not a success (a wrong token, an address that is not there) somebody can repair, and then this
# message goes like all others.
_NEVER: Final = frozenset({400, 406, 409, 411, 413, 414, 415, 422, 431})
_SUCCESS: Final = range(200, 300)


class PrivateAddress(OSError):
    """A name leads to an address that is not on the internet."""

    def __init__(self) -> None:
        super().__init__("the name leads into a private network")


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those that lead into a private network."""

    def __init__(self, names: AbstractResolver | None = None) -> None:
        """Ask `names`; the system's by default."""
        self._names = names or aiohttp.ThreadedResolver()

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of `host`; none of them is private."""
        found = await self._names.resolve(host, port, family)
        if not all(is_public(each["host"]) for each in found):
            raise PrivateAddress
        return found

    @override
    async def close(self) -> None:
        """Let go of what resolves."""
        await self._names.close()


class Post:
    """The connections to one sink."""

    def __init__(self, url: str, *, timeout_seconds: float, private: bool = True) -> None:
        """Send to `url`; into a private network only if `private` or if it is this machine."""
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        host = urlsplit(url).hostname or ""
        self._is_guarded = not private and not is_loopback(host)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Send `body` once; whatever happens is an answer."""
        session = self._opened()
        heads = {"Content-Type": "application/json", **(headers or {})}
        try:
            async with session.post(
                self._url, data=body, headers=heads, allow_redirects=False
            ) as response:
                await response.content.read(_READ_BYTES_MAX)
                return answer_of(response.status, response.headers.get("Retry-After"))
        except (aiohttp.ClientError, TimeoutError, OSError, ssl.SSLError) as error:
            return Answer(outcome=Outcome.LATER, detail=_words(error))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = PublicResolver() if self._is_guarded else None
            connector = aiohttp.TCPConnector(limit=2, resolver=resolver)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, trust_env=False
            )
        return self._session


def answer_of(status: int, retry_after: str | None = None) -> Answer:
    """Return what an HTTP status says of a message."""
    detail = f"HTTP {status}"
    if status in _SUCCESS:
        return Answer(outcome=Outcome.SENT, detail=detail)
    if status == _GONE:
        return Answer(outcome=Outcome.DISABLED, detail=detail)
    if status in _NEVER:
        return Answer(outcome=Outcome.PARKED, detail=detail)
    return Answer(outcome=Outcome.LATER, detail=detail, wait_seconds=_seconds(retry_after))


def _seconds(retry_after: str | None) -> float | None:
    """Return what RFC 9110, section 10.2.3, allows: seconds, or an instant; within our bound."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - utc_now()).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), _WAIT_SECONDS_MAX) if seconds == seconds else None  # noqa: PLR0124 - not a number


def _words(error: BaseException) -> str:
    """Return what went wrong, without the address: it may be a secret by itself."""
    if isinstance(error, PrivateAddress) or isinstance(error.__cause__, PrivateAddress):
        return str(PrivateAddress())
    return "no answer in time" if isinstance(error, asyncio.TimeoutError) else type(error).__name__
