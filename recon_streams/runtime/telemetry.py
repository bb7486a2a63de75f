"""What happened, once: the same call writes the log line and moves the metric.

Log lines carry keys from a list, so that a name or an account number cannot slip in; whatever is
not on the list is dropped and its absence is marked.
"""

import logging
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from recon_streams.kernel.disposition import Outcome
from recon_streams.log.record import Batch, OutgoingRecord, Record
from recon_streams.runtime.metrics import Metrics
from recon_streams.sweeps.answer import UNREACHABLE
from recon_streams.sweeps.sweep import TableState
from topics.breaker import LEASE_KEY, BreakerRecord

_log = structlog.get_logger()

ALLOWED: Final = frozenset(
    {
        "event", "level", "timestamp", "logger", "exception", "dropped_keys",
        "topic", "partition", "offset", "source", "records", "gaps", "count", "topics",
        "dispositions", "quarantined", "scope", "epoch", "seq", "to_state", "reason",
        "exit_code", "exit_name", "publisher_id", "publisher_epoch", "invariant", "address",
        "caused_by", "retry_num", "wait_for", "waited_so_far", "seconds", "lag",
    }
)  # fmt: skip

_DECODER: Final = msgspec.json.Decoder(BreakerRecord)


class Telemetry:
    """Tells the log and the metrics what happened in this process."""

    def __init__(self, metrics: Metrics) -> None:
        """Move `metrics`."""
        self.metrics = metrics
        self._refused: str | None = None

    def batch_committed(
        self, source: str, batch: Batch, outcomes: Sequence[Outcome], at: datetime
    ) -> None:
        """A batch is in the book."""
        metrics = self.metrics
        counts: dict[str, int] = {}
        for outcome in outcomes:
            counts[outcome.disposition.value] = counts.get(outcome.disposition.value, 0) + 1
            for held in outcome.held:
                metrics.quarantined.labels(source, held.code.value).inc()
        metrics.inputs.labels(source).inc(len(outcomes))
        for disposition, count in counts.items():
            metrics.disposed.labels(source, disposition).inc(count)
        metrics.batch_records.observe(len(outcomes))
        if batch.records:
            waited = (at - batch.records[-1].appended_at).total_seconds()
            metrics.decision_seconds.observe(max(0.0, waited))
        _log.info(
            "batch_committed",
            topic=batch.topic,
            partition=batch.partition,
            offset=batch.next_offset,
            records=len(outcomes),
            gaps=len(batch.gaps),
            dispositions=counts,
        )

    def messages_published(self, records: Sequence[OutgoingRecord], at: datetime) -> None:
        """Messages of the outbox are on the log."""
        self.metrics.published.inc(len(records))
        for record in records:
            if record.topic == "recon.breaker" and record.key != LEASE_KEY and record.value:
                self._breaker_published(_DECODER.decode(record.value), at)

    def lease_decided(self, refusal: str | None, ttl_seconds: float) -> None:
        """The lease was renewed, or was not and why."""
        known, self._refused = self._refused, refusal
        if refusal is None:
            self.metrics.lease_remaining.set(ttl_seconds)
            self.metrics.lease_gap.set(0)
            self.metrics.leases.inc()
            return
        self.metrics.lease_refusals.labels(refusal).inc()
        # It is asked for several times a second while it is refused.
        if refusal != known:
            _log.warning("lease_refused", reason=refusal)

    def breaker_record_unusable(self, record: Record) -> None:
        """Somebody wrote to `recon.breaker` what no reader can use."""
        self.metrics.unusable_breakers.inc()
        _log.critical(
            "breaker_record_unusable",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        )

    def breaker_record_stale(self, record: Record) -> None:
        """A record that does not count any more was written behind one that does."""
        self.metrics.stale_breakers.inc()
        _log.error(
            "breaker_record_stale",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        )

    def breaker_records_repaired(self, count: int) -> None:
        """What stood last on `recon.breaker` and did not count was written over."""
        self.metrics.breakers_repaired.inc(count)
        _log.warning("breaker_records_repaired", count=count)

    def keys_unreadable(self, reason: str) -> None:
        """The file of the keys that readers pin cannot be used now."""
        _log.error("public_keys_unreadable", reason=reason)

    def invariant_violated(self, invariant: str, count: int) -> None:
        """Something that must hold does not."""
        self.metrics.violations.labels(invariant).inc(count)
        _log.critical("invariant_violated", invariant=invariant, count=count)

    def invariant_unjudged(self, invariant: str) -> None:
        """Whether something holds that must could not be found out in time."""
        self.metrics.unjudged.labels(invariant).inc()
        _log.error("invariant_unjudged", invariant=invariant)

    def table_compared(self, state: TableState) -> None:
        """The rolling table was held beside the book."""
        self.metrics.tables.labels(state.value).inc()
        if state is TableState.DISAGREES:
            _log.critical("rolling_table_disagrees")

    def bank_answered(self, reason: str) -> None:
        """A bank named a balance, or there was none for this reason."""
        known = reason == "BALANCE" or reason in UNREACHABLE
        self.metrics.bank_answers.labels(reason if known else "REFUSED").inc()

    def invariants_known(self, invariants: Iterable[str]) -> None:
        """Show each of `invariants` at zero."""
        for invariant in invariants:
            self.metrics.violations.labels(invariant)
            self.metrics.unjudged.labels(invariant)

    def _breaker_published(self, record: BreakerRecord, at: datetime) -> None:
        self.metrics.transitions.labels(record.state.value).inc()
        waited = (at - record.decided_at).total_seconds()
        self.metrics.trip_seconds.observe(max(0.0, waited))
        _log.warning(
            "breaker_published",
            scope=record.scope,
            to_state=record.state.value,
            epoch=record.epoch,
            seq=record.seq,
            reason=record.reason_code,
            seconds=round(waited, 3),
        )


def configure_logging(level: str, log_format: str) -> None:
    """Write structured lines to stderr from now on: JSON, or for people on a terminal."""
    is_console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if is_console else structlog.processors.JSONRenderer()
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            allow_listed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries say a lot while a broker is away, some of it with whole messages in it.
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr, force=True)


def allow_listed(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Keep the keys of the list; say how many others were dropped."""
    kept: dict[str, Any] = {key: value for key, value in line.items() if key in ALLOWED}
    if len(kept) < len(line):
        kept["dropped_keys"] = len(line) - len(kept)
    return kept
