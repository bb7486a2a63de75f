"""One sink's way along `recon.alerts`: in order, each record once, from where it was left.

What was sent is recorded before the next is sent. A process that dies between the two sends the
same record again under the same id, and nothing else. A sink that does not answer keeps its place,
and stops nobody but itself.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg
import msgspec
import structlog

from recon_streams.alerts.record import TOPIC
from recon_streams.alerts.telling import tell
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.bridges import delivery_store as store
from recon_streams.bridges import troubles
from recon_streams.bridges.schedule import wait_seconds
from recon_streams.bridges.sink import Answer, Delivery, Outcome, Sink, delivery_id
from recon_streams.kernel import faultpoint
from recon_streams.kernel.clock import utc_now
from recon_streams.log.port import LogProbe
from recon_streams.log.record import Record, TopicPartition
from topics.alerts import Alert

_log = structlog.get_logger()
_DECODER: Final = msgspec.json.Decoder(Alert)
_PARTITION: Final = TopicPartition(TOPIC, 0)
_RECORDS_MAX: Final = 200


@dataclass(frozen=True, kw_only=True)
class BridgeParts:
    """What every bridge works with.

    Attributes:
        owner: This process, as no other is called.
        down_after: A sink that has failed for so long is told of elsewhere.
        on_delivered: Told the sink and what became of each alert.
    """

    pool: asyncpg.Pool
    probe: LogProbe
    owner: str
    down_after: timedelta
    on_delivered: Callable[[str, Outcome], None] = lambda _sink, _outcome: None


class Bridge:
    """The way of one sink."""

    def __init__(self, parts: BridgeParts, sink: Sink) -> None:
        """Deliver to `sink`; nothing is read before `turn`."""
        self._parts = parts
        self._sink = sink

    async def turn(self) -> bool:
        """Deliver what waits, up to a bound; return whether more may be waiting.

        Raises:
            LogUnreachable: The topic cannot be read now; nothing is lost.
        """
        parts, sink = self._parts, self._sink
        if not await store.is_known(parts.pool, sink.name):
            await store.begin(parts.pool, sink.name, await self._first_offset())
        standing = await store.claim(parts.pool, sink.name, parts.owner)
        if standing is None or standing.is_disabled or standing.waits:
            return False
        if not await self._renew(standing):
            return False
        first = await self._after_loss(standing.next_offset)
        end = (await parts.probe.end_offsets([_PARTITION]))[_PARTITION]
        until = min(end, first + _RECORDS_MAX)
        if first >= until:
            return False
        async for record in parts.probe.read(_PARTITION, first, until):
            if not await self._deliver(record):
                return False
        # Behind what was not for this sink, and what the log no longer holds.
        return await store.passed(parts.pool, sink.name, parts.owner, until) and until < end

    async def close(self) -> None:
        """Let go of the sink's connections."""
        await self._sink.close()

    async def _deliver(self, record: Record) -> bool:
        """Deliver one record; return whether to go on."""
        parts, sink = self._parts, self._sink
        try:
            alert = _DECODER.decode(record.value or b"")
        except msgspec.DecodeError:
            # Somebody else writes there, or a later version of us does.
            _log.error("alert_unreadable", topic=TOPIC, offset=record.offset)
            return True
        identity = delivery_id(record)
        is_done, known = await store.known(parts.pool, sink.name, alert.dedup_key, identity)
        delivery = Delivery(id=identity, alert=alert, known=known)
        if is_done or not sink.wants(delivery):
            return True
        answer = await sink.send(delivery)
        parts.on_delivered(sink.name, answer.outcome)
        faultpoint.hit("after_alert_sent")
        if answer.outcome in {Outcome.LATER, Outcome.DISABLED}:
            await self._trouble(answer)
            return False
        async with UnitOfWork(parts.pool) as unit:
            if not await store.passed(unit.connection, sink.name, parts.owner, record.offset + 1):
                return False
            await store.record(unit.connection, sink.name, record.offset, delivery, answer)
            if answer.outcome is Outcome.PARKED:
                tell(unit, [troubles.parked(sink.name, delivery, answer, at=utc_now())])
            tell(unit, [troubles.up(sink.name, at=utc_now())])
        return True

    async def _renew(self, standing: store.Standing) -> bool:
        """Say what fires, if the sink must hear it again; return whether to go on."""
        parts, sink = self._parts, self._sink
        every, age = sink.renew_seconds, standing.renewal_age_seconds
        if every is None or (age is not None and age < every):
            return True
        answer = await sink.renew(await store.firing(parts.pool))
        if answer.outcome is not Outcome.SENT:
            later = msgspec.structs.replace(answer, outcome=Outcome.LATER)
            await self._trouble(later)
            return False
        async with UnitOfWork(parts.pool) as unit:
            await store.renewed(unit.connection, sink.name)
            if standing.failing_since is not None:
                await store.passed(unit.connection, sink.name, parts.owner, 0)
                tell(unit, [troubles.up(sink.name, at=utc_now())])
        return True

    async def _trouble(self, answer: Answer) -> None:
        parts, sink = self._parts, self._sink
        _log.warning("sink_failed", sink=sink.name, reason=answer.detail)
        async with UnitOfWork(parts.pool) as unit:
            if answer.outcome is Outcome.DISABLED:
                await store.disable(unit.connection, sink.name, detail=answer.detail)
                tell(unit, [troubles.disabled(sink.name, answer, at=utc_now())])
                return
            failures = await store.failures(unit.connection, sink.name)
            wait = answer.wait_seconds
            if wait is None:
                wait = wait_seconds(failures + 1, random.random())  # noqa: S311 - spreads retries
            lasting = await store.failed(
                unit.connection, sink.name, parts.owner, detail=answer.detail, wait_seconds=wait
            )
            if timedelta(seconds=lasting) >= parts.down_after:
                tell(unit, [troubles.down(sink.name, answer, at=utc_now())])

    async def _after_loss(self, offset: int) -> int:
        """Return where to go on: at `offset`, or where the topic begins if that has expired."""
        parts, sink = self._parts, self._sink
        start = (await parts.probe.start_offsets([_PARTITION]))[_PARTITION]
        if start <= offset:
            return offset
        async with UnitOfWork(parts.pool) as unit:
            await store.passed(unit.connection, sink.name, parts.owner, start)
            tell(unit, [troubles.expired(sink.name, start - offset, at=utc_now())])
        return start

    async def _first_offset(self) -> int:
        """Return where a new sink begins: at the first record of what still fires, or at the end.

        What is over needs no telling, and what has fired for a day must not wait for its repeat.
        """
        probe = self._parts.probe
        start = (await probe.start_offsets([_PARTITION]))[_PARTITION]
        end = (await probe.end_offsets([_PARTITION]))[_PARTITION]
        newest: dict[bytes, int] = {}
        async for record in probe.read(_PARTITION, start, end):
            try:
                alert = _DECODER.decode(record.value or b"")
            except msgspec.DecodeError:
                continue
            key = record.key or b""
            if alert.action == "resolve":
                newest.pop(key, None)
            else:
                newest[key] = record.offset
        return min(newest.values(), default=end)
