"""Actions for the tests, short enough to be read as a story."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from recon_streams.discrepancies.action import (
    Assigned,
    Escalated,
    Found,
    ProvenGone,
    ReasonCode,
    Reopened,
    Resolved,
    Snoozed,
)
from recon_streams.discrepancies.finding import Source
from topics.alerts import Severity

# A Friday.
DAY = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def hour(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def found(at: datetime, severity: Severity = Severity.WARNING, amount: str | None = "100") -> Found:
    return Found(
        at=at,
        actor="recon-streams",
        source=Source.MATCHING,
        evidence=at.isoformat(),
        severity=severity,
        due_at=at + timedelta(hours=4 if severity is Severity.CRITICAL else 24),
        amount=None if amount is None else Decimal(amount),
        facts={"amount": str(amount)},
        on=date(2026, 11, 19),
    )


def proven(at: datetime) -> ProvenGone:
    return ProvenGone(
        at=at, actor="recon-streams", source=Source.MATCHING, evidence="e", proof={"match": "7"}
    )


def assigned(at: datetime, owner: str = "ben") -> Assigned:
    return Assigned(at=at, actor="ana", owner=owner)


def escalated(at: datetime) -> Escalated:
    return Escalated(at=at, actor="ana", reason="help")


def snoozed(at: datetime, until: datetime) -> Snoozed:
    return Snoozed(at=at, actor="ana", until=until, reason="the bank answers on Monday")


def resolved(at: datetime, code: ReasonCode = ReasonCode.TIMING) -> Resolved:
    return Resolved(at=at, actor="ana", reason_code=code, reason="the other leg is on its way")


def reopened(at: datetime) -> Reopened:
    return Reopened(at=at, actor="ana", reason="it is not", due_at=at + timedelta(hours=24))
