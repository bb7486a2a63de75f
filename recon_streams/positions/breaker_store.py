"""The record of every change of a breaker, with the evidence it rests on; append-only."""

from collections.abc import Sequence
from hashlib import sha256

from recon_streams.book.connection import Session
from recon_streams.positions.messages import evidence_of
from recon_streams.positions.working_set import RecordedStep


async def write_transitions(connection: Session, steps: Sequence[RecordedStep]) -> None:
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
    if rows:
        await connection.copy_records_to_table(
            "breaker_transition",
            schema_name="positions",
            columns=(
                "number",
                "epoch",
                "seq",
                "from_state",
                "to_state",
                "reason",
                "evidence",
                "evidence_hash",
                "decided_at",
            ),
            records=rows,
        )
