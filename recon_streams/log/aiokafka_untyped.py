"""The one door to aiokafka: its classes without annotations that are only half there.

Also the list of what an upgrade of aiokafka may break, beside the public consumer and producer.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition
from typing_extensions import override

Make = Callable[..., Any]

consumer: Final[Make] = AIOKafkaConsumer
producer: Final[Make] = AIOKafkaProducer
client: Final[Make] = AIOKafkaClient
admin_client: Final[Make] = AIOKafkaAdminClient
new_topic: Final[Make] = NewTopic
new_partitions: Final[Make] = NewPartitions
records_to_delete: Final[Make] = RecordsToDelete
fetch_request: Final[Make] = FetchRequest
offset_request: Final[Make] = OffsetRequest
metadata_request: Final[Make] = MetadataRequest
kafka_partition: Final[Make] = TopicPartition
memory_records: Final[Make] = MemoryRecords
# By range, partition 3 of every topic goes to one member. One assignor and no second: aiokafka
# 0.14 sends a JoinGroup for each, and two members that both join twice undo each other's joins
# for ever: the group prepares a rebalance and nobody gets a partition.
ASSIGNORS: Final[Any] = (RangePartitionAssignor,)
RebalanceListener: Final[Any] = ConsumerRebalanceListener


def topic_resource(topic: str, configs: dict[str, str] | None = None) -> object:
    """Return the name of a topic's settings in requests about settings."""
    make: Make = ConfigResource
    resource: object = make(ConfigResourceType.TOPIC, topic, configs=configs)
    return resource


async def abandon(producer: Any) -> None:  # noqa: ANN401 - aiokafka's own producer type
    """End `producer` without sending what it still holds.

    Its own `stop` sends everything first, for as long as that takes. After a time-out that would
    deliver records whose caller has begun to repeat them.
    """
    await producer._sender.close()  # noqa: SLF001 - there is no public way
    producer._closed = True  # noqa: SLF001 - or its end as garbage is reported as a leak
    await producer.client.close()


def is_abort_marker(control_batch: Any) -> bool:  # noqa: ANN401 - aiokafka's own batch type
    """Return whether the control batch ends a transaction by rolling it back."""
    parse: Make = ControlRecord.parse
    return bool(parse(next(control_batch).key) == ABORT_MARKER)


def stored_bytes(raw: bytes, begins: int) -> int:
    """Return how many bytes the record batch takes that begins at `begins` of a fetched answer."""
    # Its offset in eight bytes, then the length of what follows in four.
    return 12 + int.from_bytes(raw[begins + 8 : begins + 12], "big")


def records_of(batch: Any, stored: bytes) -> Sequence[Any]:  # noqa: ANN401 - aiokafka's own batch type
    """Return the records of `batch`, which was read from `stored`.

    Brokers take any bytes for the name of a header. What is no UTF-8 in it comes out escaped.
    """
    try:
        return list(batch)
    except UnicodeDecodeError:
        return list(_LenientBatch(stored))


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc] # final for checkers of types only
    """The library's reader in Python; of all it reads, only names of headers are decoded."""

    @override
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _LenientBytes(self._buffer)


class _LenientBytes(bytearray):
    @override
    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _LenientBytes(found) if isinstance(found, bytearray) else found

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)
