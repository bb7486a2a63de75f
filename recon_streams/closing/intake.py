"""Ticks of days: each asks once for its day to be looked at; a worker does that when it can.

A run of a large account may take longer than a batch of ticks may: the tick is decided at once, the
run is a unit of its own.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing import queue_store, store
from recon_streams.closing.planner import KIND
from recon_streams.closing.store import Registered
from recon_streams.kernel.calendars import Calendars
from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.schedule.handler import DueTick
from recon_streams.statements.expectation import next_overdue


class DayTicks:
    """Decides ticks of kind `day`."""

    def __init__(self, calendars: Calendars) -> None:
        """Tell days by `calendars`."""
        self._calendars = calendars

    @property
    def kind(self) -> str:
        """The tag of its ticks."""
        return KIND

    async def take(self, unit: UnitOfWork, ticks: Sequence[DueTick]) -> list[Outcome]:
        """Ask for the day of each tick to be run, unless that tick was taken before."""
        keys = [(_number(tick), tick.tick.due_at) for tick in ticks]
        new = await queue_store.note_ticks(unit.connection, keys)
        accounts = {
            each.number: each
            for each in await store.registered(unit.connection, {number for number, _ in new})
        }
        wanted = [
            (number, self._day_of(accounts[number], due_at)) for number, due_at in sorted(new)
        ]
        await queue_store.request(unit.connection, wanted, "its statement was due")
        # A statement may say that an entry, announced for the day before, is of its own day.
        before = [(number, self._before(accounts[number], on)) for number, on in wanted]
        await queue_store.request_again(unit.connection, before, "the day after it was due")
        outcomes = []
        for key in keys:
            outcomes.append(_APPLIED if key in new else _DUPLICATE)
            new.discard(key)  # twice in one batch is a repetition too
        return outcomes

    def _day_of(self, account: Registered, due_at: datetime) -> date:
        """Return the day whose statement is overdue at `due_at`, or was last before it."""
        definition = account.definition
        calendar = self._calendars.named(definition.calendar)
        due, on = next_overdue(definition, calendar, due_at - timedelta(microseconds=1))
        # A definition that changed since the tick was planned knows other instants.
        return on if due == due_at else calendar.add_business_days(on, -1)

    def _before(self, account: Registered, on: date) -> date:
        return self._calendars.named(account.definition.calendar).add_business_days(on, -1)


def _number(tick: DueTick) -> int:
    assert tick.account is not None, "the tick of a day is of an account"
    return tick.account.number


_APPLIED = Outcome(disposition=Disposition.APPLIED)
_DUPLICATE = Outcome(disposition=Disposition.DUPLICATE)
