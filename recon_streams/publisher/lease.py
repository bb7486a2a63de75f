"""The lease behind every yes: renewed only while inputs are really being evaluated.

What it promises a reader is counted from the lease before it. So each one is taken from the book
after the one before was on the log, in one statement that also sees whether a denial still waits to
be published: every denial that was decided before a lease was taken is on the log before it.
"""

from datetime import datetime
from enum import StrEnum, unique
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.streams import PROVEN_THROUGH
from topics.breaker import LEASE_MS_MAX

# Too short to be of use to anybody, once it has travelled.
_LEASE_MS_MIN: Final = 1_000

# One look into the index of those instants, whatever it costs to do what is due.
OLDEST_DUE: Final = "SELECT min(wake_at) FROM positions.account_state WHERE wake_at IS NOT NULL"
# One statement, one snapshot: nothing can be decided between the question and the answer. All of
# its time is the database's.
_TAKE: Final = f"""
WITH judged AS MATERIALIZED (
    SELECT
        ({PROVEN_THROUGH}) AS through_at,
        ({OLDEST_DUE}) AS due_at,
        EXISTS (SELECT FROM book.outbox WHERE published_at IS NULL
            AND topic LIKE 'recon.breaker%' AND topic = 'recon.breaker') AS denials_wait,
        EXISTS (SELECT FROM breaker.scope
            WHERE override_until < clock_timestamp() - interval '5 seconds') AS forced_too_long,
        (SELECT count(*) FROM book.outbox WHERE published_at IS NULL) AS depth,
        (SELECT min(created_at) FROM book.outbox
            WHERE published_at IS NULL AND book.outbox.refused IS NULL) AS oldest_at,
        clock_timestamp() AS now
), aged AS MATERIALIZED (
    SELECT *,
        ceil(1000 * greatest(0, extract(epoch FROM now - through_at)))::bigint AS inputs_ms,
        -- An account whose own instant has come and went by is not judged beyond that instant.
        ceil(1000 * greatest(0, extract(epoch FROM now - least(through_at, due_at))))::bigint
            AS age_ms,
        greatest(0, coalesce(extract(epoch FROM now - oldest_at), 0))::float8 AS oldest_seconds,
        CASE WHEN through_at > $2::timestamptz THEN $3::bigint ELSE $4::bigint END AS own_ms
    FROM judged
), decided AS MATERIALIZED (
    SELECT *, least($3 - age_ms, own_ms) AS ttl_ms, CASE
        WHEN through_at IS NULL THEN 'NOTHING_EVALUATED'
        WHEN denials_wait THEN 'DENIALS_WAITING'
        WHEN forced_too_long THEN 'OVERRIDE_OVERDUE'
        WHEN $3 - inputs_ms < $5::bigint THEN 'EVALUATION_BEHIND'
        WHEN $3 - age_ms < $5 THEN 'DUE_BEHIND'
        WHEN own_ms < $5 THEN 'EVALUATION_STANDS'
        WHEN oldest_seconds > $6::float8 THEN 'OUTBOX_BEHIND'
    END AS refused FROM aged
), taken AS (
    UPDATE book.publisher SET lease_seq = lease_seq + $7::bigint
    FROM decided WHERE publisher_epoch = $1 AND decided.refused IS NULL RETURNING lease_seq
)
SELECT through_at, depth, oldest_seconds, ttl_ms, refused,
    now + make_interval(secs => ttl_ms / 1000.0) AS until,
    (SELECT lease_seq FROM taken) AS lease_seq,
    (SELECT publisher_epoch FROM book.publisher) AS publisher_epoch
FROM decided
"""  # noqa: S608 - ours


class LeaseTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How long a lease lasts, and what must be true for a new one."""

    ttl_seconds: int = LEASE_MS_MAX // 1000
    renew_seconds: float = 3
    evaluation_age_seconds_max: int = 10
    outbox_age_seconds_max: int = 5

    @property
    def ttl_ms(self) -> int:
        """Return how long a lease counts at most, in milliseconds; never beyond the hard bound."""
        return min(self.ttl_seconds * 1000, LEASE_MS_MAX)

    @property
    def ttl_ms_min(self) -> int:
        """Return what must be left of it for a lease to be given at all."""
        return max(_LEASE_MS_MIN, self.ttl_ms - self.evaluation_age_seconds_max * 1000)


@unique
class LeaseRefusal(StrEnum):
    """Why no lease is given; silence then becomes *no* within the time to live."""

    NOTHING_EVALUATED = "NOTHING_EVALUATED"  # some stream was never decided to any instant
    DENIALS_WAITING = "DENIALS_WAITING"  # a change of a breaker is decided and not published
    OVERRIDE_OVERDUE = "OVERRIDE_OVERDUE"  # a forced state should have ended, and nobody ended it
    EVALUATION_BEHIND = "EVALUATION_BEHIND"  # by the database's clock
    DUE_BEHIND = "DUE_BEHIND"  # accounts whose instant has come were not evaluated for it
    EVALUATION_STANDS = "EVALUATION_STANDS"  # we have not seen it move, by our own stop-watch
    OUTBOX_BEHIND = "OUTBOX_BEHIND"  # some message has waited too long
    RELEASE_UNPROVEN = "RELEASE_UNPROVEN"  # the log lets go what two people have not signed for
    LOG_CONTRADICTS = "LOG_CONTRADICTS"  # a record that does not count stands last, again and again
    LOG_AHEAD = "LOG_AHEAD"  # the log knows a change that the book does not: an older book?
    LOG_SILENT = "LOG_SILENT"  # something was to be written, and whether it was is not known
    LOG_REFUSES = "LOG_REFUSES"  # the log takes no record of the breaker from us


class Superseded(Exception):
    """Another publisher has taken over; this one must leave."""


class LeaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the book said to the question for a lease.

    Attributes:
        refused: Why there is none.
        lease_seq: Its number; 0 if there is none.
        ttl_ms: How long it counts.
        until: Until when, by the database's clock; None if it does not count by itself, and unless
            it is known to be on the log.
        through_at: Every input that arrived before this was decided; None if none ever was.
        depth: Messages that wait in the outbox.
        oldest_seconds: How long the oldest of them has waited.
    """

    refused: LeaseRefusal | None
    lease_seq: int
    ttl_ms: int
    through_at: datetime | None
    depth: int
    oldest_seconds: float
    until: datetime | None = None


class Progress(msgspec.Struct, kw_only=True):
    """What this publisher itself has seen of the watermark, by its own stop-watch.

    The database's clock may be set back, and then nothing would look old for as long. A stop-watch
    is not set.

    Attributes:
        through_at: The watermark as it was last read; None before the first time.
        moved_at: The monotonic instant at which it was last read and had moved, in seconds; None
            before that.
    """

    through_at: datetime | None = None
    moved_at: float | None = None

    def left_ms(self, terms: LeaseTerms, now: float) -> int:
        """Return how long a lease may count at most at the monotonic instant `now`."""
        if self.moved_at is None:
            return 0
        return terms.ttl_ms - int(1000 * (now - self.moved_at)) - 1

    def see(self, through_at: datetime | None, asked_at: float) -> None:
        """Note what was answered to a question of the monotonic instant `asked_at`."""
        if through_at is None or through_at == self.through_at:
            return
        if self.through_at is not None and through_at > self.through_at:
            self.moved_at = asked_at
        self.through_at = through_at


async def take_over(pool: asyncpg.Pool, publisher_id: str) -> int:
    """Become the publisher; return the epoch every other one is now below."""
    epoch: int = await pool.fetchval(
        "UPDATE book.publisher SET publisher_id = $1, publisher_epoch = publisher_epoch + 1 "
        "RETURNING publisher_epoch",
        publisher_id,
    )
    return epoch


async def ask_for_lease(
    pool: asyncpg.Pool,
    terms: LeaseTerms,
    *,
    epoch: int,
    step: int,
    own: tuple[datetime | None, int],
) -> LeaseAnswer:
    """Take the next lease number from the book, if a lease may be given at all.

    Args:
        pool: The book.
        terms: What a lease requires.
        epoch: Ours.
        step: 1, or 2 to leave out a number: the next lease then follows on none.
        own: The watermark as we last read it, and the milliseconds left by our own stop-watch if
            it has not moved since.

    Raises:
        Superseded: The book knows a newer publisher.
    """
    through_at, own_ms = own
    row = await pool.fetchrow(
        _TAKE,
        epoch,
        through_at,
        terms.ttl_ms,
        own_ms,
        terms.ttl_ms_min,
        float(terms.outbox_age_seconds_max),
        step,
    )
    assert row is not None, "what is judged has one row"
    refused = None if row["refused"] is None else LeaseRefusal(row["refused"])
    # Who took over while the statement waited for the row is not in its snapshot.
    if row["publisher_epoch"] != epoch or (refused is None and row["lease_seq"] is None):
        raise Superseded
    return LeaseAnswer(
        refused=refused,
        lease_seq=row["lease_seq"] or 0,
        ttl_ms=row["ttl_ms"] or 0,
        through_at=row["through_at"],
        depth=row["depth"],
        oldest_seconds=row["oldest_seconds"],
        until=row["until"] if refused is None else None,
    )


async def note(
    pool: asyncpg.Pool, epoch: int, refused: LeaseRefusal | None, *, until: datetime | None = None
) -> None:
    """Write down what came of a round, for whoever watches over us; see `lapse`.

    Args:
        pool: The book.
        epoch: Ours; nothing is written if another publisher has taken over.
        refused: Why there is no lease; None if there is one.
        until: When that ends, once it is on the log.
    """
    await pool.execute(
        "UPDATE book.publisher SET asked_at = clock_timestamp(), refused = $2, "
        "lease_until = coalesce($3, lease_until) WHERE publisher_epoch = $1",
        epoch,
        None if refused is None else refused.value,
        until,
    )
