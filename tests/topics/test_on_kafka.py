"""A real Apache Kafka takes the catalogue's settings and the producer of the how-to page."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from recon_streams.kernel.json_text import decode
from recon_streams.testing.kafka import TestKafka
from topics.catalogue import CATALOGUE, kafka_config
from topics.examples import EXAMPLES
from topics.ledger_movements import LEDGER_RECORD_TYPES, LedgerRecord

pytestmark = pytest.mark.kafka
_DECODER: msgspec.json.Decoder[LedgerRecord] = msgspec.json.Decoder(LedgerRecord)


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An address of a broker on which the whole catalogue is declared."""
    kafka = TestKafka(tmp_path_factory.mktemp("kafka"))
    kafka.start()
    asyncio.run(_declare_topics(kafka.bootstrap))
    yield kafka.bootstrap
    kafka.kill()


async def _declare_topics(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics(
            [NewTopic(c.name, c.partitions, 1, topic_configs=kafka_config(c)) for c in CATALOGUE]
        )
        assert all(error[1] == 0 for error in answer.topic_errors)
    finally:
        await admin.close()


async def test_every_topic_is_as_the_catalogue_says(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for contract in CATALOGUE:
            resource = ConfigResource(ConfigResourceType.TOPIC, contract.name)
            (answer,) = await admin.describe_configs([resource])
            (described,) = answer.resources
            found = {entry[0]: entry[1] for entry in described[4]}
            assert kafka_config(contract).items() <= found.items()
    finally:
        await admin.close()


async def test_the_producer_of_the_how_to_delivers_what_the_decoder_takes(
    bootstrap: str, tmp_path: Path, how_to_blocks: Callable[[str], list[str]]
) -> None:
    (script,) = how_to_blocks("python")
    program = tmp_path / "publish.py"
    program.write_text(script)
    records = [EXAMPLES[record] for record in LEDGER_RECORD_TYPES]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        "ledger.movements",
        stdin=asyncio.subprocess.PIPE,
        env={**os.environ, "KAFKA": bootstrap},
    )
    lines = "".join(json.dumps(record) + "\n" for record in records).encode()
    await asyncio.wait_for(process.communicate(lines), 60)
    assert process.returncode == 0
    consumer = AIOKafkaConsumer(
        "ledger.movements", bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        arrived = [await consumer.getone() for _ in records]
    finally:
        await consumer.stop()
    values = [message.value or b"" for message in arrived]
    assert [json.loads(value) for value in values] == records
    assert [type(decode(value, _DECODER)) for value in values] == list(LEDGER_RECORD_TYPES)
    assert {message.key for message in arrived} == {b"AE-SAFEGUARDING"}
    assert len({message.partition for message in arrived}) == 1
    assert {message.timestamp_type for message in arrived} == {1}  # stamped by the broker
