"""The watched folder at work: publish first, then move, so that a file is never lost.

A process that dies between the two publishes the file again after its restart; what is in the book
already is recognised by its content and changes nothing.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import structlog

from agents.cutting import Cutting
from recon_streams.bankfiles.publishing import Outgoing
from recon_streams.bankfiles.watched import (
    DONE,
    REFUSED,
    TAKEN,
    Seen,
    Watched,
    reason_text,
    resting_name,
)
from recon_streams.kernel import faultpoint
from recon_streams.log.errors import LogUnreachable
from recon_streams.log.port import LogWriter
from recon_streams.log.record import OutgoingRecord

_log = structlog.get_logger()

# Pages of one file that are in memory at a time.
BATCH_RECORDS_MAX = 8
BATCH_BYTES_MAX = 16_000_000


async def watch_folder(directory: Path, writer: LogWriter, *, poll_seconds: float) -> None:
    """Publish the bank files that appear in `directory`, for ever.

    Raises:
        OSError: If the folder cannot be used at all.
    """
    await asyncio.to_thread(_prepare, directory)
    watched = Watched()
    stuck: set[str] = set()
    while True:
        for name in watched.ready(await asyncio.to_thread(_listing, directory)):
            if name in stuck:
                continue
            try:
                await take(directory / name, writer)
            except LogUnreachable as error:
                # The file stays where it is and is taken at a later look.
                _log.warning("file_waits", reason=str(error))
                break
            except OSError as error:
                # It harms itself alone: left where it is until somebody looks, or a restart.
                _log.error("file_stuck", reason=error.strerror, code=error.errno)
                stuck.add(name)
                continue
            watched.forget(name)
        await asyncio.sleep(poll_seconds)


async def take(path: Path, writer: LogWriter) -> None:
    """Publish the file at `path` and move it to `taken`, or to `refused` with the reason.

    Raises:
        LogUnreachable: When nothing was moved.
    """
    refused: list[tuple[str, str]] = []
    published = 0
    with closing(Cutting(path)) as cutting:
        records = _records(cutting, refused)
        while batch := await asyncio.to_thread(batch_of, records):
            await writer.append(batch)
            published += len(batch)
    faultpoint.hit("after_watched_published")
    await asyncio.to_thread(_move, path, refused, published)
    if refused:
        # No name: banks put account numbers into the names of their files.
        _log.warning("file_refused", records=published, count=len(refused))
    else:
        _log.info("file_taken", records=published)


def _records(cutting: Cutting, refused: list[tuple[str, str]]) -> Iterator[Outgoing]:
    for each in cutting.found():
        if isinstance(each, Outgoing):
            yield each
        else:
            refused.append((each.name, each.reason))


def batch_of(records: Iterator[Outgoing], given_key: str | None = None) -> list[OutgoingRecord]:
    """Return the next records to append together; none at the end."""
    batch: list[OutgoingRecord] = []
    size = 0
    while len(batch) < BATCH_RECORDS_MAX and size < BATCH_BYTES_MAX:
        each = next(records, None)
        if each is None:
            break
        text = given_key or each.key
        key = None if text is None else text.encode()
        batch.append(OutgoingRecord(each.topic, key, each.value))
        size += len(each.value)
    return batch


def _prepare(directory: Path) -> None:
    for folder in (directory, directory / TAKEN, directory / REFUSED):
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)


def _listing(directory: Path) -> dict[str, Seen]:
    found = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            # A link could lead to any file of this machine; it is not a delivery.
            if entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                found[entry.name] = Seen(status.st_size, status.st_mtime_ns)
    return found


def _move(path: Path, refused: list[tuple[str, str]], published: int) -> None:
    folder = path.parent / (REFUSED if refused else TAKEN)
    name = resting_name(path.name, {each.name for each in folder.iterdir()})
    if refused:
        reason = folder / f"{name}.reason.txt"
        text = reason_text(refused, published)
        reason.write_text(text, encoding="utf-8", errors="backslashreplace")
    # Another process that watches the same folder may have moved it; then it is in good hands.
    try:
        path.rename(folder / name)
    except FileNotFoundError:
        _log.info("file_gone")
    path.with_name(f"{path.name}{DONE}").unlink(missing_ok=True)
