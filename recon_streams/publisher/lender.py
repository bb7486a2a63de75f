"""Lends the permission: takes a lease from the book, and says so on the log, one after the other.

Lease k is taken only after lease k-1 is known to be on the log: a reader counts the time of k from
the last instant at which it knew that k-1 was not there. When nobody knows whether k-1 was written,
its successor must not follow on it, and a number is left out.
"""

from time import monotonic
from typing import Final

import asyncpg
import msgspec
import structlog

from recon_streams.log.errors import LogUnreachable, RecordRefused
from recon_streams.log.port import LogWriter
from recon_streams.log.record import OutgoingRecord
from recon_streams.publisher.announcing import BREAKER_TOPIC, Announcer, Permits
from recon_streams.publisher.lease import (
    LeaseAnswer,
    LeaseRefusal,
    LeaseTerms,
    Progress,
    ask_for_lease,
)
from topics.breaker import LEASE_KEY, LeaseRecord, StateHead

_log = structlog.get_logger()

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
# A lease that follows on one of long ago gives little or nothing: then two are written.
_FRESH_ROUNDS: Final = 1.5
_SILENCES_MAX: Final = 3


class Lender:
    """One publisher's leases, from its take-over on.

    Attributes:
        epoch: The publisher's.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        writer: LogWriter,
        terms: LeaseTerms,
        *,
        publisher: tuple[str, int],
        announcing: tuple[Announcer, Permits],
    ) -> None:
        """Lend as `publisher`, our id and epoch; records are made ready as `announcing` says."""
        self._pool = pool
        self._writer = writer
        self._terms = terms
        self._publisher_id, self.epoch = publisher
        self._announcer, self._permits = announcing
        self._progress = Progress()
        self._written_at: float | None = None
        self._written_seq = 0
        self._is_in_doubt = False
        self._silences = 0

    async def lend(self, head: StateHead) -> LeaseAnswer:
        """Give the next lease, or two where the one before is of no use; return what came of it.

        Raises:
            Superseded: Another publisher took over.
            LogUnreachable: The log was silent for several leases in a row.
        """
        is_fresh = (
            not self._is_in_doubt
            and self._written_at is not None
            and monotonic() - self._written_at < _FRESH_ROUNDS * self._terms.renew_seconds
        )
        answer = await self._lend_one(head)
        if answer.refused is None and not is_fresh:
            answer = await self._lend_one(head)
        return answer

    async def _lend_one(self, head: StateHead) -> LeaseAnswer:
        # Before the book is asked: what the copy holds then ends no later than what a reader has.
        copy_clock_ms = await self._permits.clock_ms()
        asked_at = monotonic()
        answer = await ask_for_lease(
            self._pool,
            self._terms,
            epoch=self.epoch,
            step=2 if self._is_in_doubt else 1,
            own=(self._progress.through_at, self._progress.left_ms(self._terms, asked_at)),
        )
        self._progress.see(answer.through_at, asked_at)
        if answer.refused is not None:
            return answer
        record = self._record(answer, head)
        self._is_in_doubt = True
        try:
            await self._writer.append(await self._announcer.prepare([record]))
        except LogUnreachable:
            self._silences += 1
            if self._silences >= _SILENCES_MAX:
                raise
            return _unwritten(answer, LeaseRefusal.LOG_SILENT)
        except RecordRefused as refusal:
            _log.error("lease_not_taken", reason=refusal.reason)
            return _unwritten(answer, LeaseRefusal.LOG_REFUSES)
        self._is_in_doubt, self._silences = False, 0
        self._written_at = monotonic()
        # Readers count nothing by a lease that follows on none.
        follows = answer.lease_seq == self._written_seq + 1
        self._written_seq = answer.lease_seq
        if not follows:
            answer = msgspec.structs.replace(answer, until=None)
        if copy_clock_ms is not None:
            self._permits.renew(answer.lease_seq, copy_clock_ms + answer.ttl_ms)
        return answer

    def _record(self, answer: LeaseAnswer, head: StateHead) -> OutgoingRecord:
        lease = LeaseRecord(
            publisher_id=self._publisher_id,
            publisher_epoch=self.epoch,
            lease_seq=answer.lease_seq,
            ttl_ms=answer.ttl_ms,
            state_head=head,
        )
        return OutgoingRecord(BREAKER_TOPIC, LEASE_KEY, _ENCODER.encode(lease))


def _unwritten(answer: LeaseAnswer, refused: LeaseRefusal) -> LeaseAnswer:
    return msgspec.structs.replace(answer, refused=refused, lease_seq=0, ttl_ms=0, until=None)
