"""Watches whether payout services hear, and whether they may pay at all; on-call is told at once.

Runs in every process: what is found twice is told once, and the one that is silent cannot say so
itself.
"""

import asyncio
from collections.abc import Collection, Mapping
from time import monotonic
from typing import Final

import asyncpg
import msgspec
import structlog

from recon_streams.acks.store import through_offsets
from recon_streams.acks.watch import Deaf, Denials
from recon_streams.alerts.alarm import Facts
from recon_streams.alerts.causes import keep_true
from recon_streams.alerts.classes import AlertClass, Component
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.clock import utc_now
from recon_streams.log.errors import LogUnreachable
from recon_streams.log.port import LogProbe
from recon_streams.log.record import Record, TopicPartition
from recon_streams.runtime.sections import BreakerSettings
from topics.alerts import Severity
from topics.breaker import LEASE_KEY, BreakerRecord

EVERY_SECONDS: Final = 1.0
# A lease that a restart interrupts comes back within this; then nobody need be called.
LAPSED_SECONDS_MAX: Final = 5
_BREAKER: Final = TopicPartition("recon.breaker", 0)
_DECODER: Final = msgspec.json.Decoder(BreakerRecord)
_NAMED_MAX: Final = 3
# While nobody reads what services say, nobody can be called deaf; it is the lease that is missing.
_READ: Final = (
    "SELECT coalesce(bool_and(through_at > clock_timestamp() - interval '3 seconds'), false) "
    "FROM book.stream WHERE topic = 'recon.breaker.acks'"
)
_LAPSED: Final = (
    "SELECT EXISTS (SELECT FROM book.publisher "
    "WHERE lease_until < clock_timestamp() - $1 * interval '1 second')"
)

_log = structlog.get_logger()


class Hearing:
    """Who has heard the denials on the log, and whether there is a lease."""

    def __init__(
        self, pool: asyncpg.Pool, probe: LogProbe, clients: Collection[str], *, ack_seconds_max: int
    ) -> None:
        """Watch `clients`; each has `ack_seconds_max` to acknowledge a denial."""
        self._pool = pool
        self._probe = probe
        self._clients = tuple(clients)
        self._ack_seconds_max = ack_seconds_max
        self._denials = Denials()
        self._next_offset = 0
        self._told: Mapping[AlertClass, Mapping[str, Facts]] = {}

    async def look(self) -> list[Deaf]:
        """Look once, tell on-call what has changed, and return who is deaf."""
        try:
            await self._read_on()
        except LogUnreachable as silence:
            # Whoever works with the log leaves over it, within a bound of its own.
            _log.warning("breaker_topic_unreadable", reason=str(silence))
        deaf = self._denials.unheard(
            self._clients,
            await through_offsets(self._pool),
            seconds=monotonic(),
            patience_seconds=self._ack_seconds_max,
        )
        found = {AlertClass.LEASE_LAPSED: await self._lapse()}
        if not deaf or await self._pool.fetchval(_READ):
            unheard = {each.client_id: _unheard(each) for each in deaf}
            found[AlertClass.BREAKER_NOT_ACKNOWLEDGED] = unheard
        if found != self._told:
            async with UnitOfWork(self._pool) as unit:
                for alert_class, causes in found.items():
                    await keep_true(unit, alert_class.value, causes, at=utc_now())
            self._told = found
        return deaf

    async def _read_on(self) -> None:
        start = (await self._probe.start_offsets([_BREAKER]))[_BREAKER]
        end = (await self._probe.end_offsets([_BREAKER]))[_BREAKER]
        if end < self._next_offset:  # another log, or the topic was made anew
            self._denials, self._next_offset = Denials(), 0
        first = max(start, self._next_offset)
        if first < end:
            async for record in self._probe.read(_BREAKER, first, end):
                self._see(record)
        self._next_offset = max(first, end)

    def _see(self, record: Record) -> None:
        if record.key == LEASE_KEY or record.value is None:
            return
        try:
            said = _DECODER.decode(record.value)
        except msgspec.DecodeError:
            return  # the publisher tells of it, and writes the right one over it
        self._denials.see(said, record.offset, monotonic())

    async def _lapse(self) -> dict[str, Facts]:
        if not await self._pool.fetchval(_LAPSED, LAPSED_SECONDS_MAX):
            return {}
        return {
            "all": Facts(
                alert_class=AlertClass.LEASE_LAPSED.value,
                severity=Severity.CRITICAL,
                summary="No lease: no payout from any account is permitted, until inputs are "
                "evaluated and published again",
                component=Component.BREAKER.value,
                scope="all",
                evidence="recon-streams breaker status",
            )
        }


async def watch_hearing_for_ever(
    settings: BreakerSettings, pool: asyncpg.Pool, probe: LogProbe
) -> None:
    """Look again and again. Runs for ever."""
    hearing = Hearing(pool, probe, settings.clients, ack_seconds_max=settings.ack_seconds_max)
    while True:
        await hearing.look()
        await asyncio.sleep(EVERY_SECONDS)


def _unheard(deaf: Deaf) -> Facts:
    scopes = sorted({each.scope for each in deaf.denials})
    more = f" and {len(scopes) - _NAMED_MAX} more" if len(scopes) > _NAMED_MAX else ""
    named = ", ".join(scopes[:_NAMED_MAX])
    return Facts(
        alert_class=AlertClass.BREAKER_NOT_ACKNOWLEDGED.value,
        severity=Severity.CRITICAL,
        summary=f"{deaf.client_id} has not acknowledged that {named}{more} may not be paid from",
        component=Component.BREAKER.value,
        scope=scopes[0],
        evidence=f"recon-streams breaker history {scopes[0]}",
    )
