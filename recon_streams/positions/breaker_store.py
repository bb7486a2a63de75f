"""The changes of accounts' breakers, on their way into the record of all scopes."""

from collections.abc import Sequence

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.positions.messages import decision_of
from recon_streams.positions.working_set import RecordedStep
from recon_streams.scopes import store


def write_transitions(unit: UnitOfWork, steps: Sequence[RecordedStep]) -> None:
    """Record each transition among `steps`; the key (scope, epoch) lets no epoch stand twice."""
    decided = (decision_of(recorded) for recorded in steps)
    store.write(unit, [decision for decision in decided if decision is not None])
