"""What on-call is told of requests: that one waits for somebody, and when it does no more. Pure."""

from typing import Final

from recon_streams.alerts.alarm import Facts, Gone, Raised
from recon_streams.alerts.classes import AlertClass, Component
from recon_streams.approvals.machine import Request, RequestState
from recon_streams.approvals.subject import ApprovalKind
from topics.alerts import Severity

# Payouts that may go on are worth a look at any hour; the rest is office work.
_SEVERITY: Final = {
    ApprovalKind.BREAKER_RESET: Severity.WARNING,
    ApprovalKind.BREAKER_OVERRIDE: Severity.CRITICAL,
}


def asked_for(request: Request) -> Raised:
    """Return that a request waits for somebody else; names of people are not told."""
    number = request.request_id
    facts = Facts(
        alert_class=AlertClass.APPROVAL_WAITING.value,
        severity=_SEVERITY.get(request.kind, Severity.INFO),
        summary=f"request {number} waits for a second person since "
        f"{request.requested_at:%F %H:%M:%S}Z and until {request.expires_at:%H:%M:%S}Z: "
        f"{request.kind} {request.subject}",
        component=Component.BREAKER.value,
        source="person",
        scope=request.subject if request.kind in _SEVERITY else None,
        epoch=request.epoch,
        evidence=f"recon-streams approvals show {number}",
    )
    return Raised(key=_key(request), at=request.requested_at, facts=facts)


def ended(request: Request) -> Gone:
    """Return that a request waits no more, however it ended."""
    at = request.ended_at or request.requested_at
    source = "time" if request.state is RequestState.EXPIRED else "person"
    return Gone(key=_key(request), at=at, source=source)


def _key(request: Request) -> str:
    return f"approval_waiting:{request.request_id}"
