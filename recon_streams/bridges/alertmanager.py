"""Alerts for Alertmanager (API v2): identity in labels, and an end that is put off while it fires.

Alertmanager forgets what is not said again, which is what makes it safe when we are dead: an alert
of ours runs out by itself. So what fires is said again before its `endsAt`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from recon_streams.bridges.http import Post
from recon_streams.bridges.sink import Answer, Delivery, Outcome, runbook_url, story_of
from recon_streams.kernel.clock import utc_now
from topics.alerts import Alert

PATH: Final = "/api/v2/alerts"
# One that was missed does no harm.
_RENEWALS: Final = 3
_AT_ONCE_MAX: Final = 200


class Alertmanager:
    """See `Sink`."""

    name = "alertmanager"

    def __init__(
        self, post: Post, *, renew_seconds: float, base: str | None, token: str | None = None
    ) -> None:
        """Send by `post`; runbooks are at `base`."""
        self._post = post
        self._base = base
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.renew_seconds: float | None = renew_seconds
        self._ends_after = timedelta(seconds=renew_seconds * _RENEWALS)

    def wants(self, delivery: Delivery) -> bool:
        """Return whether it is to hear of this; that somebody has it in hand it cannot know."""
        return delivery.alert.action != "acknowledge"

    async def send(self, delivery: Delivery) -> Answer:
        """Say that an alert fires or ends; what it was known by before ends with it."""
        alert, now = delivery.alert, utc_now()
        labels = labels_of(alert)
        is_over = alert.action == "resolve"
        # When it was over, as far as that is not ahead of the clock: it is to end now.
        ended_at = min(now, alert.ended_at or now)
        said = [self._said(alert, labels, ended_at if is_over else now + self._ends_after)]
        before = delivery.known.identity if delivery.known is not None else None
        if before is not None and dict(before) != labels:
            said.insert(0, self._said(alert, before, now))
        answer = await self._send(said)
        return msgspec.structs.replace(answer, identity=labels)

    async def renew(self, firing: Sequence[Alert]) -> Answer:
        """Put off the end of everything that fires."""
        ends_at = utc_now() + self._ends_after
        said = [self._said(alert, labels_of(alert), ends_at) for alert in firing]
        for first in range(0, len(said), _AT_ONCE_MAX):
            answer = await self._send(said[first : first + _AT_ONCE_MAX])
            if answer.outcome is not Outcome.SENT:
                return answer
        return Answer(outcome=Outcome.SENT)

    async def close(self) -> None:
        """Close the connections."""
        await self._post.close()

    async def _send(self, said: list[dict[str, Any]]) -> Answer:
        return await self._post.send(msgspec.json.encode(said), self._headers)

    def _said(self, alert: Alert, labels: Mapping[str, str], ends_at: datetime) -> dict[str, Any]:
        annotations = {"summary": alert.summary, **alert.amounts, **story_of(alert)}
        if alert.links is not None and alert.links.evidence is not None:
            annotations["evidence"] = alert.links.evidence
        url = runbook_url(alert, self._base)
        if url is not None:
            annotations["runbook_url"] = url
        starts_at = alert.first_seen or alert.at
        return {
            "labels": dict(labels),
            "annotations": annotations,
            "startsAt": min(starts_at, ends_at).isoformat(),
            "endsAt": ends_at.isoformat(),
        }


def labels_of(alert: Alert) -> dict[str, str]:
    """Return what Alertmanager knows and routes `alert` by."""
    labels = {
        "alertname": alert.alert_class,
        "dedup_key": alert.dedup_key,
        "severity": alert.severity.value,
        "service": "recon-streams",
    }
    if alert.component is not None:
        labels["component"] = alert.component
    if alert.scope is not None:
        labels["scope"] = alert.scope
    return labels
