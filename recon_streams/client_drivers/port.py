"""What the guard asks of a log, and the clock they share. A driver reads; it judges nothing."""

import time
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from recon_streams.client.records import LogRecord

# CLOCK_MONOTONIC stands still while Linux is suspended, and a lease would outlive the night.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now_ms() -> int:
    """Return milliseconds by a clock that only runs forward and that nobody sets."""
    return time.clock_gettime_ns(_CLOCK) // 1_000_000


class Look(NamedTuple):
    """One look at the log.

    Attributes:
        asked_at_ms: When the question after the end was sent, by `now_ms`.
        end: The offset it would have given next; None if there is no telling who answered.
        records: Those found, in order.
        next_offset: Where to look next: nothing below it is left out.
    """

    asked_at_ms: int
    end: int | None
    records: Sequence[LogRecord]
    next_offset: int


class BreakerLog(Protocol):
    """One partition of breaker records, wherever it is kept.

    Attributes:
        UNREACHABLE: What its methods raise while it is away; everything else is a defect.
    """

    UNREACHABLE: tuple[type[Exception], ...]

    async def open(self) -> None:
        """Connect; also again after `close`."""

    async def look(self, first: int) -> Look:
        """Ask where the log ends, then return records from `first` on, if need be after a wait.

        What `end` says must have been true at some instant after `asked_at_ms`: of all that had
        been acknowledged to its writer by then, nothing may be missing below it.

        Raises:
            UNREACHABLE: The log is away, or does not go back as far as `first`. After `open` and
                with 0 for `first` it is read from where it begins.
        """

    async def acknowledge(self, client_id: str, value: bytes) -> None:
        """Append an acknowledgement; return when it is there. May run beside a look."""

    async def close(self) -> None:
        """Let everything go, also what is only half open."""
