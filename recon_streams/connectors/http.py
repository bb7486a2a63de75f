"""A bank's balance over HTTP: one GET, bounded in every way, that goes only where it is sent.

Redirects are not followed and no proxy is taken from the environment, so that a token goes to the
host that the file names and to no other. An answer counts whole or not at all.
"""

import asyncio
import ssl
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

import aiohttp
import msgspec
import stamina

from recon_streams.connectors.mapping import BalanceMapping, said_by
from recon_streams.connectors.port import NoBalance, Said
from recon_streams.registry.definition import AccountDefinition

_OK: Final = 200
# What says "later" and not "no".
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK_BYTES: Final = 65_536
_WAIT_SECONDS: Final = (0.2, 2.0)


class HttpTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How one bank is asked.

    Attributes:
        name: As the registry names the connector.
        address: With `{account_id}`, `{currency}` and `{bank_account}` in it.
        token_file: A file whose one line is sent in `header`, after `scheme`.
        header: Where the token goes.
        scheme: The word before the token; empty for none.
        ca_file: PEM of the authorities that may vouch for the bank; None for the system's.
        timeout_seconds: For one try, from connecting to the last byte.
        attempts: How often it is tried in all.
        answer_bytes_max: A longer answer is none.
        connections_max: To this bank at a time.
        mapping: Which field says what.
    """

    name: str
    address: str
    token_file: Path | None = None
    header: str = "Authorization"
    scheme: str = "Bearer"
    ca_file: Path | None = None
    timeout_seconds: int = 10
    attempts: int = 3
    answer_bytes_max: int = 65_536
    connections_max: int = 32
    mapping: BalanceMapping = BalanceMapping()


def lease_of(connectors: Iterable[HttpTerms]) -> timedelta:
    """Return how long the slowest of `connectors` may take, and then some."""
    longest = max((each.attempts * (each.timeout_seconds + 2) for each in connectors), default=0)
    return timedelta(seconds=60 + longest)


class HttpConnector:
    """`Connector` over HTTP."""

    def __init__(self, terms: HttpTerms) -> None:
        """Ask by `terms`; nothing is opened before `start`."""
        self._terms = terms
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """See `Connector.start`. Raises `OSError` if a secret or the authorities cannot be read."""
        terms = self._terms
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if terms.token_file is not None:
            token = (await asyncio.to_thread(terms.token_file.read_text, "utf-8")).strip()
            headers[terms.header] = f"{terms.scheme} {token}".strip()
        authorities = str(terms.ca_file) if terms.ca_file is not None else None
        context = await asyncio.to_thread(ssl.create_default_context, cafile=authorities)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=terms.connections_max, ssl=context),
            timeout=aiohttp.ClientTimeout(total=terms.timeout_seconds),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            # What a bank compresses although we asked it not to is not unpacked either.
            auto_decompress=False,
        )

    async def stop(self) -> None:
        """See `Connector.stop`."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ask(self, account: AccountDefinition) -> Said:
        """See `Connector.ask`."""
        terms = self._terms
        url = terms.address.format(
            account_id=quote(account.account_id, safe=""),
            currency=quote(account.currency, safe=""),
            bank_account=quote(account.bank_accounts[0].identification, safe=""),
        )
        async for trial in stamina.retry_context(
            on=_is_passing,
            attempts=terms.attempts,
            timeout=None,
            wait_initial=_WAIT_SECONDS[0],
            wait_max=_WAIT_SECONDS[1],
        ):
            with trial:
                payload = await self._get(url)
                return said_by(payload, terms.mapping, currency=account.currency)
        raise AssertionError("a retry ends by returning or by raising")

    async def _get(self, url: str) -> bytes:
        assert self._session is not None, "a connector is started before it is asked"
        try:
            async with self._session.get(url, allow_redirects=False) as answer:
                if answer.status != _OK:
                    raise _refused(answer.status)
                if answer.headers.get("Content-Encoding", "identity") != "identity":
                    raise NoBalance(
                        "COMPRESSED", "the answer is compressed; it was asked not to be"
                    )
                return await self._body(answer)
        except TimeoutError as error:
            detail = f"no answer within {self._terms.timeout_seconds} s"
            raise NoBalance("TIMED_OUT", detail, is_passing=True) from error
        except aiohttp.ClientSSLError as error:
            detail = "the connection could not be protected"
            raise NoBalance("UNREACHABLE", detail) from error
        except (aiohttp.ClientError, OSError) as error:
            # Its words may repeat the address, and with it the number of an account.
            raise NoBalance("UNREACHABLE", type(error).__name__, is_passing=True) from error

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        parts, size = [], 0
        async for part in answer.content.iter_chunked(_CHUNK_BYTES):
            size += len(part)
            if size > self._terms.answer_bytes_max:
                detail = f"more than {self._terms.answer_bytes_max} bytes"
                raise NoBalance("TOO_LARGE", detail)
            parts.append(part)
        return b"".join(parts)


def _is_passing(error: Exception) -> bool:
    return isinstance(error, NoBalance) and error.is_passing


def _refused(status: int) -> NoBalance:
    if status in _PASSING:
        return NoBalance("HTTP_STATUS", str(status), is_passing=True)
    if 300 <= status < 400:  # noqa: PLR2004 - the redirects of HTTP
        return NoBalance("REDIRECTED", f"{status}; redirects are not followed")
    return NoBalance("HTTP_REFUSED", str(status))
