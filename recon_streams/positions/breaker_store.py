"""The record of every change of a breaker, with the evidence it rests on; append-only."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from recon_streams.book.bulk import Bulk
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.positions.messages import evidence_of
from recon_streams.positions.working_set import RecordedStep

_TRANSITION: Final = Bulk.insert(
    "positions.breaker_transition",
    {
        "number": "int",
        "epoch": "bigint",
        "seq": "bigint",
        "from_state": "text",
        "to_state": "text",
        "reason": "text",
        "evidence": "bytea",
        "evidence_hash": "text",
        "decided_at": "timestamptz",
    },
)


def write_transitions(unit: UnitOfWork, steps: Sequence[RecordedStep]) -> None:
    """Record each transition among `steps`; the key (account, epoch) lets no epoch stand twice."""
    rows = []
    for recorded in steps:
        transition = recorded.step.transition
        if transition is None:
            continue
        evidence = evidence_of(recorded)
        rows.append(
            (
                recorded.account.number,
                transition.epoch,
                transition.seq,
                transition.from_state.value if transition.from_state else None,
                transition.to_state.value,
                transition.reason,
                evidence,
                sha256(evidence).hexdigest(),
                transition.at,
            )
        )
    unit.write(_TRANSITION, rows)
