"""A fire drill: how long from the evidence until nobody can pay, measured where it is real.

A scope of its own is stopped through the log, as any other system would stop one, and everything
between is the product at work: the worker decides, the book remembers, the publisher signs and
writes, a guard reads and acknowledges. No payout hangs on the scope, so the drill may end it again.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import asyncpg
import msgspec

from agents.logs import Logs
from recon_streams.acks.intake import DRILL_CLIENT
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker_desk.trip import TripDesk
from recon_streams.client.guard import AsyncBreakerGuard
from recon_streams.kernel.clock import utc_now
from recon_streams.log.port import LogProbe
from recon_streams.log.record import OutgoingRecord, TopicPartition
from recon_streams.positions.registry_store import DirectoryCache
from topics import breaker_acks, commands
from topics.breaker import LEASE_KEY, BreakerRecord, BreakerState
from topics.breaker_acks import BreakerAck
from topics.commands import TripCommand

_ROUND_SECONDS_MAX: Final = 30.0
_ASK_SECONDS: Final = 0.001
_BREAKER: Final = TopicPartition("recon.breaker", 0)
_ACKS: Final = TopicPartition(breaker_acks.TOPIC, 0)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_RECORDS: Final = msgspec.json.Decoder(BreakerRecord)
_SAID: Final = msgspec.json.Decoder(BreakerAck)


class DrillFailed(Exception):
    """A step of the drill did not come in time; says which. Then a real stop would not either."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One stop, in milliseconds since the append of its evidence began.

    Attributes:
        appended_ms: The log has the evidence.
        readable_ms: OPEN can be read on `recon.breaker`.
        acknowledged_ms: A payout service has said that it heard.
        last_permit_ms: The last permit was granted; less than nothing if it was before.
    """

    appended_ms: int
    readable_ms: int
    acknowledged_ms: int
    last_permit_ms: int


@dataclass(frozen=True, kw_only=True)
class DrillParts:
    """What a drill needs.

    Attributes:
        guard: Not started; of the client `recon-drill`.
        scope: `drill:<id>`.
    """

    pool: asyncpg.Pool
    logs: Logs
    guard: AsyncBreakerGuard
    scope: str
    actor: str


class Drill:
    """Rounds of one drill; the guard follows from the first to the last."""

    def __init__(self, parts: DrillParts) -> None:
        """Exercise with `parts`."""
        self._parts = parts
        self._desk = TripDesk(DirectoryCache())
        self._granted_at = 0.0

    async def rounds(self, count: int) -> AsyncIterator[Round]:
        """Yield `count` rounds as they end; the scope is CLOSED afterwards.

        Raises:
            DrillFailed: Something did not come within 30 seconds.
        """
        async with self._parts.guard:
            asking = asyncio.create_task(self._ask())
            try:
                await self._stand_down()
                for _ in range(count):
                    await self._until(self._may_pay, "a permit for a scope that is CLOSED")
                    yield await self._round()
                    await self._stand_down()
            finally:
                asking.cancel()

    async def _round(self) -> Round:
        probe = self._parts.logs.probe
        ends = await probe.end_offsets([_BREAKER, _ACKS])
        command = TripCommand(
            command_id=f"drill-{secrets.token_hex(8)}",
            scope=self._parts.scope,
            reason="a drill",
            actor=self._parts.actor,
            asked_at=utc_now(),
        )
        record = OutgoingRecord(
            commands.TOPIC, self._parts.scope.encode(), _ENCODER.encode(command)
        )
        began_at = monotonic()
        readable = asyncio.create_task(_seen(probe, _BREAKER, ends[_BREAKER], self._is_open))
        acknowledged = asyncio.create_task(_seen(probe, _ACKS, ends[_ACKS], self._is_heard))
        try:
            await self._parts.logs.writer.append([record])
            appended_at = monotonic()
            readable_at = await self._in_time(readable, "OPEN on recon.breaker")
            await self._until(lambda: not self._may_pay(), "the guard's denial")
            heard_at = await self._in_time(acknowledged, "the guard's acknowledgement")
        finally:
            for task in (readable, acknowledged):
                task.cancel()
        return Round(
            appended_ms=_ms(appended_at - began_at),
            readable_ms=_ms(readable_at - began_at),
            acknowledged_ms=_ms(heard_at - began_at),
            last_permit_ms=_ms(self._granted_at - began_at),
        )

    async def _stand_down(self) -> None:
        """Close the scope, whatever an earlier drill has left behind."""
        async with UnitOfWork(self._parts.pool) as unit:
            known = await unit.connection.fetchval(
                "SELECT state FROM breaker.scope WHERE scope = $1", self._parts.scope
            )
            said: dict[str, Any] = {"actor": self._parts.actor, "at": utc_now()}
            if known is None:
                await self._desk.trip(unit, self._parts.scope, reason="a drill begins", **said)
            if known != BreakerState.CLOSED.value:
                await self._desk.stand_down(unit, self._parts.scope, reason="a drill ends", **said)

    async def _ask(self) -> None:
        while True:
            asked_at = monotonic()
            if self._may_pay():
                self._granted_at = asked_at
            await asyncio.sleep(_ASK_SECONDS)

    def _may_pay(self) -> bool:
        return self._parts.guard.permit(self._parts.scope).granted

    def _is_open(self, key: bytes | None, value: bytes) -> bool:
        if key == LEASE_KEY:
            return False
        said = _RECORDS.decode(value)
        return said.scope == self._parts.scope and said.state is BreakerState.OPEN

    def _is_heard(self, key: bytes | None, value: bytes) -> bool:
        if key != DRILL_CLIENT.encode():
            return False
        said = _SAID.decode(value)
        return said.scope == self._parts.scope and said.state is BreakerState.OPEN

    async def _until(self, is_so: Callable[[], bool], what: str) -> None:
        deadline = monotonic() + _ROUND_SECONDS_MAX
        while not is_so():
            if monotonic() > deadline:
                answer = self._parts.guard.permit(self._parts.scope)
                raise DrillFailed(f"{what} did not come; the guard says {answer.reason}")
            await asyncio.sleep(_ASK_SECONDS)

    async def _in_time(self, seen: "asyncio.Task[float]", what: str) -> float:
        try:
            async with asyncio.timeout(_ROUND_SECONDS_MAX):
                return await seen
        except TimeoutError as error:
            raise DrillFailed(f"{what} did not come") from error


async def _seen(
    probe: LogProbe,
    partition: TopicPartition,
    first: int,
    is_it: Callable[[bytes | None, bytes], bool],
) -> float:
    """Return the monotonic instant at which a reader of `partition` has what `is_it` knows."""
    while True:
        end = (await probe.end_offsets([partition]))[partition]
        if first < end:
            async for record in probe.read(partition, first, end):
                with contextlib.suppress(msgspec.DecodeError):
                    if record.value is not None and is_it(record.key, record.value):
                        return monotonic()
            first = end
        await asyncio.sleep(_ASK_SECONDS)


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
