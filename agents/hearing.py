"""Watches whether payout services hear, and whether they may pay at all; on-call is told at once.

Runs in every process: what is found twice is told once, and the one that is silent cannot say so
itself.
"""

import asyncio
from collections.abc import Collection, Mapping
from time import monotonic
from typing import Final

import asyncpg
import structlog

from recon_streams.acks import store
from recon_streams.acks.watch import Claim, Deaf, Denials, held_against
from recon_streams.alerts.alarm import Facts
from recon_streams.alerts.causes import keep_true
from recon_streams.alerts.classes import AlertClass, Component
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.clock import utc_now
from recon_streams.log.errors import LogUnreachable
from recon_streams.log.port import LogProbe
from recon_streams.log.record import Record
from recon_streams.publisher.holding import Held, held
from recon_streams.publisher.lapse import LeaseWatch
from recon_streams.publisher.tail import BREAKER, is_signed, state_of
from recon_streams.runtime.sections import BreakerSettings
from recon_streams.runtime.telemetry import Telemetry
from recon_streams.signing.key_ring import PublicHalves
from recon_streams.signing.public_keys import KeyUnusable, PublicKeys
from topics.alerts import Severity
from topics.breaker import LEASE_KEY

EVERY_SECONDS: Final = 1.0
# A lease that a restart interrupts comes back within this; then nobody need be called.
LAPSED_SECONDS_MAX: Final = 5
_LAPSE: Final = "all"
_NAMED_MAX: Final = 3
# A signature takes a tenth of a millisecond: what else there is to do is not held up for longer.
_VERIFIED_AT_ONCE: Final = 50
# While nobody reads what services say, nobody can be called deaf; it is the lease that is missing.
_READ: Final = (
    "SELECT coalesce(bool_and(through_at > clock_timestamp() - interval '3 seconds'), false) "
    "FROM book.stream WHERE topic = 'recon.breaker.acks'"
)

_log = structlog.get_logger()


