"""The rule of two people, as a table of refusals: who may end a request, when, and how. Pure.

REQUESTED ──another person agrees──▶ APPROVED (and done, in the same moment)
    ├───────another person refuses─▶ REFUSED
    ├───────15 minutes pass────────▶ EXPIRED
    └───────the facts change───────▶ VOIDED
"""

from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Final

import msgspec

from recon_streams.approvals.subject import ApprovalKind, Shown
from recon_streams.identity.person import Person, Role, folded
from recon_streams.identity.statement import Deed, Statement

EXPIRES_AFTER: Final = timedelta(minutes=15)
# A statement signed longer ago, or that much ahead of the book's clock, was kept for later.
STATEMENT_AGE_MAX: Final = timedelta(minutes=5)
REASON_LENGTH_MIN: Final = 20
_OF_A_SCOPE: Final = frozenset({ApprovalKind.BREAKER_RESET, ApprovalKind.BREAKER_OVERRIDE})


@unique
class RequestState(StrEnum):
    """Where a request stands."""

    REQUESTED = "REQUESTED"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"
    VOIDED = "VOIDED"


@unique
class Ruling(StrEnum):
    """What becomes of an attempt; everything but GRANTED changes nothing that was asked for."""

    GRANTED = "GRANTED"
    NO_ROLE = "NO_ROLE"
    SAME_PERSON = "SAME_PERSON"
    OTHER_STATEMENT = "OTHER_STATEMENT"
    STALE_STATEMENT = "STALE_STATEMENT"
    REASON_TOO_SHORT = "REASON_TOO_SHORT"
    ENDED = "ENDED"
    EXPIRED = "EXPIRED"
    FACTS_CHANGED = "FACTS_CHANGED"  # voids the request
    EPOCH_CHANGED = "EPOCH_CHANGED"  # voids the request


VOIDS: Final = frozenset({Ruling.FACTS_CHANGED, Ruling.EPOCH_CHANGED})

WORDS: Final = {
    Ruling.GRANTED: "granted",
    Ruling.NO_ROLE: "the role for this is missing",
    Ruling.SAME_PERSON: "whoever asked cannot decide, with whatever key",
    Ruling.OTHER_STATEMENT: "what was signed is about something else",
    Ruling.STALE_STATEMENT: "it was signed too long ago, or by a clock that is ahead",
    Ruling.REASON_TOO_SHORT: f"say why, in {REASON_LENGTH_MIN} characters or more",
    Ruling.ENDED: "the request has ended before",
    Ruling.EXPIRED: "the request has expired; ask again",
    Ruling.FACTS_CHANGED: "the facts are not what was shown when it was asked; ask again",
    Ruling.EPOCH_CHANGED: "the scope has changed since it was asked; ask again",
}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for and by whom, as it is kept.

    Attributes:
        facts: Canonical JSON, exactly as both are shown it, and `facts_sha256` its hash.
        state: APPROVED, REFUSED or VOIDED as recorded; whether a request that has not ended is
            EXPIRED is asked of `state_at`.
        checker: Who ended it, if a person did; `ended_words` say why, or what voided it.
    """

    request_id: int
    kind: ApprovalKind
    subject: str
    details: dict[str, str]
    facts: bytes
    facts_sha256: str
    epoch: int | None
    reason: str
    maker: str
    maker_kid: str
    nonce: str
    requested_at: datetime
    expires_at: datetime
    state: RequestState = RequestState.REQUESTED
    checker: str | None = None
    ended_words: str | None = None
    ended_at: datetime | None = None


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What is so at the moment of deciding: the facts as they are now, and the book's clock."""

    facts_sha256: str
    epoch: int | None
    now: datetime


def state_at(request: Request, now: datetime) -> RequestState:
    """Return where `request` stands at `now`."""
    if request.state is RequestState.REQUESTED and now >= request.expires_at:
        return RequestState.EXPIRED
    return request.state


def roles_for(kind: ApprovalKind, role: Role) -> frozenset[Role]:
    """Return what somebody must be to take the part `role` in a request of `kind`."""
    if kind is ApprovalKind.BREAKER_OVERRIDE:
        return frozenset({role, Role.BREAKGLASS})
    return frozenset({role})


def rule_request(
    person: Person, statement: Statement, shown: Shown, facts_sha256: str, *, now: datetime
) -> Ruling:
    """Return whether `person` may ask for what their statement says, of the facts as they are."""
    if statement.deed is not Deed.REQUEST or statement.request_id is not None:
        return Ruling.OTHER_STATEMENT
    kind = ApprovalKind(statement.kind)
    if not roles_for(kind, Role.MAKER) <= person.roles:
        return Ruling.NO_ROLE
    if abs(now - statement.at) > STATEMENT_AGE_MAX:
        return Ruling.STALE_STATEMENT
    length_min = REASON_LENGTH_MIN if kind in _OF_A_SCOPE else 1
    if len(statement.reason.strip()) < length_min:
        return Ruling.REASON_TOO_SHORT
    if statement.epoch != shown.epoch:
        return Ruling.EPOCH_CHANGED
    return Ruling.GRANTED if statement.facts_sha256 == facts_sha256 else Ruling.FACTS_CHANGED


def rule_decision(
    request: Request, person: Person, statement: Statement, situation: Situation
) -> Ruling:
    """Return whether `person` may end `request` as their statement says.

    To refuse, the facts need not be what they were: only to agree.
    """
    refusal = _rule_person(request, person, statement, situation.now)
    if refusal is not None:
        return refusal
    if statement.deed is Deed.APPROVE:
        if situation.epoch != request.epoch:
            return Ruling.EPOCH_CHANGED
        if situation.facts_sha256 != request.facts_sha256:
            return Ruling.FACTS_CHANGED
    return Ruling.GRANTED


def _rule_person(
    request: Request, person: Person, statement: Statement, now: datetime
) -> Ruling | None:
    if folded(person.subject) == folded(request.maker):
        return Ruling.SAME_PERSON
    if not roles_for(request.kind, Role.CHECKER) <= person.roles:
        return Ruling.NO_ROLE
    if not _is_about(statement, request):
        return Ruling.OTHER_STATEMENT
    state = state_at(request, now)
    if state is not RequestState.REQUESTED:
        return Ruling.EXPIRED if state is RequestState.EXPIRED else Ruling.ENDED
    if abs(now - statement.at) > STATEMENT_AGE_MAX:
        return Ruling.STALE_STATEMENT
    return None if statement.reason.strip() else Ruling.REASON_TOO_SHORT


def _is_about(statement: Statement, request: Request) -> bool:
    return (
        statement.deed in {Deed.APPROVE, Deed.REFUSE}
        and statement.request_id == request.request_id
        and statement.request_nonce == request.nonce
        and statement.kind == request.kind
        and statement.subject == request.subject
        and statement.details == request.details
        and statement.facts_sha256 == request.facts_sha256
        and statement.epoch == request.epoch
    )
