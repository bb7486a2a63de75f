"""The publisher as a loop: one is active by advisory lock, the others stand by."""

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import asyncpg
import structlog

from recon_streams.book.connection import Session
from recon_streams.log.errors import LogUnreachable
from recon_streams.log.port import LogProbe, LogWriter
from recon_streams.publisher import lease, newest, outbox
from recon_streams.publisher.announcing import Announcer, NoPermits, Permits
from recon_streams.publisher.lease import LeaseAnswer, LeaseRefusal, LeaseTerms
from recon_streams.publisher.lender import Lender
from recon_streams.publisher.listener import PublisherListener
from recon_streams.publisher.repairing import Repairer
from recon_streams.publisher.restating import restate_for_ever
from recon_streams.publisher.screening import Notary, Screen
from recon_streams.publisher.sink import Relay
from recon_streams.publisher.tail import BREAKER, BreakerTail
from recon_streams.publisher.writing import BreakerWriter
from recon_streams.signing.key_ring import KeyRing, PinnedKeys

PUBLISHER_LOCK: Final = 0x7265636F6E02
STANDBY_SECONDS: Final = 1.0
POLL_SECONDS: Final = 0.5
HEARTBEAT_SECONDS: Final = 1.0
# Above the longest pause of a process that is well.
SILENCE_SECONDS_MAX: Final = 5
# What is over in a moment is asked about again in a moment, and not a round later.
_BRIEF: Final = (
    LeaseRefusal.DENIALS_WAITING,
    LeaseRefusal.DUE_BEHIND,
    LeaseRefusal.EVALUATION_STANDS,
)
_BRIEF_SECONDS: Final = 0.25
# Who begins has not seen the evaluation move yet; that says nothing about the evaluation.
_BEGINNING_SECONDS: Final = 5

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class PublisherParts:
    """What a publisher is made of.

    Attributes:
        keys: Signs, and says what readers pin.
        notary: Knows what people have signed.
        permits: The copy of the permits elsewhere.
        full_state_seconds: Every record is written again within about this time.
        rows_max: Messages relayed at a time.
    """

    pool: asyncpg.Pool
    relay: Relay
    writer: LogWriter
    probe: LogProbe
    terms: LeaseTerms
    keys: KeyRing
    notary: Notary
    permits: Permits = field(default_factory=NoPermits)
    listener: PublisherListener = field(default_factory=PublisherListener)
    full_state_seconds: float = 60
    rows_max: int = 1000


async def run_publisher(parts: PublisherParts, publisher_id: str) -> None:
    """Stand by until the lock is ours, then publish and lease until cancelled.

    Raises:
        Superseded: Another publisher took over although we held the lock; leave.
        BreakerTopicSplit: The topic was given another partition; leave.
        asyncpg.PostgresError, OSError: The book is gone; the caller retries within its bound.
    """
    async with parts.pool.acquire() as holder:
        # The lock lives as long as this session: a publisher that dies, or whose connection
        # does, frees it without anybody's help. One that stands still is helped.
        while not await holder.fetchval("SELECT pg_try_advisory_lock($1)", PUBLISHER_LOCK):
            await asyncio.sleep(STANDBY_SECONDS)
            ended = await holder.fetchval(
                "SELECT book.end_silent_holders($1, $2)", PUBLISHER_LOCK, SILENCE_SECONDS_MAX
            )
            if ended:
                _log.warning("silent_publisher_ended", count=ended)
        try:
            await _publish(parts, holder, publisher_id)
        finally:
            if not holder.is_closed():
                await holder.fetchval("SELECT pg_advisory_unlock($1)", PUBLISHER_LOCK)


class BreakerTopicSplit(Exception):
    """`recon.breaker` has more than one partition: its readers follow the first of them only."""