class Hearing:
    """Who has heard the denials on the log, and whether there is a lease.

    Attributes:
        dropped: How many records of scopes were left out: nobody we know says what they say.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        probe: LogProbe,
        settings: BreakerSettings,
        *,
        keys: PublicHalves | None,
        telemetry: Telemetry,
    ) -> None:
        """Watch the clients in `settings`; each has its seconds to acknowledge a denial.

        Args:
            pool: The book.
            probe: Reads the log.
            settings: Who must hear, and how soon.
            keys: What payout services pin. Without it nothing on the log can be believed, and only
                leases are watched.
            telemetry: Counts what was left out.
        """
        self._pool = pool
        self._probe = probe
        self._settings = settings
        self._keys = keys
        self._telemetry = telemetry
        self._pinned: PublicKeys = {}
        self._lease = LeaseWatch(pool, patience_seconds=LAPSED_SECONDS_MAX)
        self._denials = Denials()
        self._next_offset = 0
        self._began_at = monotonic()
        self._told: Mapping[AlertClass, Mapping[str, Facts]] = {}
        self.dropped = 0

    async def look(self) -> list[Deaf]:
        """Look once, tell on-call what has changed, and return who is deaf."""
        why = await self._lease.why_none()
        found = {
            AlertClass.LEASE_LAPSED: {} if why is None else {_LAPSE: _lapse(why)},
            AlertClass.MESSAGE_HELD: {each.topic: _held(each) for each in await held(self._pool)},
        }
        deaf = await self._listen() if self._keys is not None and self._reads_keys() else None
        if deaf is not None and await self._may_judge(deaf):
            claims = {each.client_id: each for each in await store.claims(self._pool)}
            found[AlertClass.BREAKER_NOT_ACKNOWLEDGED] = {
                each.client_id: _unheard(each, claims.get(each.client_id)) for each in deaf
            }
        if found != self._told:
            async with UnitOfWork(self._pool) as unit:
                for alert_class, causes in found.items():
                    await keep_true(unit, alert_class.value, causes, at=utc_now())
            self._told = found
        return deaf or []

    async def _may_judge(self, deaf: Collection[Deaf]) -> bool:
        if deaf:
            return bool(await self._pool.fetchval(_READ))
        # Who has just begun would bear with everybody, and take back what others know.
        return monotonic() - self._began_at > self._settings.ack_seconds_max

    def _reads_keys(self) -> bool:
        """Read what readers pin; what was pinned before holds while the file cannot be used."""
        assert self._keys is not None, "asked only where there are some"
        try:
            self._pinned = self._keys.trusted()
        except KeyUnusable as error:
            self._telemetry.keys_unreadable(str(error))
        return bool(self._pinned)

    async def _listen(self) -> list[Deaf]:
        # Before the log is asked where it ends: nobody can have heard more by then.
        claims = await store.claims(self._pool)
        try:
            await self._settle(claims, await self._read_on())
        except LogUnreachable as silence:
            # Whoever works with the log leaves over it, within a bound of its own.
            _log.warning("breaker_topic_unreadable", reason=str(silence))
        claims = await store.claims(self._pool)
        return self._denials.unheard(
            self._settings.clients,
            {each.client_id: each.through_offset for each in claims},
            seconds=monotonic(),
            patience_seconds=self._settings.ack_seconds_max,
        )

    async def _settle(self, claims: Collection[Claim], end: int) -> None:
        """Hold what services claim against the end of the log, and count no more than that."""
        settled = {each: held_against(each, end) for each in claims}
        changed = [after for before, after in settled.items() if after != before]
        if not changed:
            return
        await store.settle(self._pool, changed)
        for each in changed:
            if each.flaw is not None:
                _log.warning("acknowledgement_not_counted", reason=each.flaw.value, offset=end)

    async def _read_on(self) -> int:
        """Read what was appended; return where the log ends, with what is not readable yet."""
        start = (await self._probe.start_offsets([BREAKER]))[BREAKER]
        end = (await self._probe.end_offsets([BREAKER]))[BREAKER]
        if end < self._next_offset:  # another log, or the topic was made anew
            self._denials, self._next_offset = Denials(), 0
        first = max(start, self._next_offset)
        if first < end:
            verified = 0
            async for record in self._probe.read(BREAKER, first, end):
                verified += self._see(record)
                if verified >= _VERIFIED_AT_ONCE:
                    verified = 0
                    await asyncio.sleep(0)
        self._next_offset = max(first, end)
        appended = await self._probe.appended_ends([BREAKER])
        return max(end, appended.get(BREAKER, end))

    def _see(self, record: Record) -> bool:
        """Take in `record` if it is news and ours; return whether its signature was looked at."""
        if record.key is None or record.key == LEASE_KEY:
            return False
        said = state_of(record, record.key.decode(errors="replace"))
        if said is not None and not self._denials.is_news(said):
            return False
        is_ours = said is not None and is_signed(record, self._pinned)
        if said is not None and is_ours:
            self._denials.see(said, record.offset, monotonic())
        else:
            # The publisher tells of it as well, and writes the right one over it.
            self.dropped += 1
            self._telemetry.metrics.unheard_breakers.inc()
        return True


def _lapse(why: str) -> Facts:
    return Facts(
        alert_class=AlertClass.LEASE_LAPSED.value,
        severity=Severity.CRITICAL,
        summary=f"No lease, so no payout from any account is permitted: {why}",
        component=Component.BREAKER.value,
        scope=_LAPSE,
        evidence="recon-streams breaker status",
    )


def _held(what: Held) -> Facts:
    many = "1 message is" if what.count == 1 else f"{what.count} messages are"
    return Facts(
        alert_class=AlertClass.MESSAGE_HELD.value,
        severity=Severity.ERROR,
        summary=f"{many} held that the log does not take for {what.topic}: {what.reason}",
        component=Component.ALERTS.value,
    )


async def watch_hearing_for_ever(hearing: Hearing) -> None:
    """Look again and again. Runs for ever."""
    while True:
        await hearing.look()
        await asyncio.sleep(EVERY_SECONDS)


def _unheard(deaf: Deaf, claim: Claim | None) -> Facts:
    scopes = sorted({each.scope for each in deaf.denials})
    more = f" and {len(scopes) - _NAMED_MAX} more" if len(scopes) > _NAMED_MAX else ""
    named = ", ".join(scopes[:_NAMED_MAX])
    flaw = ""
    if claim is not None and claim.flaw is not None:
        flaw = f"; what it said last does not count ({claim.flaw.value})"
    return Facts(
        alert_class=AlertClass.BREAKER_NOT_ACKNOWLEDGED.value,
        severity=Severity.CRITICAL,
        summary=f"{deaf.client_id} has not acknowledged that {named}{more} may not be paid from"
        f"{flaw}",
        component=Component.BREAKER.value,
        scope=scopes[0],
        evidence=f"recon-streams breaker history {scopes[0]}",
    )
