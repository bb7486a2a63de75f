"""What a capability brings to be fed by a stream: how to read a record, how to decide a batch."""

from collections.abc import Sequence
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Held, Outcome
from recon_streams.log.record import Record

T = TypeVar("T")

DECISION_RULE: Final = "the program decides every readable input; this is our error, and paged"


class Reading(msgspec.Struct, Generic[T], frozen=True):
    """A record as it was understood: its value, or why there is none."""

    record: Record
    value: T | None
    held: Held | None = None


class DecisionFailed(Exception):
    """The core asserted on one record. It is quarantined; its neighbours are decided again."""

    def __init__(self, index: int) -> None:
        super().__init__(f"the core could not decide record {index} of the batch")
        self.index = index


class Intake(Protocol[T]):
    """One kind of input. Stateless between batches, so that a batch can be decided again."""

    @property
    def name(self) -> str:
        """The stream's canonical topic; what metrics are labelled with."""
        ...

    def read(self, record: Record) -> T:
        """Return what `record` says. Pure; needs no book.

        Raises:
            Refused: It cannot be understood safely.
        """
        ...

    async def decide(self, unit: UnitOfWork, readings: Sequence[Reading[T]]) -> list[Outcome]:
        """Decide `readings` in order inside `unit` and return one outcome for each.

        Raises:
            DecisionFailed: The core asserted on one of them; nothing of `unit` may be kept.
        """
        ...
