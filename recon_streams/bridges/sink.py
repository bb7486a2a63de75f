"""What a bridge needs of a place to which alerts go, and what such a place may answer."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum, unique
from hashlib import sha256
from typing import Protocol

import msgspec

from recon_streams.alerts.classes import RUNBOOKS
from recon_streams.alerts.ending import duration_text
from recon_streams.log.record import Record
from topics.alerts import Alert


@unique
class Outcome(StrEnum):
    """What became of one alert at one sink."""

    SENT = "SENT"
    PARKED = "PARKED"  # the sink will never take it; on-call is told elsewhere
    LATER = "LATER"  # the sink does not answer as it should: the same again, after a while
    DISABLED = "DISABLED"  # the sink wants nothing any more, and says so


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a sink answered.

    Attributes:
        detail: Why, in a few words; no secret and nothing of what the sink wrote.
        wait_seconds: How long the sink asks to be left alone; None if it does not say.
        identity: What the sink now knows the alert by, if not by its key.
    """

    outcome: Outcome
    detail: str = ""
    wait_seconds: float | None = None
    identity: Mapping[str, str] | None = None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a sink was last told of a cause."""

    action: str
    identity: Mapping[str, str] | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One alert on its way to one sink.

    Attributes:
        id: The same however often it is sent, so that a receiver recognises it.
        known: What the sink was last told of the same cause; None if nothing.
    """

    id: str
    alert: Alert
    known: Known | None = None


class Sink(Protocol):
    """A place to which alerts go."""

    @property
    def name(self) -> str:
        """Which one it is, for metrics and for people."""
        ...

    @property
    def renew_seconds(self) -> float | None:
        """How often it must hear that what fires still fires; None if it remembers."""
        ...

    def wants(self, delivery: Delivery) -> bool:
        """Return whether it is to hear of this at all."""
        ...

    async def send(self, delivery: Delivery) -> Answer:
        """Send once, within a bound; whatever the world does is an answer."""
        ...

    async def renew(self, firing: Sequence[Alert]) -> Answer:
        """Say that all of `firing` still fires."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


def delivery_id(record: Record) -> str:
    """Return the id of an alert record: of its bytes, so that one that came twice has the same."""
    digest = sha256(b"\0".join((record.key or b"", record.value or b"")))
    return f"msg_{digest.hexdigest()[:32]}"


def runbook_url(alert: Alert, base: str | None) -> str | None:
    """Return where the runbook of `alert` can be read, if somebody said where runbooks are.

    `base` is the address above the folder docs, or of that folder itself.
    """
    if base is None or alert.links is None:
        return None
    above = base.rstrip("/").removesuffix(f"/{RUNBOOKS.partition('/')[0]}")
    return f"{above}/{alert.links.runbook}"


def story_of(alert: Alert) -> dict[str, str]:
    """Return since when and how often, and of an end when, after how long and by what, as text."""
    lasted = alert.lasted_seconds
    said = {
        "since": None if alert.first_seen is None else alert.first_seen.isoformat(),
        "seen": f"{alert.count}x",
        "time": f"{alert.life}." if alert.life > 1 else None,
        "ended": None if alert.ended_at is None else alert.ended_at.isoformat(),
        "lasted": None if lasted is None else duration_text(timedelta(seconds=lasted)),
        "ended_by": alert.ended_by,
        "told_as": alert.instead,
    }
    return {name: text for name, text in said.items() if text is not None}
