"""When discrepancies that nobody resolved in time are escalated: every few minutes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.register import escalate_overdue
from recon_streams.kernel.calendars import Calendars
from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.schedule.handler import DueTick
from recon_streams.schedule.planner import CommonPlanner, next_aligned
from topics.ticks import EscalationTick

KIND: Final = "escalation"
_EVERY: Final = timedelta(minutes=5)


def escalation_planner() -> CommonPlanner:
    """Return when overdue discrepancies are looked for."""

    def next_due(after: datetime) -> datetime:
        return next_aligned(after, every=_EVERY)

    return CommonPlanner(
        kind=KIND, next_due=next_due, make=lambda due_at: EscalationTick(due_at=due_at)
    )


class EscalationHandler:
    """The `TickHandler` of escalations. A tick that comes twice finds nothing the second time."""

    def __init__(self, calendars: Calendars) -> None:
        """Count ages by the default of `calendars`; each account's due time is its own."""
        self._calendar = calendars.named(None)

    @property
    def kind(self) -> str:
        """The tag of its ticks."""
        return KIND

    async def take(self, unit: UnitOfWork, ticks: Sequence[DueTick]) -> list[Outcome]:
        """Escalate what was overdue at the newest of `ticks`; older ones are part of that.

        A thousand at a time; what is more waits for the next tick.
        """
        newest = max(due.tick.due_at for due in ticks)
        await escalate_overdue(unit, newest, self._calendar)
        return [Outcome(disposition=Disposition.OBSERVATION) for _ in ticks]
