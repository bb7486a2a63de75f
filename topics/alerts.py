"""`recon.alerts`: one alert per cause, keyed by `dedup_key`, resolved when the cause is gone."""

from enum import StrEnum, unique
from typing import Literal

import msgspec

from topics.words import Instant


@unique
class Severity(StrEnum):
    """The four severities of PagerDuty's Common Event Format."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What on-call must know. No names, no bank account numbers."""

    dedup_key: str
    action: Literal["trigger", "resolve"]
    severity: Severity
    alert_class: str
    summary: str
    source: str
    at: Instant
    scope: str | None = None
    tier: str | None = None
    amounts: dict[str, str] = {}
    schema_version: int = 1
