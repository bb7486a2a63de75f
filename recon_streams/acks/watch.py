"""Who is deaf: a denial is on the log, and a payout service has not said that it heard. Pure.

Time is the watcher's own monotonic seconds since it saw the denial; no two clocks are compared.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum, unique

import msgspec
from msgspec.structs import replace

from topics.breaker import BreakerRecord, BreakerState


@unique
class ClaimFlaw(StrEnum):
    """Why what a service says of itself does not count."""

    BEYOND_THE_LOG = "BEYOND_THE_LOG"  # nobody can have read what was never written


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """How far a service says that it has followed the log, and how far that counts.

    Attributes:
        claimed_offset: Everything below has been applied, it says.
        through_offset: What counts of it: 0 is nothing.
        flaw: Why nothing of it counts, until the service speaks again.
    """

    client_id: str
    claimed_offset: int
    through_offset: int = 0
    flaw: ClaimFlaw | None = None


def held_against(claim: Claim, end: int) -> Claim:
    """Return `claim` as it counts where the log ends before `end`, asked after the claim was read.

    What was refused stays so: that the log grows past it makes nothing of it true.
    """
    if claim.flaw is not None or claim.claimed_offset > end:
        return replace(claim, through_offset=0, flaw=ClaimFlaw.BEYOND_THE_LOG)
    return replace(claim, through_offset=claim.claimed_offset)


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """A scope was stopped, by the record at `offset`, first seen at `seen_seconds`."""

    scope: str
    epoch: int
    offset: int
    seen_seconds: float


class Deaf(msgspec.Struct, frozen=True, kw_only=True):
    """A service that has not said that it heard, and since when it should have."""

    client_id: str
    denials: tuple[Denial, ...]


class Denials:
    """The denials on the log, each once however often it is written again."""

    def __init__(self) -> None:
        """Begin with none."""
        self._newest: dict[str, tuple[int, int]] = {}
        self._waiting: list[Denial] = []

    def is_news(self, record: BreakerRecord) -> bool:
        """Return whether `record` counts beside what was seen of its scope before."""
        return (record.epoch, record.seq) > self._newest.get(record.scope, (0, 0))

    def see(self, record: BreakerRecord, offset: int, seconds: float) -> None:
        """Note `record`, which stands at `offset`, was read at `seconds`, and is known to be ours.

        It asks nobody who wrote it: what is forged would hide all that follows.
        """
        if not self.is_news(record):
            return
        self._newest[record.scope] = record.epoch, record.seq
        # What was taken back need not be heard any more; nor what a scope begins with, from which
        # nobody ever paid, nor an exercise. Another denial begins no wait anew.
        if record.state is BreakerState.CLOSED:
            self._waiting = [each for each in self._waiting if each.scope != record.scope]
        is_first = record.epoch == 1 or record.scope.startswith("drill:")
        if record.state is not BreakerState.CLOSED and not is_first:
            self._waiting.append(
                Denial(scope=record.scope, epoch=record.epoch, offset=offset, seen_seconds=seconds)
            )

    def unheard(
        self,
        clients: Collection[str],
        through: Mapping[str, int],
        *,
        seconds: float,
        patience_seconds: float,
    ) -> list[Deaf]:
        """Return the services that have not heard a denial for longer than is borne.

        Args:
            clients: Every registered service.
            through: How far each has followed the log, as it said; nothing means not at all.
            seconds: Now.
            patience_seconds: How long a service may take.
        """
        behind = [through.get(client, 0) for client in clients]
        self._waiting = [w for w in self._waiting if any(w.offset >= each for each in behind)]
        found = []
        for client in sorted(clients):
            late = tuple(
                each
                for each in self._waiting
                if each.offset >= through.get(client, 0)
                and seconds - each.seen_seconds > patience_seconds
            )
            if late:
                found.append(Deaf(client_id=client, denials=late))
        return found
