"""Alerts for anybody else, by HTTP, signed as the Standard Webhooks specification says.

The id is that of the alert record, so a receiver that has seen it needs nothing but to say yes.
Two secrets may live at a time: both sign, and a receiver verifies with the one it knows.
"""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from standardwebhooks.webhooks import Webhook as Signer

from recon_streams.bridges.http import Post
from recon_streams.bridges.sink import Answer, Delivery, Outcome, runbook_url
from recon_streams.kernel.clock import utc_now
from topics.alerts import Alert

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = range(24, 65)


def is_secret(text: str) -> bool:
    """Return whether `text` is a secret as the specification wants it: `whsec_` and base64."""
    try:
        key = b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError:
        return False
    return text.startswith(_PREFIX) and len(key) in _SECRET_BYTES


class Webhook:
    """See `Sink`."""

    name = "webhook"
    renew_seconds: float | None = None

    def __init__(self, post: Post, *, secrets: Sequence[str], base: str | None) -> None:
        """Send by `post`, signed with each of `secrets`; runbooks are at `base`."""
        self._post = post
        self._signers = [Signer(secret) for secret in secrets]
        self._base = base

    def wants(self, delivery: Delivery) -> bool:
        """Return whether it is to hear of this: of everything."""
        return bool(delivery.id)

    async def send(self, delivery: Delivery) -> Answer:
        """Send the alert as it is on the topic."""
        body = self._body(delivery.alert)
        now = utc_now()
        signatures = [
            signer.sign(msg_id=delivery.id, timestamp=now, data=body.decode())
            for signer in self._signers
        ]
        headers = {
            "webhook-id": delivery.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        return await self._post.send(body, headers)

    async def renew(self, firing: Sequence[Alert]) -> Answer:
        """Do nothing: receivers remember."""
        return Answer(outcome=Outcome.SENT, detail=f"{len(firing)} are remembered")

    async def close(self) -> None:
        """Close the connections."""
        await self._post.close()

    def _body(self, alert: Alert) -> bytes:
        said: dict[str, Any] = {
            "type": f"recon.alert.{alert.action}",
            "timestamp": alert.at,
            "data": alert,
        }
        url = runbook_url(alert, self._base)
        if url is not None:
            said["runbook_url"] = url
        return msgspec.json.encode(said, order="deterministic")
