"""`recon.alerts`: one alert per cause, keyed by `dedup_key`, resolved when the cause is gone."""

from enum import StrEnum, unique
from typing import Literal

import msgspec

from topics.words import Instant

AlertAction = Literal["trigger", "acknowledge", "resolve"]


@unique
class Severity(StrEnum):
    """The four severities of PagerDuty's Common Event Format."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class AlertLinks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where to read on.

    Attributes:
        runbook: What to do: a page of the documentation and its section, relative to wherever the
            documentation is kept.
        evidence: How to see what it rests on: a command, or the input as `topic/partition/offset`.
        console: The page of the console about it, where there is one.
    """

    runbook: str
    evidence: str | None = None
    console: str | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What on-call must know. No names, no bank account numbers.

    Attributes:
        dedup_key: The cause. Every alert of one cause carries it, and so does its end.
        action: `trigger` when the cause is there, and again when it becomes worse or has been there
            for long; `acknowledge` when a person has it in hand; `resolve` when the cause is gone,
            or is told as a part of another one. Read an unknown action as `trigger`.
        severity: How urgent it is.
        alert_class: What kind of cause it is; each class has its runbook. It may change while the
            cause is there: a shortage that is gone leaves a breaker that is still open.
        summary: One sentence for a person. Of a `resolve` it says what ended, when, after how long
            and by what.
        source: What led to it: an input, as `topic/partition/offset`, the name of a run of a check,
            `time`, or `person`.
        at: The instant it is true for.
        scope: The breaker scope it is about, if it is about one.
        tier: How far ledger and bank are apart there.
        amounts: The figures behind it, by name, as decimal text.
        version: Rises with every record of the key, over all its lives: of two the higher counts,
            and a record that came twice has the same. 0 in records from before it was counted.
        status: Where what it is about stands now: the state of the breaker or of the discrepancy.
        epoch: The breaker's epoch, if the alert is about a scope.
        component: The part of the product that speaks.
        first_seen: When this life of the cause began.
        last_seen: When the cause was last found there.
        count: How often it was found in this life. What is found again and is no worse is counted
            and not told again at once.
        life: How often this cause has begun, this time included.
        ended_at: Of a `resolve`, when the cause was gone. None if it is there still, and told as a
            part of `instead` from now on.
        lasted_seconds: From `first_seen` until then.
        ended_by: What ended it: an input, as `topic/partition/offset`, the name of a run of a
            check, `time` if it went by itself, or `person`.
        instead: Of a `resolve`, the key of the alert that is told in its place; None if it is over.
        links: Where to read on.
        schema_version: The major version of the contract.
    """

    dedup_key: str
    action: AlertAction
    severity: Severity
    alert_class: str
    summary: str
    source: str
    at: Instant
    scope: str | None = None
    tier: str | None = None
    amounts: dict[str, str] = {}
    version: int = 0
    status: str | None = None
    epoch: int | None = None
    component: str | None = None
    first_seen: Instant | None = None
    last_seen: Instant | None = None
    count: int = 1
    life: int = 1
    ended_at: Instant | None = None
    lasted_seconds: int | None = None
    ended_by: str | None = None
    instead: str | None = None
    links: AlertLinks | None = None
    schema_version: int = 1
