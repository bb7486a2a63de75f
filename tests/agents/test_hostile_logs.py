"""What stands in a log that no client of ours wrote: it stops no partition and leaves no hole."""

import asyncio
import gzip
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from recon_streams.kernel.disposition import Disposition
from recon_streams.log import aiokafka_untyped as untyped
from recon_streams.log.record import TopicPartition
from recon_streams.runtime.exit_codes import ExitCode

pytestmark = pytest.mark.timeout(120)

XML, ALIAS = "bank.notifications", "iso20022.camt.054"
MOVEMENTS, BALANCES = "ledger.movements", "ledger.balances"
Stack = Any  # of the conftest


@pytest.mark.postgres
@pytest.mark.parametrize("running", ["postgres"], indirect=True)
@pytest.mark.parametrize("headers", ["{}", "null", "1", '[["a"]]', '[["a", "%%"]]', "[[1, null]]"])
async def test_headers_that_somebody_wrote_by_sql_do_not_stop_a_partition(
    stack: Stack, headers: str
) -> None:
    partition = TopicPartition(MOVEMENTS, 0)
    key, good = stack.good(partition)
    offset = await stack.owner.fetchval(
        "SELECT (log.append(ARRAY[topic_id], ARRAY[0], ARRAY[1], ARRAY[1], ARRAY[0], "
        "ARRAY[$1::bytea], ARRAY[$2::jsonb], ARRAY[$3::bytea])).first_offs[1] "
        "FROM log.topic WHERE name = $4",
        key,
        headers,
        good,
        MOVEMENTS,
    )
    following = await stack.append_good(partition)
    assert (await stack.decided(partition, offset))["disposition"] == Disposition.APPLIED
    assert (await stack.decided(partition, following))["disposition"] == Disposition.APPLIED
    assert await stack.flaws() == []


@pytest.mark.kafka
@pytest.mark.parametrize("running", ["kafka"], indirect=True)
async def test_what_the_broker_does_not_take_is_told_to_who_publishes_it(
    stack: Stack, tmp_path: Path
) -> None:
    record = tmp_path / "record.json"
    record.write_bytes(b'{"padding": "' + b"x" * 2_000_000 + b'"}')
    publishing = ("publish", MOVEMENTS, str(record))
    done = await asyncio.to_thread(
        stack.installation.command, *publishing, code=ExitCode.REFUSED, RECON_DATA=""
    )
    assert "a record for ledger.movements was refused" in done.stderr
    assert await stack.flaws() == []


async def append_raw(stack: Stack, partition: TopicPartition, batch: bytes) -> int:
    """Append a record batch as it is, for a producer that is not ours; return its first offset."""
    client = untyped.client(bootstrap_servers=stack.bootstrap)
    await client.bootstrap()
    topics = [(partition.topic, [(partition.partition, batch)])]
    answer = await client.send(client.get_random_node(), ProduceRequest(None, -1, 5_000, topics))
    await client.close()
    ((_, ((_, error, offset, *_),)),) = answer.topics
    assert error == 0
    return int(offset)


def batch_of(values: list[bytes], header: bytes, *, is_zipped: bool) -> bytes:
    """Return a record batch in which the second of `values` has a header of the name `header`."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000_000)
    name = "N" * len(header)
    for number, value in enumerate(values):
        builder.append(number, 0, b"k", value, [(name, b"x")] if number == 1 else [])
    batch = bytearray(builder.build()).replace(name.encode(), header)
    if is_zipped:
        batch[61:] = gzip.compress(bytes(batch[61:]))
        batch[22] |= 1
    batch[8:12] = (len(batch) - 12).to_bytes(4, "big")
    batch[17:21] = calc_crc32c(bytes(batch[21:])).to_bytes(4, "big")
    return bytes(batch)


@pytest.mark.kafka
@pytest.mark.parametrize("running", ["kafka"], indirect=True)
@pytest.mark.parametrize("is_zipped", [False, True])
async def test_a_header_whose_name_is_not_utf8_does_not_stop_a_partition(
    stack: Stack, *, is_zipped: bool
) -> None:
    partition = TopicPartition(MOVEMENTS, 1)
    before = await stack.append_good(partition)
    values = [stack.good(partition)[1] for _ in range(3)]
    batch = batch_of(values, b"h\xff\xfe\x00\xc3(\x80", is_zipped=is_zipped)
    offset = await append_raw(stack, partition, batch)
    following = await stack.append_good(partition)
    assert following - before == len(values) + 1
    rows = [await stack.decided(partition, at) for at in range(offset, following + 1)]
    assert [row["disposition"] for row in rows] == ["APPLIED"] * 4
    assert [row["payload"] for row in rows[:3]] == values
    # Its producer says 1970; when it arrived is for the broker to say.
    assert all(datetime.now(UTC) - row["at"] < timedelta(minutes=1) for row in rows)
    assert await stack.flaws() == []


@pytest.mark.kafka
@pytest.mark.parametrize("running", ["kafka"], indirect=True)
async def test_what_a_transaction_rolled_back_is_no_input_and_leaves_no_hole(stack: Stack) -> None:
    partition = TopicPartition(MOVEMENTS, 1)
    first = await stack.append_good(partition)
    for number, ending in enumerate(("abort", "commit", "abort"), start=1):
        producer = untyped.producer(
            bootstrap_servers=stack.bootstrap, transactional_id=secrets.token_hex(6)
        )
        await producer.start()
        await producer.begin_transaction()
        for _ in range(3):
            key, value = stack.good(partition)
            await producer.send_and_wait(MOVEMENTS, value, key, 1)
        await getattr(producer, f"{ending}_transaction")()
        await producer.stop()
        # A broker answers that a transaction has ended before it writes the marker.
        await stack.reaches(partition, first + 1 + 4 * number)
    last = await stack.append_good(partition)
    assert last - first == 13, "nine records and three markers between the two"
    assert (await stack.decided(partition, last))["disposition"] == Disposition.APPLIED
    found = [(await stack.decided(partition, n)) for n in range(first, last + 1)]
    assert [row["disposition"] for row in found] == [
        "APPLIED", *["CONTROL"] * 4, *["APPLIED"] * 3, *["CONTROL"] * 5, "APPLIED",
    ]  # fmt: skip
    assert {row["duplicate_of"] for row in found if row["disposition"] == "CONTROL"} == {
        "aborted",
        "control",
    }
    assert await stack.flaws() == []
