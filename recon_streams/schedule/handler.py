"""What a capability brings to decide its ticks."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Outcome
from recon_streams.log.record import Record
from recon_streams.positions.directory import Account
from topics.ticks import Tick


class DueTick(msgspec.Struct, frozen=True, kw_only=True):
    """A tick that can be decided.

    Attributes:
        index: Its place in the batch; `DecisionFailed` names it.
        tick: What was due.
        account: Whom it is about; None if it is about none.
        record: Where it stands in the log, and when it came there.
    """

    index: int
    tick: Tick
    account: Account | None
    record: Record


class TickHandler(Protocol):
    """Decides one kind of tick. A tick may come twice; the second time it is a DUPLICATE."""

    @property
    def kind(self) -> str:
        """The tag of its ticks."""
        ...

    async def take(self, unit: UnitOfWork, ticks: Sequence[DueTick]) -> list[Outcome]:
        """Decide `ticks` in order inside `unit` and return one outcome for each.

        Raises:
            DecisionFailed: The core asserted on one of them; nothing of `unit` may be kept.
        """
        ...
