"""What can go wrong with a log, told apart by who has to act."""

from collections.abc import Collection, Sequence

from recon_streams.log.record import TopicPartition


class LogUnreachable(Exception):
    """The log's server did not answer within the bound. The world's fault; the caller may retry.

    Attributes:
        address: The bootstrap address or the database that was tried.
        tried_seconds: For how long it was tried.
    """

    def __init__(self, address: str, tried_seconds: float, detail: str = "") -> None:
        because = f": {detail}" if detail else ""
        super().__init__(f"no answer from {address} for {tried_seconds:.0f} s{because}")
        self.address = address
        self.tried_seconds = tried_seconds


class UnknownTopic(Exception):
    """A topic that is used was never declared. Topics are declared by tool, never by use."""

    def __init__(self, topic: str) -> None:
        super().__init__(
            f"topic {topic} does not exist; declare it with: recon-streams topics apply"
        )
        self.topic = topic


class TopicRefused(Exception):
    """The server does not make or change a topic as planned; its own words are in the message."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"topic {topic} was refused: {reason}")
        self.topic = topic
        self.reason = reason


class RecordRefused(Exception):
    """The server does not take a record, and would not take it the next time: nothing is in doubt.

    Attributes:
        topics: Where the records were to go that came with it.
        reason: The server's own words, or the client library's.
    """

    def __init__(self, topics: Collection[str], reason: str) -> None:
        self.topics = tuple(sorted(topics))
        self.reason = reason
        super().__init__(f"a record for {', '.join(self.topics)} was refused: {reason}")


class OffsetOutOfRange(Exception):
    """The wanted position is not in the log: below its start (expired) or beyond its end.

    Never healed by jumping. Below the start, `LogProbe.prove_gap` tells what became of the
    records between; beyond the end the log is not the one the position was taken from.

    Attributes:
        partition: Where.
        wanted: The offset that was asked for.
        start: The first offset the log still has.
        end: The offset the next record will get.
    """

    def __init__(self, partition: TopicPartition, wanted: int, *, start: int, end: int) -> None:
        super().__init__(
            f"{partition} has the offsets [{start}, {end}); the wanted one is {wanted}"
        )
        self.partition = partition
        self.wanted = wanted
        self.start = start
        self.end = end


class PartitionRevoked(Exception):
    """The partition is not, or no longer, assigned to this reader."""

    def __init__(self, partition: TopicPartition) -> None:
        super().__init__(f"{partition} is not assigned to this reader")
        self.partition = partition


class LostRecords(Exception):
    """Records exist that the reader did not deliver, or a hole has no innocent explanation.

    Ours or the client library's fault; the process has to leave before it passes them.

    Attributes:
        partition: Where.
        first: First offset of the hole.
        until: First offset after the hole.
        offsets: The offsets known to hold undelivered records; empty where nothing could be proven.
    """

    def __init__(
        self, partition: TopicPartition, first: int, until: int, *, offsets: Sequence[int]
    ) -> None:
        found = f"holds {len(offsets)} undelivered records" if offsets else "cannot be explained"
        super().__init__(f"the hole [{first}, {until}) of {partition} {found}")
        self.partition = partition
        self.first = first
        self.until = until
        self.offsets = tuple(offsets)