async def _publish(parts: PublisherParts, holder: Session, publisher_id: str) -> None:
    if len(await parts.probe.partitions([BREAKER.topic])) != 1:
        raise BreakerTopicSplit(f"{BREAKER.topic} must have one partition")
    decided = asyncio.Event()

    def hear(*_: object) -> None:
        decided.set()

    await holder.add_listener("recon_outbox", hear)
    try:
        # From the first moment on: to catch up may take longer than a silence is suffered.
        await _together(_hold_for_ever(holder), _work(parts, publisher_id, decided))
    finally:
        if not holder.is_closed():
            await holder.remove_listener("recon_outbox", hear)


async def _work(parts: PublisherParts, publisher_id: str, decided: asyncio.Event) -> None:
    epoch = await lease.take_over(parts.pool, publisher_id)
    _log.info("publisher_activated", publisher_id=publisher_id, publisher_epoch=epoch)
    announcer = Announcer(parts.keys.signer, parts.permits)
    writer = BreakerWriter(
        relay=parts.relay,
        writer=parts.writer,
        readying=(Screen(parts.pool, parts.notary), announcer),
        listener=parts.listener,
    )
    pinned = PinnedKeys(parts.keys, parts.listener.keys_unreadable)
    tail = BreakerTail(parts.probe, pinned.now, parts.listener)
    repairer = Repairer(parts.pool, tail, writer)
    lender = Lender(
        parts.pool,
        parts.writer,
        parts.terms,
        publisher=(publisher_id, epoch),
        announcing=(announcer, parts.permits),
    )
    known = await newest.states(parts.pool)
    await parts.permits.load(known)
    try:
        await writer.relay_all(parts.pool, rows_max=parts.rows_max)
        await repairer.compare_all()
        await _together(
            _relay_for_ever(parts, writer, decided),
            _lease_for_ever(parts, repairer, lender, tail),
            parts.permits.run(),
            restate_for_ever(
                parts.pool, writer, every_seconds=parts.full_state_seconds, scopes=len(known)
            ),
        )
    except LogUnreachable:
        # Whoever watches over us in another process may hear of the log from us only.
        await lease.note(parts.pool, epoch, LeaseRefusal.LOG_SILENT)
        raise


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """Run all of `works`; the first failure ends the others and is the cause."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for work in works:
                tasks.create_task(work)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures


async def _hold_for_ever(holder: Session) -> None:
    """Show on the session of the lock that we live; fail when it is gone, and the lock with it."""
    while True:
        await holder.fetchval("SELECT 1")
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _relay_for_ever(
    parts: PublisherParts, writer: BreakerWriter, decided: asyncio.Event
) -> None:
    while True:
        decided.clear()
        await writer.relay_all(parts.pool, rows_max=parts.rows_max)
        # A notification can be missed over a lost connection; then the lock is lost too.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(decided.wait(), POLL_SECONDS)


async def _lease_for_ever(
    parts: PublisherParts, repairer: Repairer, lender: Lender, tail: BreakerTail
) -> None:
    first_at = monotonic()
    while True:
        began_at = monotonic()
        refused = await repairer.look()
        answer = await lender.lend(tail.head) if refused is None else await _refusal(parts, refused)
        parts.listener.lease_decided(answer)
        is_beginning = monotonic() - first_at < _BEGINNING_SECONDS
        if not (is_beginning and answer.refused is LeaseRefusal.EVALUATION_STANDS):
            await lease.note(parts.pool, lender.epoch, answer.refused, until=answer.until)
        pause = parts.terms.renew_seconds
        if answer.refused in _BRIEF:
            pause = _BRIEF_SECONDS
        await asyncio.sleep(max(_BRIEF_SECONDS, pause - (monotonic() - began_at)))


async def _refusal(parts: PublisherParts, refused: LeaseRefusal) -> LeaseAnswer:
    backlog = await outbox.backlog(parts.pool)
    return LeaseAnswer(
        refused=refused,
        lease_seq=0,
        ttl_ms=0,
        through_at=None,
        depth=backlog.depth,
        oldest_seconds=backlog.oldest_age_seconds,
    )
