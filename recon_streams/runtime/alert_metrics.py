"""What is measured of alerts and of the places they go to."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from topics.alerts import Severity

SINKS = ("alertmanager", "pagerduty", "webhook", "mail")
OUTCOMES = ("SENT", "PARKED", "LATER", "DISABLED")


class AlertMetrics:
    """The metrics of alerts; every series is there from the start."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make them in `registry`."""
        self.firing = Gauge(
            "recon_alerts_firing",
            "Causes that are there and told, by severity",
            ["severity"],
            registry=registry,
        )
        self.inhibited = Gauge(
            "recon_alerts_inhibited",
            "Causes that are there while another alert is told instead",
            registry=registry,
        )
        self.deliveries = Counter(
            "recon_alert_deliveries",
            "Alerts by sink and by what became of them; LATER is tried again",
            ["sink", "outcome"],
            registry=registry,
        )
        self.failing = Gauge(
            "recon_alert_sink_failing_seconds",
            "For how long a sink has taken nothing; 0 if it does or if there is none",
            ["sink"],
            registry=registry,
        )
        self.set_firing({}, 0)
        self.set_failing({})
        for sink in SINKS:
            for outcome in OUTCOMES:
                self.deliveries.labels(sink, outcome)

    def set_firing(self, counts: Mapping[str, int], inhibited: int) -> None:
        """Set the gauges of causes; what is not counted is zero."""
        for severity in Severity:
            self.firing.labels(severity.value).set(counts.get(severity.value, 0))
        self.inhibited.set(inhibited)

    def set_failing(self, seconds: Mapping[str, float]) -> None:
        """Set for how long each sink has been failing."""
        for sink in SINKS:
            self.failing.labels(sink).set(seconds.get(sink, 0.0))
