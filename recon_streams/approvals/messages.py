"""What on-call is told of requests: that one waits for somebody, and how it ended. Pure."""

from collections.abc import Iterator
from typing import Final

import msgspec

from recon_streams.approvals.machine import Request
from recon_streams.approvals.subject import ApprovalKind
from recon_streams.log.record import OutgoingRecord
from topics.alerts import Alert, Severity

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_SEVERITY: Final = {
    ApprovalKind.BREAKER_RESET: Severity.WARNING,
    ApprovalKind.BREAKER_OVERRIDE: Severity.CRITICAL,
}
_BREAKER: Final = frozenset(_SEVERITY)


def asked_for(request: Request) -> Iterator[OutgoingRecord]:
    """Yield the alert that a request waits for somebody else."""
    words = f"request {request.request_id}: {request.maker} asks for {_what(request)}"
    yield _record(_alert(request, words, "trigger"))


def ended(request: Request) -> Iterator[OutgoingRecord]:
    """Yield that a request waits no more."""
    by = f" by {request.checker}" if request.checker else ""
    words = f"request {request.request_id} for {_what(request)}: {request.state}{by}"
    yield _record(_alert(request, words, "resolve"))


def _alert(request: Request, words: str, action: str) -> Alert:
    return Alert(
        dedup_key=f"approval:{request.request_id}",
        action="resolve" if action == "resolve" else "trigger",
        severity=_SEVERITY.get(request.kind, Severity.INFO),
        alert_class="APPROVAL_WAITING",
        summary=words,
        source="person",
        at=request.ended_at or request.requested_at,
        scope=request.subject if request.kind in _BREAKER else None,
    )


def _record(alert: Alert) -> OutgoingRecord:
    return OutgoingRecord("recon.alerts", alert.dedup_key.encode(), _ENCODER.encode(alert))


def _what(request: Request) -> str:
    return f"{request.kind} of {request.subject}"
