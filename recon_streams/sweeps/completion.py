"""A window whose last sweep was decided need not wait for its grace: its tick comes at once.

Only a shortcut. Two transactions that decide the last two sweeps do not see each other, and then
the window's own tick, which the schedule sends, closes it a little later.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.schedule.planner import ALL, next_aligned
from recon_streams.schedule.scheduler import tick_record
from recon_streams.sweeps.terms import KIND, SweepTerms
from topics.ticks import WindowTick

# Everything due was emitted, everything emitted was swept, nothing waits for a bank.
_COMPLETE: Final = """
SELECT NOT EXISTS (SELECT FROM sweeps.window_closed WHERE window_until = $1)
    AND NOT EXISTS (SELECT FROM sweeps.sweep WHERE state = 'WAITING' AND due_at <= $1)
    AND NOT EXISTS (SELECT FROM schedule.due WHERE kind = $2 AND due_at <= $1)
    AND (SELECT count(*) FROM sweeps.sweep WHERE due_at = $1 AND request_id = '')
        = (SELECT count(*) FROM schedule.due WHERE kind = $2 AND after = $1)
"""


async def tell_if_complete(unit: UnitOfWork, terms: SweepTerms, due: Iterable[datetime]) -> None:
    """Send the tick of each window that ends at one of `due`, if nothing of it is missing."""
    ends = {at for at in due if next_aligned(at, every=terms.window) - terms.window == at}
    if not ends:
        return
    await unit.flush()
    for end in sorted(ends):
        if await unit.connection.fetchval(_COMPLETE, end, KIND):
            unit.publish((tick_record(ALL, WindowTick(due_at=end)),))
