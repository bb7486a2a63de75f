"""What a topic promises: the one shape in which every contract is written down."""

from datetime import timedelta
from enum import StrEnum, unique
from typing import Final, Literal

import msgspec

JSON: Final = "application/json"

# Kafka's own default. The limit is per batch of a producer, not per record, so it cannot be the
# 64 KiB a JSON record may have: a producer with larger batches would be refused good records.
BATCH_BYTES: Final = 1_048_588
# More than the 50 MB the reader takes in, so that a message too large reaches quarantine with a
# reason instead of failing in the bank's gateway without one.
XML_BYTES: Final = 50 * 1024 * 1024


@unique
class Direction(StrEnum):
    """Seen from recon-streams."""

    INPUT = "input"
    OUTPUT = "output"


class TopicContract(msgspec.Struct, frozen=True, kw_only=True):
    """A topic as its writers and readers may rely on it.

    Attributes:
        name: The topic.
        aliases: Other topics read as if they were this one.
        summary: One sentence: what a record says.
        key: What the record key is; it orders, and on compacted topics it replaces.
        content_type: Media type of the value.
        headers: The headers that every record has, by name: what stands in each.
        record_types: The records it carries; empty where the value is not JSON.
        partitions: How many when nothing else is configured. Fixed at birth: raising it moves keys.
        cleanup_policy: `compact` keeps the newest record per key for ever, `delete` all for a time.
        retention: How long a record stays; None on compacted topics.
        compaction_lag_min: How long at least a record stays that a newer one has replaced.
        compaction_lag_max: How long at most, so that a reader starting anew has a bounded wait.
        timestamp_type: Arrival counts, and only the broker's clock says when that was.
        message_bytes_max: Largest batch of records the broker takes.
        producers: Who writes.
        consumers: Who reads.
        promise: What readers may rely on.
        when_wrong: What happens to, or what to do with, a record that is not as it should be.
    """

    name: str
    direction: Direction
    summary: str
    key: str
    promise: str
    when_wrong: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    record_types: tuple[type[msgspec.Struct], ...] = ()
    aliases: tuple[str, ...] = ()
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    partitions: int = 1
    cleanup_policy: Literal["delete", "compact"] = "delete"
    retention: timedelta | None = None
    compaction_lag_min: timedelta | None = None
    compaction_lag_max: timedelta | None = None
    timestamp_type: Literal["LogAppendTime"] = "LogAppendTime"
    message_bytes_max: int = BATCH_BYTES


INPUT_PARTITIONS: Final = 12
UNKNOWN_FIELDS: Final = "Ignore fields you do not know: they may be added at any time."
