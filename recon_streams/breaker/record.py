"""What is published of a transition: the record payout services read, and its event. Pure."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec

from recon_streams.breaker.order import Approval
from recon_streams.breaker.scope import Transition
from recon_streams.log.record import OutgoingRecord
from topics.breaker import BreakerEvent, BreakerRecord

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")

SYSTEM: Final = "recon-streams"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A transition with all that is recorded and told of it.

    Attributes:
        evidence: What it rests on, as JSON; its hash is in the record.
        parents: Scopes that must be CLOSED too.
        inputs_through: Offset of the newest input behind each side, by `topic/partition`.
        actor: Who did it; the program itself, where it was an evaluation.
        words: What a person said why.
        approval: Of the two people who let it go, or forced it.
        override_until: When a forced state ends.
    """

    scope: str
    transition: Transition
    evidence: bytes
    parents: tuple[str, ...]
    inputs_through: dict[str, int] = {}
    actor: str = SYSTEM
    words: str = ""
    approval: Approval | None = None
    override_until: datetime | None = None

    @property
    def evidence_hash(self) -> str:
        """Return the SHA-256 of the evidence, in hexadecimal."""
        return sha256(self.evidence).hexdigest()


def messages_of(decision: Decision) -> Iterator[OutgoingRecord]:
    """Yield the breaker's record and event of one transition."""
    transition, key = decision.transition, decision.scope.encode()
    record = BreakerRecord(
        scope=decision.scope,
        state=transition.to_state,
        epoch=transition.epoch,
        seq=transition.seq,
        reason_code=transition.reason,
        evidence_hash=decision.evidence_hash,
        decided_at=transition.at,
        inputs_through=decision.inputs_through,
        parent_scopes=decision.parents,
    )
    event = BreakerEvent(
        scope=record.scope,
        from_state=transition.from_state or transition.to_state,
        to_state=record.state,
        epoch=record.epoch,
        seq=record.seq,
        reason_code=record.reason_code,
        evidence_hash=record.evidence_hash,
        evidence=msgspec.Raw(decision.evidence),
        decided_at=record.decided_at,
    )
    yield OutgoingRecord("recon.breaker", key, record_bytes(record))
    yield OutgoingRecord("recon.breaker.events", key, _ENCODER.encode(event))


def record_bytes(record: BreakerRecord) -> bytes:
    """Return the one spelling of `record`; written again it has the same bytes."""
    return _ENCODER.encode(record)
