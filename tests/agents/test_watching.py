"""A file dropped into the watched folder reaches the log and is moved, whatever happens between."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from typing_extensions import override

from agents.logs import Logs, postgres_logs, topic_plans
from agents.watching import take, watch_folder
from recon_streams.bankfiles.watched import Seen, Watched, free_name, resting_name
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.log.errors import LogUnreachable
from recon_streams.log.port import LogWriter
from recon_streams.log.record import Appended, OutgoingRecord, TopicPartition

NOTICE = (
    "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.054.001.08'><BkToCstmrDbtCdtNtfctn>"
    "<GrpHdr><MsgId>M</MsgId></GrpHdr><Ntfctn><Id>N</Id><Acct><Id><IBAN>DE89370400440532013000"
    "</IBAN></Id></Acct></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
)
NOTICES = TopicPartition("bank.notifications", 0)


def test_a_file_is_complete_when_two_looks_find_it_unchanged() -> None:
    watched = Watched()
    assert watched.ready({"a.xml": Seen(10, 1)}) == []
    assert watched.ready({"a.xml": Seen(20, 2)}) == []
    assert watched.ready({"a.xml": Seen(20, 2), "b.xml": Seen(1, 1)}) == ["a.xml"]
    assert watched.ready({"a.xml": Seen(20, 2), "b.xml": Seen(1, 1)}) == ["a.xml", "b.xml"]


def test_a_marker_beside_a_file_says_that_it_is_complete() -> None:
    assert Watched().ready({"a.xml": Seen(1, 1), "a.xml.done": Seen(0, 1)}) == ["a.xml"]


@pytest.mark.parametrize("name", [".a.xml", "a.part", "a.xml.TMP", "a.filepart", "a.xml.done"])
def test_names_of_unfinished_files_are_left_alone(name: str) -> None:
    watched = Watched()
    listing = {name: Seen(1, 1)}
    assert watched.ready(listing) == watched.ready(listing) == []


def test_a_file_of_a_name_that_was_taken_before_gets_a_number() -> None:
    assert free_name("a.xml", set()) == "a.xml"
    assert free_name("a.tar.xml", {"a.tar.xml", "a-2.tar.xml"}) == "a-3.tar.xml"


def test_a_name_that_no_text_holds_is_written_out_and_a_long_one_loses_its_middle() -> None:
    assert resting_name("b\udcff.xml", set()) == "b\\udcff.xml"
    long = resting_name("a" * 250 + ".xml", set())
    assert long.endswith(".xml")
    assert len(f"{long}-2.reason.txt".encode()) < 255
    assert resting_name("é" * 200, set()) != resting_name(
        "é" * 200, {resting_name("é" * 200, set())}
    )


@dataclass
class Folder:
    """A watched folder over a log in a real PostgreSQL."""

    directory: Path
    logs: Logs

    def drop(self, name: str, payload: str | bytes = NOTICE) -> Path:
        path = self.directory / name
        path.write_bytes(payload.encode() if isinstance(payload, str) else payload)
        return path

    async def values(self) -> list[bytes | None]:
        (end,) = (await self.logs.probe.end_offsets([NOTICES])).values()
        return [record.value async for record in self.logs.probe.read(NOTICES, 0, end)]

    def files(self) -> list[str]:
        found = (each for each in self.directory.rglob("*") if each.is_file())
        return sorted(str(each.relative_to(self.directory)) for each in found)

    async def watched_until(self, count: int) -> None:
        """Watch until `count` files have been moved."""
        watching = watch_folder(self.directory, self.logs.writer, poll_seconds=0.02)
        task = asyncio.create_task(watching)
        try:
            async with asyncio.timeout(10):
                while sum("/" in name for name in self.files()) < count:
                    assert not task.done()
                    await asyncio.sleep(0.02)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def folder(database: str, tmp_path: Path) -> AsyncIterator[Folder]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    logs = postgres_logs(pool, group="recon")
    await logs.admin.apply(topic_plans(partitions=1))
    yield Folder(tmp_path / "in", logs)
    await pool.close()


class _Failing(LogWriter):
    """A log that goes away before, or after, it has written."""

    def __init__(self, writer: LogWriter, *, writes: bool) -> None:
        self._writer, self._writes = writer, writes

    @override
    async def start(self) -> None: ...

    @override
    async def stop(self) -> None: ...

    @override
    async def append(self, records: Sequence[OutgoingRecord]) -> list[Appended]:
        if self._writes:
            await self._writer.append(records)
        raise LogUnreachable("the log", 1.0)


@pytest.mark.postgres
async def test_a_dropped_file_reaches_the_log_and_is_moved(folder: Folder) -> None:
    folder.directory.mkdir()
    folder.drop("a.xml")
    folder.drop("b.xml.part")
    await folder.watched_until(1)
    assert await folder.values() == [NOTICE.encode()]
    assert folder.files() == ["b.xml.part", "taken/a.xml"]


@pytest.mark.postgres
async def test_a_refused_file_is_moved_with_its_reason(folder: Folder) -> None:
    folder.directory.mkdir()
    folder.drop("notes.txt", "no message of a bank")
    await folder.watched_until(2)
    assert folder.files() == ["refused/notes.txt", "refused/notes.txt.reason.txt"]
    reason = (folder.directory / "refused" / "notes.txt.reason.txt").read_text()
    assert reason.startswith("notes.txt: NOT_WELL_FORMED: a message is one well-formed document")
    assert "0 records of this file were published" in reason


@pytest.mark.postgres
@pytest.mark.parametrize("writes", [False, True])
async def test_a_file_stays_until_the_log_has_it(folder: Folder, *, writes: bool) -> None:
    for name in ("taken", "refused"):
        (folder.directory / name).mkdir(parents=True)
    path = folder.drop("a.xml")
    with pytest.raises(LogUnreachable):
        await take(path, _Failing(folder.logs.writer, writes=writes))
    assert folder.files() == ["a.xml"]
    await take(path, folder.logs.writer)
    assert folder.files() == ["taken/a.xml"]
    # Written twice where the answer was lost; the same bytes change nothing in the book.
    assert await folder.values() == [NOTICE.encode()] * (2 if writes else 1)


@pytest.mark.postgres
async def test_a_link_is_no_delivery(folder: Folder, tmp_path: Path) -> None:
    folder.directory.mkdir()
    outside = tmp_path / "outside.xml"
    outside.write_text(NOTICE)
    (folder.directory / "link.xml").symlink_to(outside)
    folder.drop("a.xml")
    await folder.watched_until(1)
    await asyncio.sleep(0.1)
    assert (folder.directory / "link.xml").is_symlink()
    assert len(await folder.values()) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("name", [b"b\xff\xfe.xml", b"a" * 250 + b".xml"])
async def test_a_file_of_an_impossible_name_is_put_aside_and_its_neighbours_go_on(
    folder: Folder, name: bytes
) -> None:
    folder.directory.mkdir()
    (folder.directory / os.fsdecode(name)).write_bytes(b"%PDF-1.4")
    folder.drop("z.xml")
    await folder.watched_until(3)
    assert await folder.values() == [NOTICE.encode()]
    assert "taken/z.xml" in folder.files()
    assert len([each for each in folder.files() if each.startswith("refused/")]) == 2
