"""Both real logs, and a publisher in a few lines that shares no code with the product's."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from recon_streams.book.migrate import migrate
from recon_streams.log.record import OutgoingRecord, TopicPartition
from recon_streams.testing.kafka import ExternalKafka, TestKafka
from recon_streams.testing.logs import KafkaLog, Log, PostgresLog
from recon_streams.testing.postgres import TestPostgres


class Publisher:
    """Writes signed states and leases to one topic."""

    def __init__(self, log: Log, topic: str) -> None:
        self._log = log
        self._private = Ed25519PrivateKey.generate()
        self._leases = 0
        self.topic = topic

    def key_set(self) -> str:
        raw = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        return json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "test"}]})

    def signed(self, key: str, said: dict[str, Any] | bytes) -> OutgoingRecord:
        value = said if isinstance(said, bytes) else json.dumps(said).encode()
        headers = (("alg", b"Ed25519"), ("kid", b"test"), ("sig", self._private.sign(value)))
        return OutgoingRecord(self.topic, key.encode(), value, headers)

    def state(self, scope: str, state: str, number: int, *parents: str) -> OutgoingRecord:
        said = {
            "scope": scope,
            "state": state,
            "epoch": number,
            "seq": number,
            "reason_code": "TEST",
            "evidence_hash": "00",
            "decided_at": "2026-11-21T08:00:00Z",
            "inputs_through": {},
            "parent_scopes": parents,
        }
        return self.signed(scope, said)

    def next_lease(self, ttl_ms: int = 15_000) -> OutgoingRecord:
        self._leases += 1
        said = {
            "publisher_id": "test",
            "publisher_epoch": 1,
            "lease_seq": self._leases,
            "ttl_ms": ttl_ms,
            "state_head": {"offset": 0, "seq": 1},
        }
        return self.signed("_lease", said)

    async def write(self, *records: OutgoingRecord) -> None:
        await self._log.writer.append(records)

    async def lease(self, ttl_ms: int = 15_000) -> None:
        """Two leases, the second one after the first is on the log."""
        await self.write(self.next_lease(ttl_ms))
        await self.write(self.next_lease(ttl_ms))


class Place:
    """A log, its topics, and how a guard gets there."""

    def __init__(self, log: Log, publisher: Publisher, acks_topic: str, keys: Path) -> None:
        self.log = log
        self.publisher = publisher
        self.acks_topic = acks_topic
        self.keys = keys

    def guard(self, kind: Any, **options: Any) -> Any:
        """Return a guard of `kind`, not started."""
        if isinstance(self.log, PostgresLog):
            # Whatever these tests show, the rights of a payout service are enough for it.
            make, address = kind.postgres, self.log.address
            options = {"server_settings": {"role": "recon_payouts"}, **options}
        else:
            assert isinstance(self.log, KafkaLog)
            make, address = kind.kafka, self.log.connection.bootstrap
            options = {"topic": self.publisher.topic, "acks_topic": self.acks_topic, **options}
        return make(address, keys=self.keys, client_id="payouts-1", **options)

    async def hide(self, topic: str, *, show: bool = False) -> None:
        """Let guards made from now on find no `topic`, or find it again."""
        if isinstance(self.log, PostgresLog):
            # There the names are the database's; no guard is told them.
            names = (f"{topic}-missing", topic) if show else (topic, f"{topic}-missing")
            await self.log.pool.execute("UPDATE log.topic SET name = $2 WHERE name = $1", *names)
        elif topic == self.acks_topic:
            self.acks_topic += "-missing"
        else:
            self.publisher.topic = topic if show else f"{topic}-missing"

    async def acks(self) -> list[dict[str, Any]]:
        """Return the acknowledgements on the log."""
        here = TopicPartition(self.acks_topic, 0)
        (end,) = (await self.log.probe.end_offsets([here])).values()
        found = [each async for each in self.log.probe.read(here, 0, end)]
        assert {each.key for each in found} <= {b"payouts-1"}
        return [json.loads(each.value or b"") for each in found]


@pytest.fixture
async def kafka_log(kafka: TestKafka | ExternalKafka) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(kafka.bootstrap, kafka if isinstance(kafka, TestKafka) else None)
    await log.open()
    yield log
    await log.close()


@pytest.fixture
async def postgres_log(postgres: TestPostgres, database: str) -> AsyncIterator[PostgresLog]:
    await asyncio.to_thread(migrate, database)
    async with asyncpg.create_pool(database, min_size=1, max_size=8) as pool:
        log = PostgresLog(pool, database, postgres)
        await log.open()
        yield log
        await log.close()


@pytest.fixture
def make_place(tmp_path: Path) -> Callable[..., Any]:
    async def make(log: Log, **config: str) -> Place:
        settings = {"cleanup_policy": "compact", "max_message_bytes": "20000000", **config}
        topic = await log.topic(**settings)
        acks_topic = await log.topic()
        if isinstance(log, PostgresLog):
            names = [(topic, "recon.breaker"), (acks_topic, "recon.breaker.acks")]
            await log.pool.executemany("UPDATE log.topic SET name = $2 WHERE name = $1", names)
            topic, acks_topic = (name for _, name in names)
        publisher = Publisher(log, topic)
        keys = tmp_path / "keys.json"
        keys.write_text(publisher.key_set())
        return Place(log, publisher, acks_topic, keys)

    return make


@pytest.fixture(
    params=[
        pytest.param("kafka", marks=pytest.mark.kafka),
        pytest.param("postgres", marks=pytest.mark.postgres),
    ]
)
def log(request: pytest.FixtureRequest) -> Log:
    found: Log = request.getfixturevalue(f"{request.param}_log")
    return found


@pytest.fixture
async def place(log: Log, make_place: Callable[[Log], Any]) -> Any:
    return await make_place(log)
