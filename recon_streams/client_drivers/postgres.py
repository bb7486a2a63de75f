"""Breaker records in the log that is a table of PostgreSQL."""

import asyncio
from typing import Any, Final

import msgspec

from recon_streams.client.records import VALUE_BYTES_MAX, LogRecord
from recon_streams.client_drivers.port import Look, now_ms

try:
    import asyncpg
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("pip install 'recon-streams[postgres]'") from error

_REQUEST_SECONDS: Final = 5.0
_WAIT_SECONDS: Final = 0.1
_RECORDS_MAX: Final = 100
# All that the role recon_payouts may: what else the database holds is no business of a guard.
_LOOK: Final = "SELECT next_off, off, key, headers, payload FROM payouts.look($1, $2, $3)"
_ACKNOWLEDGE: Final = "SELECT payouts.acknowledge($1, $2)"
_HEADERS: Final = msgspec.json.Decoder(list[tuple[str, bytes | None]])


class PostgresBreakerLog:
    """`BreakerLog` in PostgreSQL; `options` are `asyncpg.connect`'s."""

    UNREACHABLE: tuple[type[Exception], ...] = (
        OSError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    )

    def __init__(self, dsn: str, **options: Any) -> None:  # noqa: ANN401 - asyncpg's own
        limits = {"timeout": _REQUEST_SECONDS, "command_timeout": _REQUEST_SECONDS}
        self._options = {"dsn": dsn, **limits, **options}
        self._reading: Any = None
        self._writing: Any = None

    async def open(self) -> None:
        """See `BreakerLog.open`."""
        self._reading = await asyncpg.connect(**self._options)

    async def look(self, first: int) -> Look:
        """See `BreakerLog.look`."""
        asked_at_ms = now_ms()
        rows = await self._reading.fetch(_LOOK, first, _RECORDS_MAX, VALUE_BYTES_MAX + 1)
        if not rows:
            words = "no recon.breaker here, a standby, which lags, or it was cut off where we are"
            raise ConnectionError(words)
        end, rows = rows[0]["next_off"], [row for row in rows if row["off"] is not None]
        if not rows:
            await asyncio.sleep(_WAIT_SECONDS)
        records = [LogRecord(r["off"], r["key"], r["payload"], _headers(r)) for r in rows]
        next_offset = rows[-1]["off"] + 1 if len(rows) == _RECORDS_MAX else max(first, end)
        return Look(asked_at_ms, end, records, next_offset)

    async def acknowledge(self, client_id: str, value: bytes) -> None:
        """See `BreakerLog.acknowledge`."""
        if self._writing is None or self._writing.is_closed():
            self._writing = await asyncpg.connect(**self._options)
        await self._writing.execute(_ACKNOWLEDGE, client_id, value)

    async def close(self) -> None:
        """See `BreakerLog.close`."""
        for connection in filter(None, (self._reading, self._writing)):
            connection.terminate()
        self._reading = self._writing = None


def _headers(row: Any) -> list[tuple[str, bytes | None]]:  # noqa: ANN401 - asyncpg's row
    try:
        return _HEADERS.decode(row["headers"] or "[]")
    except msgspec.DecodeError:  # anybody may append by SQL; what it is worth, the signature says
        return []
