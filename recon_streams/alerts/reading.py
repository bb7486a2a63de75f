"""What people see of alerts: those that are there, one with its story, and how each sink stands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.alerts.alarm import AlarmState
from recon_streams.alerts.store import alarm_from
from topics.alerts import Severity

_RANK: Final = (
    "CASE severity WHEN 'critical' THEN 0 WHEN 'error' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END"
)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts somebody asks for; everything that is None or false does not narrow it.

    Attributes:
        over: Also those whose cause is gone.
        alert_class: Only of this class.
        severity: Only of this severity.
        scope: Only about this scope.
    """

    over: bool = False
    alert_class: str | None = None
    severity: Severity | None = None
    scope: str | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as people read it."""

    dedup_key: str
    alert_class: str
    severity: Severity
    state: AlarmState
    summary: str
    scope: str | None
    tier: str | None
    status: str | None
    epoch: int | None
    amounts: dict[str, str]
    first_seen: datetime
    last_seen: datetime
    count: int
    version: int
    inhibited_by: str | None
    component: str
    evidence: str | None


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an alert's story."""

    at: datetime
    what: str
    action: str | None
    state: str
    severity: str
    alert_class: str
    summary: str
    count: int
    inhibited_by: str | None
    actor: str | None
    reason: str | None


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one record of an alert at one sink."""

    sink: str
    version: int
    action: str
    outcome: str
    detail: str
    delivered_at: datetime


class SinkShown(msgspec.Struct, frozen=True, kw_only=True):
    """How a sink stands.

    Attributes:
        next_offset: Of the topic; everything before it was taken, parked or not for this sink.
    """

    sink: str
    next_offset: int
    failing_since: datetime | None
    failures: int
    trouble: str | None
    disabled_at: datetime | None
    sent: int
    parked: int


async def listed(pool: asyncpg.Pool, wanted: Wanted, *, rows_max: int) -> list[Shown]:
    """Return the alerts that are there, the most urgent first, then the newest."""
    rows = await pool.fetch(
        "SELECT dedup_key, body FROM alerts.alert WHERE body IS NOT NULL "  # noqa: S608 - ours
        "AND ($1 OR state <> 'RESOLVED') AND ($2::text IS NULL OR alert_class = $2) "
        "AND ($3::text IS NULL OR severity = $3) AND ($4::text IS NULL OR scope = $4) "
        f"ORDER BY state = 'RESOLVED', {_RANK}, first_seen DESC, dedup_key LIMIT $5",
        wanted.over,
        wanted.alert_class,
        None if wanted.severity is None else wanted.severity.value,
        wanted.scope,
        rows_max,
    )
    return [_shown(row["dedup_key"], row["body"]) for row in rows]


async def one(pool: asyncpg.Pool, key: str) -> Shown | None:
    """Return the alert of this cause; None if there never was one."""
    body = await pool.fetchval("SELECT body FROM alerts.alert WHERE dedup_key = $1", key)
    return None if body is None else _shown(key, body)


async def story(pool: asyncpg.Pool, key: str, *, rows_max: int) -> Sequence[Happened]:
    """Return what happened to an alert, the newest `rows_max` of it, oldest first."""
    rows = await pool.fetch(
        "SELECT at, what, action, state, severity, alert_class, summary, count, inhibited_by, "
        "actor, reason FROM alerts.event WHERE dedup_key = $1 ORDER BY event_id DESC LIMIT $2",
        key,
        rows_max,
    )
    return [Happened(**dict(row)) for row in reversed(rows)]


async def deliveries(pool: asyncpg.Pool, key: str, *, rows_max: int) -> Sequence[Delivered]:
    """Return what became of an alert's records at each sink, the newest first."""
    rows = await pool.fetch(
        "SELECT sink, version, action, outcome, detail, delivered_at FROM alerts.delivery "
        "WHERE dedup_key = $1 ORDER BY off DESC, sink LIMIT $2",
        key,
        rows_max,
    )
    return [Delivered(**dict(row)) for row in rows]


async def sinks(pool: asyncpg.Pool) -> Sequence[SinkShown]:
    """Return how each sink stands that ever was there."""
    rows = await pool.fetch(
        "SELECT sink, next_offset, failing_since, failures, trouble, disabled_at, "
        "(SELECT count(*) FROM alerts.delivery AS d WHERE d.sink = b.sink "
        "AND d.outcome = 'SENT') AS sent, "
        "(SELECT count(*) FROM alerts.delivery AS d WHERE d.sink = b.sink "
        "AND d.outcome = 'PARKED') AS parked FROM alerts.bridge AS b ORDER BY sink"
    )
    return [SinkShown(**dict(row)) for row in rows]


def _shown(key: str, body: str) -> Shown:
    alarm = alarm_from(body)
    facts = alarm.facts
    return Shown(
        dedup_key=key,
        alert_class=facts.alert_class,
        severity=facts.severity,
        state=alarm.state,
        summary=facts.summary,
        scope=facts.scope,
        tier=facts.tier,
        status=facts.status,
        epoch=facts.epoch,
        amounts=facts.amounts,
        first_seen=alarm.first_seen,
        last_seen=alarm.last_seen,
        count=alarm.count,
        version=alarm.version,
        inhibited_by=alarm.inhibited_by,
        component=facts.component,
        evidence=facts.evidence,
    )
