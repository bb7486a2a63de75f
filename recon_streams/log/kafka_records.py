"""From the client library's records to ours."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from recon_streams.log.record import Record, TopicPartition


def records_from(partition: TopicPartition, found: Iterable[Any]) -> tuple[Record, ...]:
    """Return `found`, the client library's records of one partition, as ours.

    The timestamp is the broker's append time because topics are declared with
    `message.timestamp.type=LogAppendTime`; a whole batch carries the same one.
    """
    topic, number = partition
    last_milliseconds = -1
    appended_at = datetime.fromtimestamp(0, UTC)
    records = []
    for each in found:
        if each.timestamp != last_milliseconds:
            last_milliseconds = each.timestamp
            appended_at = datetime.fromtimestamp(last_milliseconds / 1000, UTC)
        headers = tuple((name, value or b"") for name, value in each.headers)
        records.append(
            Record(topic, number, each.offset, each.key, each.value, headers, appended_at)
        )
    return tuple(records)
