"""`publish` and `tail`: the log without a Kafka client."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agents.cli.app import app, run
from agents.cli.output import talk
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from recon_streams.log.record import OutgoingRecord, Record, TopicPartition
from topics.catalogue import by_name

_TAIL_POLL_SECONDS = 0.3


@app.command("publish")
def publish(
    topic: Annotated[str, typer.Argument(help="A topic, or one of its aliases.")],
    files: Annotated[
        list[Path], typer.Argument(help="XML: a record a file. JSON: one a line. - is stdin.")
    ],
    key: Annotated[
        str | None, typer.Option("--key", help="Record key; by default the account.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Append records from files and say where each one stands."""
    try:
        contract = by_name(topic)
    except KeyError:
        raise typer.BadParameter(f"{topic} is no topic; see: recon-streams topics list") from None
    is_json = bool(contract.record_types)
    records = [
        OutgoingRecord(topic, _key_of(value, key, is_json=is_json), value)
        for file in files
        for value in _values(file, is_json=is_json)
    ]
    place = find_place(config, data, dsn, bootstrap)
    for line in run(_publish(place, records)):
        typer.echo(line)


@app.command("tail")
def tail(
    topic: Annotated[str, typer.Argument(help="A topic.")],
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", "-f", help="Wait for more.")
    ] = False,
    last: Annotated[int, typer.Option("-n", help="How many of the newest of each partition.")] = 10,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Print the newest records of a topic, one JSON line each."""
    place = find_place(config, data, dsn, bootstrap)
    try:
        run(_tail(place, topic, last=last, follow=follow))
    except KeyboardInterrupt:
        talk.print("stopped")


def _values(file: Path, *, is_json: bool) -> list[bytes]:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    if not is_json:
        return [content]
    return [line for line in content.splitlines() if line.strip()]


def _key_of(value: bytes, given: str | None, *, is_json: bool) -> bytes | None:
    if given is not None:
        return given.encode()
    if not is_json:
        return None
    try:
        record = msgspec.json.decode(value, type=dict[str, object])
    except (msgspec.DecodeError, msgspec.ValidationError):
        # What cannot be read is published all the same: quarantine says what is wrong with it.
        return None
    account = record.get("account_id")
    return account.encode() if isinstance(account, str) else None


async def _publish(place: Place, records: list[OutgoingRecord]) -> list[str]:
    async with place.maybe_pool() as pool, place.logs(pool) as logs:
        places = await logs.writer.append(records)
    return [
        f"{record.topic}/{at.partition}/{at.offset}"
        for record, at in zip(records, places, strict=True)
    ]


async def _tail(place: Place, topic: str, *, last: int, follow: bool) -> None:
    async with place.maybe_pool() as pool, place.logs(pool) as logs:
        partitions = await logs.probe.partitions([topic])
        starts = await logs.probe.start_offsets(partitions)
        ends = await logs.probe.end_offsets(partitions)
        reached = {p: max(starts[p], ends[p] - last) for p in partitions}
        while True:
            ends = await logs.probe.end_offsets(partitions)
            for partition in sorted(partitions):
                if reached[partition] < ends[partition]:
                    async for record in logs.probe.read(
                        partition, reached[partition], ends[partition]
                    ):
                        typer.echo(_line(partition, record))
                    reached[partition] = ends[partition]
            if not follow:
                return
            await asyncio.sleep(_TAIL_POLL_SECONDS)


def _line(partition: TopicPartition, record: Record) -> str:
    value = record.value or b""
    shown: object = value.decode("utf-8", "replace")
    if value[:1] in (b"{", b"["):
        try:
            shown = msgspec.json.decode(value)
        except msgspec.DecodeError:
            shown = value.decode("utf-8", "replace")
    line = {
        "at": record.appended_at,
        "topic": partition.topic,
        "partition": partition.partition,
        "offset": record.offset,
        "key": None if record.key is None else record.key.decode("utf-8", "replace"),
        "value": shown,
    }
    return msgspec.json.encode(line).decode()
