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
    """What on-call must know. No names, no bank account numbers.

    Attributes:
        dedup_key: The cause. Every alert of one cause carries it, and so does its end.
        action: `trigger` when the cause is there, `resolve` when it is gone.
        severity: How urgent it is.
        alert_class: What kind of cause it is; each class has its runbook.
        summary: One sentence for a person.
        source: What led to it: an input, as `topic/partition/offset`, the name of a run of a check,
            `time`, or `person`.
        at: The instant it is true for.
        scope: The breaker scope it is about, if it is about one.
        tier: How far ledger and bank are apart there.
        amounts: The figures behind it, by name, as decimal text.
        schema_version: The major version of the contract.
    """

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
