"""One member of a Kafka consumer group: its manners, its partitions, the library's callbacks."""

import asyncio
import time
from collections.abc import Collection
from typing import Any, Protocol

import msgspec

from recon_streams.log import aiokafka_untyped as untyped
from recon_streams.log.record import TopicPartition


class GroupPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How one member of a consumer group behaves.

    Attributes:
        group: Name of the group.
        instance_id: Name of this very worker, for static membership: a restart within the session
            keeps its partitions where they are. None for workers that come and go.
        session_seconds: After this silence the brokers give our partitions to others.
        heartbeat_seconds: How often the brokers hear from us.
        rebalance_seconds: How long members may take to let go of their partitions.
        poll_seconds_max: A member that owns partitions and fetches none for this long is out.
        silence_seconds_max: No broker answered a partition's fetches for this long: give up.
        partition_bytes_max: How much of one partition is fetched ahead.
        hold_seconds: How long a broker may hold an answer for want of records. A client has one
            question open per broker and leaves those partitions out of it whose records it still
            holds; whatever arrives there waits until the answer comes.
    """

    group: str
    instance_id: str | None = None
    session_seconds: float = 10.0
    heartbeat_seconds: float = 3.0
    rebalance_seconds: float = 30.0
    poll_seconds_max: float = 120.0
    silence_seconds_max: float = 60.0
    partition_bytes_max: int = 1024 * 1024
    hold_seconds: float = 0.02


class HeldPartition:
    """One assigned partition: made at assignment, dropped at revocation, never reused."""

    def __init__(self, partition: TopicPartition, position: int) -> None:
        self.theirs = untyped.kafka_partition(*partition)
        self.position = position
        self.fetching: asyncio.Future[Any] | None = None
        self.heard_mark: int | None = None
        self.heard_at = time.monotonic()


class Member(Protocol):
    """Who is told about rebalances."""

    async def assigned(self, partitions: Collection[TopicPartition]) -> None: ...  # noqa: D102
    async def revoked(self, partitions: Collection[TopicPartition]) -> None: ...  # noqa: D102
    def failed(self, failure: BaseException) -> None: ...  # noqa: D102


class Rebalances(untyped.RebalanceListener):  # type: ignore[misc] # aiokafka's base has no types
    """Passes the client library's rebalance callbacks on, and keeps what they raise."""

    def __init__(self, member: Member) -> None:
        self._member = member

    async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        """The rebalance is over and gave us `assigned`."""
        try:
            await self._member.assigned([TopicPartition(*each) for each in assigned])
        except BaseException as failure:
            self._member.failed(failure)
            raise

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        """A rebalance begins, or we were put out of the group; `revoked` was ours."""
        try:
            await self._member.revoked([TopicPartition(*each) for each in revoked])
        except BaseException as failure:
            self._member.failed(failure)
            raise
