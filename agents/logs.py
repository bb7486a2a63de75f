"""The composition of a log: which adapter stands behind the ports, and where the outbox leads."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from recon_streams.log.kafka_admin import KafkaAdmin
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.kafka_group import GroupPlan
from recon_streams.log.kafka_probe import KafkaProbe
from recon_streams.log.kafka_reader import KafkaReader
from recon_streams.log.kafka_writer import KafkaWriter
from recon_streams.log.port import LogAdmin, LogProbe, LogReader, LogWriter
from recon_streams.log.postgres_admin import PostgresAdmin
from recon_streams.log.postgres_probe import PostgresProbe
from recon_streams.log.postgres_reader import PostgresGroupPlan, PostgresReader
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import TopicPartition
from recon_streams.log.topic_plan import TopicPlan
from recon_streams.publisher.holding import HoldingRelay
from recon_streams.publisher.sink import LogRelay, Relay, TableRelay
from topics.catalogue import CATALOGUE, kafka_config
from topics.contract import Direction, TopicContract


@dataclass(frozen=True, kw_only=True)
class Logs:
    """A log as everybody here uses it.

    Attributes:
        reader: Makes a new member of the group.
        upkeep: Deletes what is too old now, except from these offsets on; None where servers do
            that by themselves.
    """

    name: str
    probe: LogProbe
    writer: LogWriter
    admin: LogAdmin
    relay: Relay
    reader: Callable[[], LogReader]
    upkeep: Callable[[datetime, Mapping[TopicPartition, int]], Awaitable[int]] | None = None

    async def start(self) -> None:
        """Connect the probe and the writer. Raises `LogUnreachable`."""
        await self.probe.start()
        await self.writer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self.writer.stop()
        await self.probe.stop()


def postgres_logs(pool: asyncpg.Pool, *, group: str) -> Logs:
    """Return the log that lives in the book's own database."""
    probe, writer, admin = PostgresProbe(pool), PostgresWriter(pool), PostgresAdmin(pool)
    return Logs(
        name="the log in PostgreSQL",
        probe=probe,
        writer=writer,
        admin=admin,
        relay=TableRelay(writer),
        reader=lambda: PostgresReader(pool, PostgresGroupPlan(group=group), probe),
        upkeep=admin.upkeep,
    )


def kafka_logs(connection: KafkaConnection, *, group: str, instance_id: str | None = None) -> Logs:
    """Return the log on the Kafka that `connection` leads to."""
    probe, writer = KafkaProbe(connection), KafkaWriter(connection)
    plan = GroupPlan(group=group, instance_id=instance_id)
    return Logs(
        name=f"Kafka at {connection.bootstrap}",
        probe=probe,
        writer=writer,
        admin=KafkaAdmin(connection),
        relay=HoldingRelay(LogRelay(writer)),
        reader=lambda: KafkaReader(connection, plan, probe),
    )


def topic_plans(
    *, partitions: int | None = None, replication_factor: int = 1, min_insync_replicas: int = 1
) -> list[TopicPlan]:
    """Return every topic and alias of the catalogue as it is to be declared.

    `partitions` overrides the catalogue where it says more than one; topics with exactly one
    partition have it for the sake of their order.
    """
    extra = {"min.insync.replicas": str(min_insync_replicas)}
    return [
        TopicPlan(
            name=name,
            partitions=_partitions(contract, partitions),
            replication_factor=replication_factor,
            config={**kafka_config(contract), **extra},
        )
        for contract in CATALOGUE
        for name in (contract.name, *contract.aliases)
    ]


def _partitions(contract: TopicContract, wanted: int | None) -> int:
    if wanted is None or contract.partitions == 1:
        return contract.partitions
    return wanted


def is_input(name: str) -> bool:
    """Return whether `name` is a topic or alias that inputs are read from."""
    return any(
        name == contract.name or name in contract.aliases
        for contract in CATALOGUE
        if contract.direction is Direction.INPUT
    )
