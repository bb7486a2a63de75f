"""What on-call is told of a sink in trouble; it goes out through the other ones. Pure."""

from datetime import datetime

from recon_streams.alerts.alarm import Facts, Gone, Raised, Signal
from recon_streams.alerts.classes import AlertClass, Component
from recon_streams.bridges.sink import Answer, Delivery
from topics.alerts import Severity


def down(sink: str, answer: Answer, *, at: datetime) -> Signal:
    """Return that `sink` takes nothing."""
    summary = f"The sink {sink} takes no alerts ({answer.detail}); they wait for it"
    # As loud as what would be missed: a sink that only takes the loudest must hear of it too.
    return _raised(AlertClass.SINK_DOWN, sink, summary, Severity.CRITICAL, at)


def up(sink: str, *, at: datetime) -> Signal:
    """Return that `sink` takes alerts again."""
    return Gone(key=_key(AlertClass.SINK_DOWN, sink), at=at)


def disabled(sink: str, answer: Answer, *, at: datetime) -> Signal:
    """Return that `sink` wants nothing any more."""
    summary = f"The sink {sink} wants no more alerts ({answer.detail}) and gets none"
    return _raised(AlertClass.SINK_DISABLED, sink, summary, Severity.ERROR, at)


def enabled(sink: str, *, at: datetime) -> Signal:
    """Return that a person lets `sink` have alerts again."""
    return Gone(key=_key(AlertClass.SINK_DISABLED, sink), at=at, source="person")


def parked(sink: str, delivery: Delivery, answer: Answer, *, at: datetime) -> Signal:
    """Return that `sink` refuses one alert for good."""
    alert = delivery.alert
    summary = (
        f"The sink {sink} refuses an alert for good ({answer.detail}): "
        f"{alert.alert_class} {alert.dedup_key}, version {alert.version}"
    )
    # A sink that refuses this too does not go round in a circle.
    is_again = alert.alert_class == AlertClass.DELIVERY_PARKED
    of = sink if is_again else f"{sink}:{alert.dedup_key}"
    return _raised(AlertClass.DELIVERY_PARKED, of, summary, Severity.ERROR, at)


def expired(sink: str, records: int, *, at: datetime) -> Signal:
    """Return that alerts expired on the topic before `sink` took them."""
    summary = f"{records} offsets of alerts expired before the sink {sink} took them"
    return _raised(AlertClass.DELIVERY_PARKED, sink, summary, Severity.ERROR, at)


def _raised(
    alert_class: AlertClass, sink: str, summary: str, severity: Severity, at: datetime
) -> Raised:
    facts = Facts(
        alert_class=alert_class.value,
        severity=severity,
        summary=summary,
        component=Component.ALERTS.value,
        evidence="recon-streams alerts sinks",
    )
    return Raised(key=_key(alert_class, sink), at=at, facts=facts)


def _key(alert_class: AlertClass, sink: str) -> str:
    return f"{alert_class.lower()}:{sink}"
