"""What happens to a discrepancy, as values that are kept for ever and from which it is made again.

An action carries what was decided when it happened, its severity and due time included: a rule
that changes later does not rewrite what people saw.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final, TypeAlias

import msgspec

from recon_streams.discrepancies.finding import Source
from topics.alerts import Severity

# Who acts where no person does.
MACHINE: Final = "recon-streams"


@unique
class ReasonCode(StrEnum):
    """Why a discrepancy counts as resolved."""

    PROVEN_GONE = "PROVEN_GONE"  # by a check that looked again; nobody else may say so
    CORRECTED_AT_BANK = "CORRECTED_AT_BANK"  # the bank booked or sent what was missing
    CORRECTED_IN_LEDGER = "CORRECTED_IN_LEDGER"  # the ledger did
    TIMING = "TIMING"  # both sides are right; the other leg is on its way
    EXPLAINED = "EXPLAINED"  # fees, interest, a transfer of one's own: no error
    OTHER_DISCREPANCY = "OTHER_DISCREPANCY"  # the same cause is followed up elsewhere
    FALSE_ALARM = "FALSE_ALARM"  # the check was wrong
    ACCEPTED = "ACCEPTED"  # the difference is borne


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """One thing that happened.

    Attributes:
        at: When, in the world's time, not in that of the record.
        actor: Who did it; `MACHINE` for checks and the clock.
    """

    at: datetime
    actor: str


class Found(Action, frozen=True, tag="found"):
    """A check found the cause.

    Attributes:
        due_at: When it should be resolved, if a life of it began now with this severity.
    """

    source: Source
    evidence: str
    severity: Severity
    due_at: datetime
    amount: Decimal | None = None
    facts: dict[str, str] = {}
    on: date | None = None


class ProvenGone(Action, frozen=True, tag="proven_gone"):
    """A check looked for the cause and has the proof that it is gone."""

    source: Source
    evidence: str
    proof: dict[str, str]


class Assigned(Action, frozen=True, tag="assigned"):
    """Somebody works on it from now on."""

    owner: str


class Escalated(Action, frozen=True, tag="escalated"):
    """Others must know: it is overdue, or somebody asked for help."""

    reason: str


class Snoozed(Action, frozen=True, tag="snoozed"):
    """Nothing can be done before `until`; it leaves the queue and comes back by itself."""

    until: datetime
    reason: str


class Resolved(Action, frozen=True, tag="resolved"):
    """A person says that it is dealt with. A new occurrence says otherwise."""

    reason_code: ReasonCode
    reason: str


class Reopened(Action, frozen=True, tag="reopened"):
    """A person says that it was not dealt with.

    Attributes:
        due_at: When it should be resolved now; the register fills it in.
    """

    reason: str
    due_at: datetime | None = None


class Commented(Action, frozen=True, tag="commented"):
    """Something to know about it; nothing changes."""

    reason: str


ByPerson: TypeAlias = Assigned | Escalated | Snoozed | Resolved | Reopened | Commented
AnyAction: TypeAlias = Found | ProvenGone | ByPerson

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(AnyAction)


def action_text(action: AnyAction) -> str:
    """Return the JSON that `action_from_text` reads."""
    return _ENCODER.encode(action).decode()


def action_from_text(text: str | bytes) -> AnyAction:
    """Return the action that `action_text` wrote."""
    found: AnyAction = _DECODER.decode(text)
    return found


def kind_of(action: AnyAction) -> str:
    """Return the word for what happened, such as `found` or `assigned`."""
    return str(action.__struct_config__.tag)
