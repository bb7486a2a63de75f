"""Where steps leave: what other systems read of them, and what on-call is told."""

from collections.abc import Mapping, Sequence

from recon_streams.alerts.telling import tell
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.positions.alerting import signals_of
from recon_streams.positions.messages import messages_of
from recon_streams.positions.state import AccountState
from recon_streams.positions.working_set import RecordedStep


def tell_of(
    unit: UnitOfWork, steps: Sequence[RecordedStep], before: Mapping[int, AccountState]
) -> None:
    """Tell others of `steps` when `unit` commits.

    Args:
        unit: The caller's.
        steps: In the order they were taken.
        before: The state of each account, by number, before the first of them; none if it is new.
    """
    unit.publish(messages_of(steps))
    tell(unit, signals_of(steps, before))
