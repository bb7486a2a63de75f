"""What a publisher tells whoever counts and writes the log of the process."""

from recon_streams.log.record import Record
from recon_streams.publisher.lease import LeaseAnswer
from recon_streams.publisher.outbox import Waiting


class PublisherListener:
    """Does nothing at any of it; whoever wants to know overrides."""

    def published(self, sent: list[Waiting]) -> None:
        """Messages of the outbox are on the log."""

    def lease_decided(self, answer: LeaseAnswer) -> None:
        """A lease was given, or was not and why."""

    def unusable(self, record: Record) -> None:
        """A record of a scope that no reader can use, or that nobody we know has signed."""

    def stale(self, record: Record) -> None:
        """A record of a scope below one that was there already."""

    def repaired(self, count: int) -> None:
        """Records were written again because what stood last did not count."""

    def restated(self, count: int) -> None:
        """Records were written again because their turn had come."""

    def keys_unreadable(self, reason: str) -> None:
        """The file of pinned keys cannot be used; those of before stay in force."""
