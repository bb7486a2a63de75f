"""`publish` and `tail`: the log without a Kafka client."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agents.cli.app import Ended, app, run
from agents.cli.bank_files import publish_bank_files
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
from recon_streams.runtime.exit_codes import ExitCode
from topics.catalogue import by_name

_TAIL_POLL_SECONDS = 0.3


@app.command("publish")
def publish(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="[TOPIC] FILE...",
            help="With a topic: XML is a record a file, JSON one a line, - is stdin. Without one: "
            "camt.052/053/054, ZIPs and folders; what they hold says where they go.",
        ),
    ],
    key: Annotated[
        str | None, typer.Option("--key", help="Record key; by default the account.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Append records from files and say where each one stands.

    Bank files without a topic are recognised by what they hold; a large one goes out in pages.
    Ends with 6 if a file was refused.
    """
    topic, files = _parted(what)
    if topic is None:
        place = find_place(config, data, dsn, bootstrap)
        if run(publish_bank_files(place, files, key)):
            raise Ended(ExitCode.REFUSED)
        return
    is_json = bool(by_name(topic).record_types)
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


def _parted(what: list[str]) -> tuple[str | None, list[Path]]:
    """Return the topic, if the first word is one, and the files."""
    first, files = what[0], [Path(word) for word in what]
    try:
        by_name(first)
    except KeyError:
        missing = next((word for word in what if not Path(word).exists()), None)
        if missing is None:
            return None, files
        if missing == first:
            text = f"{first} is no topic and no file; see: recon-streams topics list"
            raise typer.BadParameter(text) from None
        raise typer.BadParameter(f"{missing}: no such file") from None
    if len(files) == 1:
        raise typer.BadParameter(f"which file goes to {first}?")
    return first, files[1:]


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
