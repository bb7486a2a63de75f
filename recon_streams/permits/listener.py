"""What the copy of the permits tells whoever counts."""

from enum import StrEnum, unique


@unique
class CopyOutcome(StrEnum):
    """What came of something that was asked of Redis."""

    DONE = "DONE"
    SILENT = "SILENT"  # not within the bound, or refused; what is there expires by itself


class CopyListener:
    """Does nothing at any of it; whoever wants to know overrides."""

    def renewed(self, outcome: CopyOutcome, permits: int) -> None:
        """The permits were written under a new lease, or not all of them."""

    def denied(self, outcome: CopyOutcome) -> None:
        """Permits were to be taken back before a denial is announced."""

    def found_foreign(self, count: int) -> None:
        """Values stood there that nobody of us has written."""
