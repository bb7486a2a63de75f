"""A process that is killed between publishing a file and moving it loses and doubles nothing."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recon_streams.iso20022.reader import read
from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.faultpoint import EXIT_CODE
from recon_streams.log.partitioner import partition_of
from recon_streams.log.record import TopicPartition
from recon_streams.testing.storm import Process, process

pytestmark = pytest.mark.postgres
PARTITIONS = 2


async def _until(is_so: Callable[[], bool], process: Process) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.05)
    assert "Traceback" not in process.log.read_text()


async def test_a_file_whose_publisher_is_killed_before_it_moves_is_counted_once(
    fresh_stack: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    installation = fresh_stack.installation
    _, value = fresh_stack.good(TopicPartition("bank.notifications", 0))
    # A file is published under the account that its bank names.
    account = read(value).reports[0].account.identification
    notices = TopicPartition("bank.notifications", partition_of(account.encode(), PARTITIONS))
    (folder / "notice.xml").write_bytes(value)
    (folder / "notice.xml.done").touch()
    environment = {
        **installation.environment,
        "RECON__WATCH__DIRECTORY": str(folder),
        "RECON__WATCH__POLL_SECONDS": "0.05",
    }
    publisher = process("publisher", "publisher", installation.options, environment, tmp_path)
    worker = installation.worker()
    worker.start(None)
    publisher.start("after_watched_published:1")
    try:
        await _until(publisher.has_ended, publisher)
        assert publisher.exits == {EXIT_CODE: 1}
        # In the log, and still in the folder.
        first = await fresh_stack.decided(notices, 0)
        assert first["disposition"] == Disposition.APPLIED
        assert (folder / "notice.xml").read_bytes() == value
        publisher.start(None)
        taken = folder / "taken" / "notice.xml"
        await _until(taken.exists, publisher)
        second = await fresh_stack.decided(notices, 1)
    finally:
        for each in (publisher, worker):
            each.signal(9)
            if each.running is not None:
                await asyncio.to_thread(each.running.wait, 10)
    assert second["disposition"] == Disposition.DUPLICATE
    assert taken.read_bytes() == value
    assert not (folder / "notice.xml").exists()
    entries = await fresh_stack.pool.fetchval("SELECT count(*) FROM positions.bank_entry")
    assert entries == value.count(b"<Ntry>")
    assert await fresh_stack.flaws() == []
