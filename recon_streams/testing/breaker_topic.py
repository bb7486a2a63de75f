"""What stands on `recon.breaker` in Kafka, as an outsider reads it, and how it is compacted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

import msgspec

from recon_streams.log.kafka_admin import KafkaAdmin
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.kafka_probe import KafkaProbe
from recon_streams.log.record import Headers, OutgoingRecord, TopicPartition
from recon_streams.log.topic_plan import TopicPlan
from topics.catalogue import by_name, kafka_config

TOPIC: Final = "recon.breaker"
# So that a record is gone within seconds of being replaced, and not after a day.
_AT_ONCE: Final = {
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "100",
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.001",
}
_T = TypeVar("_T")


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One record about a scope; no state if it is a tombstone."""

    offset: int
    state: str | None
    key: bytes
    value: bytes | None
    headers: Headers

    def again(self) -> OutgoingRecord:
        """Return it as somebody writes it who has kept it, signature and all."""
        return OutgoingRecord(TOPIC, self.key, self.value, self.headers)


class BreakerTopic:
    """The topic on the cluster at `bootstrap`; every call connects anew."""

    def __init__(self, bootstrap: str, *, copies: int) -> None:
        """Reach it at `bootstrap`; it has `copies` replicas."""
        self._connection = KafkaConnection(bootstrap=bootstrap)
        contract = by_name(TOPIC)
        usual = {**kafka_config(contract), "segment.ms": "604800000"}
        usual["min.cleanable.dirty.ratio"] = "0.5"
        self._plan = TopicPlan(name=TOPIC, partitions=1, replication_factor=copies, config=usual)

    def said_of(self, scope: str) -> list[Said]:
        """Return what stands there of `scope`, in order."""

        async def read(probe: KafkaProbe) -> list[Said]:
            place = TopicPartition(TOPIC, 0)
            start = (await probe.start_offsets([place]))[place]
            end = (await probe.end_offsets([place]))[place]
            return [
                Said(
                    offset=each.offset,
                    state=msgspec.json.decode(each.value)["state"] if each.value else None,
                    key=each.key or b"",
                    value=each.value,
                    headers=each.headers,
                )
                async for each in probe.read(place, start, end)
                if each.key == scope.encode()
            ]

        return self._with_probe(read)

    def compact(self) -> None:
        """Let it be compacted as soon as something is written to it."""
        self._configure({**self._plan.config, **_AT_ONCE})

    def keep(self) -> None:
        """Let it be as it was declared."""
        self._configure(self._plan.config)

    def _configure(self, config: Mapping[str, str]) -> None:
        async def apply() -> None:
            admin = KafkaAdmin(self._connection)
            await admin.apply([msgspec.structs.replace(self._plan, config=config)])

        asyncio.run(apply())

    def _with_probe(self, use: Callable[[KafkaProbe], Awaitable[_T]]) -> _T:
        async def run() -> _T:
            probe = KafkaProbe(self._connection)
            await probe.start()
            try:
                return await use(probe)
            finally:
                await probe.stop()

        return asyncio.run(run())
