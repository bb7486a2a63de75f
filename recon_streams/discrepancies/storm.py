"""When telling each discrepancy of a kind would hide the one that matters. Pure.

A bank that is late leaves a thousand accounts without a statement, and a file that never came a
thousand payments without a partner. On-call is told of that once; what is critical is always told.
"""

from typing import Final

import msgspec

from recon_streams.discrepancies.finding import Kind
from topics.alerts import Severity

# Of one kind; beyond, on-call reads the queue.
ALERTED_MAX: Final = 50


class Weather(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How many discrepancies of a kind on-call waits for the end of.

    Attributes:
        alerted: Open ones that are worth an alert, the unit's own changes among them; counted up
            to some bound.
        was_storm: Whether they were too many before.
    """

    kind: Kind
    alerted: int
    was_storm: bool = False

    @property
    def is_storm(self) -> bool:
        """Return whether they are too many to be told one by one."""
        return self.alerted > ALERTED_MAX

    @property
    def ends(self) -> bool:
        """Return whether those that are left are few enough again: then each of them is told."""
        return self.was_storm and not self.is_storm

    def tells(self, severity: Severity) -> bool:
        """Return whether an alert that begins, or becomes worse, is told by itself."""
        return severity is Severity.CRITICAL or not self.is_storm
