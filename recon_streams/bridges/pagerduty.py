"""Alerts for PagerDuty (Events API v2): one incident for each cause, by its key."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from recon_streams.bridges.http import Post
from recon_streams.bridges.sink import Answer, Delivery, Outcome, runbook_url, story_of
from topics.alerts import Alert

URL: Final = "https://events.pagerduty.com/v2/enqueue"
_KEY_CHARACTERS_MAX: Final = 255
_SUMMARY_CHARACTERS_MAX: Final = 1024


class PagerDuty:
    """See `Sink`."""

    name = "pagerduty"
    renew_seconds: float | None = None

    def __init__(self, post: Post, *, routing_key: str, base: str | None) -> None:
        """Send by `post` to the service of `routing_key`; runbooks are at `base`."""
        self._post = post
        self._routing_key = routing_key
        self._base = base

    def wants(self, delivery: Delivery) -> bool:
        """Return whether it is to hear of this: of everything."""
        return bool(delivery.id)

    async def send(self, delivery: Delivery) -> Answer:
        """Trigger, acknowledge or resolve the incident of the cause."""
        alert = delivery.alert
        event: dict[str, Any] = {
            "routing_key": self._routing_key,
            "event_action": alert.action,
            "dedup_key": incident_key(alert.dedup_key),
        }
        if alert.action != "acknowledge":
            # With an end it becomes an entry of the incident's log: what ended it, and when.
            event["payload"] = _payload(alert)
        if alert.action == "trigger":
            event["client"] = "recon-streams"
            url = runbook_url(alert, self._base)
            if url is not None:
                event["links"] = [{"href": url, "text": f"Runbook: {alert.alert_class}"}]
        return await self._post.send(msgspec.json.encode(event))

    async def renew(self, firing: Sequence[Alert]) -> Answer:
        """Do nothing: PagerDuty remembers."""
        return Answer(outcome=Outcome.SENT, detail=f"{len(firing)} are remembered")

    async def close(self) -> None:
        """Close the connections."""
        await self._post.close()


def incident_key(dedup_key: str) -> str:
    """Return the key of the incident: that of the cause, or its hash where it is too long."""
    if len(dedup_key) <= _KEY_CHARACTERS_MAX:
        return dedup_key
    return f"sha256:{sha256(dedup_key.encode()).hexdigest()}"


def _payload(alert: Alert) -> dict[str, Any]:
    details: dict[str, Any] = {
        "dedup_key": alert.dedup_key,
        **story_of(alert),
        **{f"amount_{name}": text for name, text in alert.amounts.items()},
    }
    for name in ("scope", "tier", "status", "epoch"):
        if (value := getattr(alert, name)) is not None:
            details[name] = value
    if alert.links is not None and alert.links.evidence is not None:
        details["evidence"] = alert.links.evidence
    return {
        "summary": alert.summary[:_SUMMARY_CHARACTERS_MAX],
        "source": alert.source,
        "severity": alert.severity.value,
        "timestamp": (alert.ended_at or alert.at).isoformat(),
        "component": alert.component or "recon-streams",
        "group": alert.scope or "recon-streams",
        "class": alert.alert_class,
        "custom_details": details,
    }
