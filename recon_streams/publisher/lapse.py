"""Whether a lease is in force, and if not, why: read from the book by whoever watches over us.

The publisher writes down what came of each round. One that is dead writes nothing, and that is told
as well: by the database's clock, and by the watcher's own stop-watch in case that clock was set.
"""

from collections.abc import Mapping
from datetime import datetime
from time import monotonic
from typing import Final

import asyncpg

from recon_streams.publisher.lease import LeaseRefusal
from topics.breaker import LEASE_MS_MAX

# Above the longest pause between two rounds of a publisher that is well.
SILENT_SECONDS: Final = 10
_READ: Final = (
    "SELECT lease_until, refused, "
    "lease_until < clock_timestamp() - make_interval(secs => $1) AS has_lapsed, "
    "coalesce(asked_at < clock_timestamp() - make_interval(secs => $2), true) AS is_silent "
    "FROM book.publisher WHERE lease_until IS NOT NULL"
)
_NOBODY: Final = "no publisher answers"

WORDS: Final[Mapping[LeaseRefusal, str]] = {
    LeaseRefusal.NOTHING_EVALUATED: "a stream of inputs was never evaluated",
    LeaseRefusal.DENIALS_WAITING: "a change of a breaker is decided and not on the log yet",
    LeaseRefusal.OVERRIDE_OVERDUE: "a forced state should have ended, and nobody ended it",
    LeaseRefusal.EVALUATION_BEHIND: "the evaluation of inputs is behind, by the book's clock",
    LeaseRefusal.DUE_BEHIND: "accounts whose instant has come were not evaluated for it",
    LeaseRefusal.EVALUATION_STANDS: "the evaluation of inputs stands still",
    LeaseRefusal.OUTBOX_BEHIND: "messages wait in the outbox for too long",
    LeaseRefusal.RELEASE_UNPROVEN: "the log lets a scope go, and two people have not signed for it",
    LeaseRefusal.LOG_CONTRADICTS: "what does not count stands last on the log, again and again",
    LeaseRefusal.LOG_AHEAD: "the log knows changes of breakers that the book does not",
    LeaseRefusal.LOG_SILENT: "the log does not answer what is written to it",
    LeaseRefusal.LOG_REFUSES: "the log does not take what is written to it",
}


class LeaseWatch:
    """Watches the leases of one book."""

    def __init__(self, pool: asyncpg.Pool, *, patience_seconds: float) -> None:
        """Bear that there is none for `patience_seconds`: one may be about to come back."""
        self._pool = pool
        self._patience_seconds = patience_seconds
        self._until: datetime | None = None
        self._moved_at = monotonic()

    async def why_none(self) -> str | None:
        """Return why no lease is in force, in words.

        None if there is one, and before there ever was one: then nobody has been paying.
        """
        row = await self._pool.fetchrow(_READ, float(self._patience_seconds), float(SILENT_SECONDS))
        if row is None:
            return None
        if row["lease_until"] != self._until:
            self._until, self._moved_at = row["lease_until"], monotonic()
        stands_seconds = monotonic() - self._moved_at
        is_too_old = stands_seconds > LEASE_MS_MAX / 1000 + self._patience_seconds
        if not (row["has_lapsed"] or is_too_old):
            return None
        return _words(row["refused"], is_silent=row["is_silent"])


def _words(refused: str | None, *, is_silent: bool) -> str:
    if refused is None:
        return _NOBODY  # the last one has given a lease, and nothing was heard of it since
    words = f"{WORDS[LeaseRefusal(refused)]} ({refused})"
    return f"{_NOBODY}; the last one said that {words}" if is_silent else words
