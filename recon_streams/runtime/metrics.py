"""Every metric there is, in a registry of its own; labels are of closed sets, never accounts.

Names follow Prometheus: one prefix, base units, counters end in `_total`. All label sets exist from
the start at zero, because a series that appears with its first error cannot be alerted on.
"""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from recon_streams.discrepancies.finding import Kind
from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.permits.listener import CopyOutcome
from recon_streams.publisher.lease import LeaseRefusal
from recon_streams.runtime.alert_metrics import AlertMetrics
from recon_streams.sweeps.answer import UNREACHABLE
from recon_streams.sweeps.sweep import TableState
from topics.alerts import Severity
from topics.breaker import BreakerState
from topics.catalogue import inputs
from topics.positions import Tier

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_RECORDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Metrics:
    """One process's metrics."""

    def __init__(self) -> None:
        """Create every metric, with every label set at zero."""
        self.registry = registry = CollectorRegistry()
        self.inputs = Counter(
            "recon_inputs", "Inputs taken into the book", ["source"], registry=registry
        )
        self.disposed = Counter(
            "recon_inputs_disposed",
            "Inputs by what became of them",
            ["source", "disposition"],
            registry=registry,
        )
        self.quarantined = Counter(
            "recon_quarantined",
            "Reasons why inputs went to quarantine",
            ["source", "reason"],
            registry=registry,
        )
        self.transitions = Counter(
            "recon_breaker_transitions",
            "Published changes of breakers by the state they led to",
            ["to_state"],
            registry=registry,
        )
        self.lease_refusals = Counter(
            "recon_breaker_lease_refusals", "Leases not given", ["reason"], registry=registry
        )
        self.published = Counter(
            "recon_messages_published", "Messages that left the outbox", registry=registry
        )
        self.rebalances = Counter(
            "recon_rebalances", "Assignments and revocations of partitions", registry=registry
        )
        self._make_counters_of_trouble(registry)
        self._make_counters_of_sweeps(registry)
        self._make_gauges(registry)
        self._make_gauges_of_accounts(registry)
        self._make_histograms(registry)
        self.alerts = AlertMetrics(registry)
        self._start_at_zero()

    def exposition(self) -> bytes:
        """Return all metrics as Prometheus reads them."""
        return generate_latest(self.registry)

    def set_counts(self, gauge: Gauge, counts: Mapping[str, int], known: list[str]) -> None:
        """Set one gauge for every label of `known`, to zero where nothing was counted."""
        for label in known:
            gauge.labels(label).set(counts.get(label, 0))

    def set_discrepancies(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Set the gauge of open discrepancies by kind and severity; what is not counted is zero."""
        for kind in Kind:
            for severity in Severity:
                count = counts.get((kind.value, severity.value), 0)
                self.discrepancies.labels(kind.value, severity.value).set(count)

    def _make_counters_of_trouble(self, registry: CollectorRegistry) -> None:
        self.violations = Counter(
            "recon_invariant_violations",
            "Invariants found broken; page on any",
            ["invariant"],
            registry=registry,
        )
        self.unjudged = Counter(
            "recon_invariants_unjudged",
            "Invariants that took too long to check; nobody knows whether they hold",
            ["invariant"],
            registry=registry,
        )
        self._make_counters_of_the_breaker_topic(registry)

    def _make_counters_of_the_breaker_topic(self, registry: CollectorRegistry) -> None:
        self.unusable_breakers = Counter(
            "recon_breaker_records_unusable",
            "Records on recon.breaker no reader believes; somebody else writes there",
            registry=registry,
        )
        self.unheard_breakers = Counter(
            "recon_breaker_records_unheard",
            "Records on recon.breaker that who watches acknowledgements has left out, unsigned",
            registry=registry,
        )
        self.stale_breakers = Counter(
            "recon_breaker_stale_records",
            "Records on recon.breaker below one that was there already; a process woke up",
            registry=registry,
        )
        self.breakers_repaired = Counter(
            "recon_breaker_records_repaired",
            "Records written again because another stood last",
            registry=registry,
        )
        self.breakers_restated = Counter(
            "recon_breaker_records_restated",
            "Records written again because their turn had come",
            registry=registry,
        )
        self.leases = Counter("recon_breaker_leases", "Leases given", registry=registry)
        self._make_metrics_of_redis(registry)

    def _make_metrics_of_redis(self, registry: CollectorRegistry) -> None:
        self.redis_permits = Gauge(
            "recon_redis_permits", "Permits in Redis after the last round", registry=registry
        )
        self.redis_rounds = Counter(
            "recon_redis_rounds",
            "Renewals of the permits in Redis by what came of them",
            ["outcome"],
            registry=registry,
        )
        self.redis_denials = Counter(
            "recon_redis_denials",
            "Permits to be taken back before a denial is published, by what came of it",
            ["outcome"],
            registry=registry,
        )
        self.redis_foreign = Counter(
            "recon_redis_foreign_values",
            "Values under permit: that no publisher has written; page on any",
            registry=registry,
        )

    def _make_counters_of_sweeps(self, registry: CollectorRegistry) -> None:
        self.tables = Counter(
            "recon_sweep_table_comparisons",
            "Sweeps by what the rolling table said of the book's figures; page on DISAGREES",
            ["state"],
            registry=registry,
        )
        self.bank_answers = Counter(
            "recon_bank_answers",
            "Questions to banks by what came of them",
            ["outcome"],
            registry=registry,
        )

    def _make_gauges(self, registry: CollectorRegistry) -> None:
        partition = ["topic", "partition"]
        self.lag = Gauge(
            "recon_consumer_lag_messages", "Offsets not taken in yet", partition, registry=registry
        )
        self.standing = Gauge(
            "recon_consumer_commit_age_seconds",
            "How long the position has stood still while records wait",
            partition,
            registry=registry,
        )
        self.evaluation_age = Gauge(
            "recon_evaluation_age_seconds",
            "How long ago the book was decided through; the lease hangs on it",
            registry=registry,
        )
        self.lease_remaining = Gauge(
            "recon_breaker_lease_remaining_seconds",
            "Until CLOSED stops counting",
            registry=registry,
        )
        self.lease_gap = Gauge(
            "recon_breaker_lease_gap_seconds",
            "How long CLOSED has not counted; 0 while it does",
            registry=registry,
        )
        self.outbox_depth = Gauge(
            "recon_outbox_depth", "Messages decided and not published", registry=registry
        )
        self.outbox_age = Gauge(
            "recon_outbox_oldest_age_seconds", "Age of the oldest of them", registry=registry
        )
        self.loop_lag = Gauge(
            "recon_event_loop_lag_seconds", "How late the loop turned last", registry=registry
        )
        self.pool_in_use = Gauge(
            "recon_db_pool_in_use", "Connections to the book in use", registry=registry
        )
        build = Gauge("recon_build_info", "What runs here", ["version"], registry=registry)
        build.labels(version("recon-streams")).set(1)

    def _make_gauges_of_accounts(self, registry: CollectorRegistry) -> None:
        self.positions = Gauge("recon_positions", "Accounts by tier", ["tier"], registry=registry)
        self.scopes = Gauge(
            "recon_breaker_scopes", "Breakers by state", ["state"], registry=registry
        )
        self.waiting = Gauge(
            "recon_quarantine_depth", "Reasons that wait", ["reason"], registry=registry
        )
        self.discrepancies = Gauge(
            "recon_discrepancies_open",
            "Discrepancies that are not resolved",
            ["kind", "severity"],
            registry=registry,
        )
        self.shortages = Gauge(
            "recon_shortage_accounts", "Accounts whose ledger exceeds the bank", registry=registry
        )

    def _make_histograms(self, registry: CollectorRegistry) -> None:
        self.decision_seconds = Histogram(
            "recon_e2e_latency_seconds",
            "From the append of the last record of a batch to its commit",
            buckets=_SECONDS,
            registry=registry,
        )
        self.trip_seconds = Histogram(
            "recon_trip_latency_seconds",
            "From the append of the evidence to the breaker record on the log",
            buckets=_SECONDS,
            registry=registry,
        )
        self.batch_records = Histogram(
            "recon_batch_records",
            "Records per committed batch",
            buckets=_RECORDS,
            registry=registry,
        )

    def _start_at_zero(self) -> None:
        sources = [contract.name for contract in inputs()]
        for source in sources:
            self.inputs.labels(source)
            for disposition in Disposition:
                self.disposed.labels(source, disposition.value)
            for code in RefusalCode:
                self.quarantined.labels(source, code.value)
        self._start_breaker_at_zero()
        for table in TableState:
            self.tables.labels(table.value)
        for outcome in ("BALANCE", "REFUSED", *sorted(UNREACHABLE)):
            self.bank_answers.labels(outcome)
        self.set_counts(self.positions, {}, [tier.value for tier in Tier])
        self.set_counts(self.scopes, {}, [state.value for state in BreakerState])
        self.set_discrepancies({})
        self.set_counts(self.waiting, {}, [code.value for code in RefusalCode])

    def _start_breaker_at_zero(self) -> None:
        for state in BreakerState:
            self.transitions.labels(state.value)
        for refusal in LeaseRefusal:
            self.lease_refusals.labels(refusal.value)
        for outcome in CopyOutcome:
            self.redis_rounds.labels(outcome.value)
            self.redis_denials.labels(outcome.value)
