"""How a topic should be, and how far a real one is from it."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec


class TopicPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A topic as it is declared.

    Attributes:
        name: The topic.
        partitions: How many; fixed at birth, because raising it moves keys to other partitions.
        replication_factor: Copies of each partition. The Postgres log has one, whatever is planned.
        config: Kafka's names and spellings: `cleanup.policy` (`delete` or `compact`),
            `retention.ms`, `min.insync.replicas`, `message.timestamp.type`.
    """

    name: str
    partitions: int
    replication_factor: int = 1
    config: Mapping[str, str] = {}

    @property
    def is_compacted(self) -> bool:
        """Whether only the latest record of a key must stay."""
        return is_compacting(self.config.get("cleanup.policy", "delete"))


class TopicDifference(NamedTuple):
    """One respect in which a real topic is not as planned.

    Attributes:
        topic: Its name.
        aspect: `existence`, `partitions`, `replication_factor` or a name of `TopicPlan.config`.
        found: What there is; None where there is nothing.
        planned: What there should be.
        can_be_applied: Whether `LogAdmin.apply` puts it right. Partition and replica counts of
            living topics are left to a person.
    """

    topic: str
    aspect: str
    found: str | None
    planned: str
    can_be_applied: bool


def is_compacting(cleanup_policy: str) -> bool:
    """Return whether Kafka's `cleanup.policy` spelled so lets older records of a key vanish."""
    return "compact" in cleanup_policy.split(",")
