"""The publisher as a loop: one is active by advisory lock, the others stand by."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import asyncpg
import structlog

from recon_streams.book.connection import Session
from recon_streams.book.streams import decided_through
from recon_streams.kernel.clock import utc_now
from recon_streams.log.port import LogProbe, LogWriter
from recon_streams.log.record import Record
from recon_streams.publisher import lease, outbox
from recon_streams.publisher.lease import LeaseTerms
from recon_streams.publisher.sink import Relay
from recon_streams.publisher.tail import BreakerTail, repairs

PUBLISHER_LOCK: Final = 0x7265636F6E02
STANDBY_SECONDS: Final = 1.0
POLL_SECONDS: Final = 0.5
REPAIR_SECONDS: Final = 60.0
_REPAIR_ROUNDS_MAX: Final = 3

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class PublisherParts:
    """What a publisher is made of."""

    pool: asyncpg.Pool
    relay: Relay
    writer: LogWriter
    probe: LogProbe
    terms: LeaseTerms
    on_published: Callable[[list[outbox.Waiting], datetime], None]
    on_lease: Callable[[lease.LeaseRefusal | None, outbox.Backlog], None]
    on_unusable: Callable[[Record], None] = field(default=lambda _record: None)
    rows_max: int = 1000


async def run_publisher(parts: PublisherParts, publisher_id: str) -> None:
    """Stand by until the lock is ours, then publish and lease until cancelled.

    Raises:
        Superseded: Another publisher took over although we held the lock; leave.
        asyncpg.PostgresError, OSError: The book is gone; the caller retries within its bound.
    """
    async with parts.pool.acquire() as holder:
        # The lock lives as long as this session: a publisher that dies, or whose connection
        # does, frees it without anybody's help.
        while not await holder.fetchval("SELECT pg_try_advisory_lock($1)", PUBLISHER_LOCK):  # noqa: ASYNC110
            await asyncio.sleep(STANDBY_SECONDS)
        try:
            await _publish(parts, holder, publisher_id)
        finally:
            if not holder.is_closed():
                await holder.fetchval("SELECT pg_advisory_unlock($1)", PUBLISHER_LOCK)


async def _publish(parts: PublisherParts, holder: Session, publisher_id: str) -> None:
    epoch = await lease.take_over(parts.pool, publisher_id)
    _log.info("publisher_activated", publisher_id=publisher_id, publisher_epoch=epoch)
    decided = asyncio.Event()

    def hear(*_: object) -> None:
        decided.set()

    await holder.add_listener("recon_outbox", hear)
    tail = BreakerTail(parts.probe, parts.on_unusable)
    await _relay_all(parts)
    await tail.catch_up()
    await _repair(parts, tail)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_relay_for_ever(parts, holder, decided))
            tasks.create_task(_lease_for_ever(parts, tail, (publisher_id, epoch)))
    except ExceptionGroup as failures:
        # One of the two failed and the other was cancelled; the first failure is the cause.
        raise failures.exceptions[0] from failures
    finally:
        if not holder.is_closed():
            await holder.remove_listener("recon_outbox", hear)


async def _relay_for_ever(parts: PublisherParts, holder: Session, decided: asyncio.Event) -> None:
    while True:
        decided.clear()
        await _relay_all(parts)
        try:
            await asyncio.wait_for(decided.wait(), POLL_SECONDS)
        except TimeoutError:
            # A notification can be missed over a lost connection; then the lock is lost too.
            await holder.fetchval("SELECT 1")


async def _relay_all(parts: PublisherParts) -> None:
    while sent := await parts.relay.relay(parts.pool, rows_max=parts.rows_max):
        parts.on_published(sent, utc_now())


async def _lease_for_ever(
    parts: PublisherParts, tail: BreakerTail, publisher: tuple[str, int]
) -> None:
    rounds_to_repair = round(REPAIR_SECONDS / parts.terms.renew_seconds)
    rounds = 0
    while True:
        await tail.catch_up()
        rounds += 1
        if rounds % rounds_to_repair == 0:
            await _repair(parts, tail)
        backlog = await outbox.backlog(parts.pool)
        refused = lease.refusal(
            parts.terms,
            now=utc_now(),
            through_at=await decided_through(parts.pool),
            backlog=backlog,
        )
        if refused is None:
            record = await lease.next_lease(
                parts.pool, parts.terms, publisher=publisher, head=tail.head
            )
            await parts.writer.append([record])
        parts.on_lease(refused, backlog)
        await asyncio.sleep(parts.terms.renew_seconds)


async def _repair(parts: PublisherParts, tail: BreakerTail) -> None:
    # The relay goes on meanwhile: what was newest when it was read may land behind a newer one,
    # and then that is written once more. Only a scope that changes all the time needs a third.
    for _ in range(_REPAIR_ROUNDS_MAX):
        stale = await repairs(parts.pool, tail)
        if not stale:
            return
        _log.warning("breaker_records_repaired", count=len(stale))
        await parts.writer.append(stale)
        await tail.catch_up()
