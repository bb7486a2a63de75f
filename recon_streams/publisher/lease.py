"""The lease behind every yes: renewed only while inputs are really being evaluated."""

from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Final

import asyncpg
import msgspec

from recon_streams.log.record import OutgoingRecord
from recon_streams.publisher.outbox import Backlog
from topics.breaker import LEASE_KEY, LeaseRecord, StateHead

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class LeaseTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How long a lease lasts, and what must be true for a new one."""

    ttl_seconds: int = 15
    renew_seconds: int = 3
    evaluation_age_seconds_max: int = 10
    outbox_age_seconds_max: int = 5


@unique
class LeaseRefusal(StrEnum):
    """Why no lease is given; silence then becomes *no* within the time to live."""

    NOTHING_EVALUATED = "NOTHING_EVALUATED"
    EVALUATION_BEHIND = "EVALUATION_BEHIND"
    OUTBOX_BEHIND = "OUTBOX_BEHIND"


class Superseded(Exception):
    """Another publisher has taken over; this one must leave."""


def refusal(
    terms: LeaseTerms, *, now: datetime, through_at: datetime | None, backlog: Backlog
) -> LeaseRefusal | None:
    """Return why the lease may not be renewed at `now`, or None if it may.

    Args:
        terms: What a lease requires.
        now: The current instant.
        through_at: Every input that arrived before this was decided; None if none ever was.
        backlog: What waits in the outbox; a trip that has not left is a trip nobody heard.
    """
    if through_at is None:
        return LeaseRefusal.NOTHING_EVALUATED
    if now - through_at > timedelta(seconds=terms.evaluation_age_seconds_max):
        return LeaseRefusal.EVALUATION_BEHIND
    if backlog.oldest_age_seconds > terms.outbox_age_seconds_max:
        return LeaseRefusal.OUTBOX_BEHIND
    return None


async def take_over(pool: asyncpg.Pool, publisher_id: str) -> int:
    """Become the publisher; return the epoch every other one is now below."""
    epoch: int = await pool.fetchval(
        "UPDATE book.publisher SET publisher_id = $1, publisher_epoch = publisher_epoch + 1 "
        "RETURNING publisher_epoch",
        publisher_id,
    )
    return epoch


async def next_lease(
    pool: asyncpg.Pool, terms: LeaseTerms, *, publisher: tuple[str, int], head: StateHead
) -> OutgoingRecord:
    """Return the next lease record, its number taken in the book.

    Raises:
        Superseded: The book knows a newer publisher than `publisher`, our id and epoch.
    """
    publisher_id, epoch = publisher
    lease_seq = await pool.fetchval(
        "UPDATE book.publisher SET lease_seq = lease_seq + 1, "
        "lease_until = clock_timestamp() + make_interval(secs => $2) "
        "WHERE publisher_epoch = $1 RETURNING lease_seq",
        epoch,
        terms.ttl_seconds,
    )
    if lease_seq is None:
        raise Superseded
    record = LeaseRecord(
        publisher_id=publisher_id,
        publisher_epoch=epoch,
        lease_seq=lease_seq,
        ttl_ms=terms.ttl_seconds * 1000,
        state_head=head,
    )
    return OutgoingRecord("recon.breaker", LEASE_KEY, _ENCODER.encode(record))
