"""When an account's day is due: when its bank's statement is overdue. Pure."""

from datetime import datetime

from recon_streams.kernel.calendars import Calendars
from recon_streams.registry.definition import AccountDefinition
from recon_streams.schedule.planner import AccountPlanner
from recon_streams.statements.expectation import next_overdue
from topics.ticks import DayTick

KIND = "day"


def day_planner(calendars: Calendars) -> AccountPlanner:
    """Return when days are due by `calendars`: once for each business day of the bank."""

    def next_due(definition: AccountDefinition, after: datetime) -> datetime:
        calendar = calendars.named(definition.calendar)
        return next_overdue(definition, calendar, after)[0]

    return AccountPlanner(kind=KIND, next_due=next_due, make=_tick)


def _tick(definition: AccountDefinition, due_at: datetime) -> DayTick:
    return DayTick(due_at=due_at, account_id=definition.account_id, currency=definition.currency)
