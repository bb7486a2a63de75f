"""A poller that is killed asks again, and each question is answered once."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recon_streams.kernel.clock import utc_now
from recon_streams.kernel.faultpoint import EXIT_CODE
from topics.ticks import SweepTick

pytestmark = pytest.mark.postgres

_CHILD = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from recon_streams.book.connection import open_pool
from recon_streams.connectors.file import load_connectors
from recon_streams.connectors.http import HttpConnector
from recon_streams.connectors.poller import PollerParts, poll_for_ever
from recon_streams.log.postgres_writer import PostgresWriter

async def main():
    pool = await open_pool(sys.argv[1])
    terms = load_connectors(Path(sys.argv[2]))
    parts = PollerParts(
        pool=pool, writer=PostgresWriter(pool),
        connectors={each.name: HttpConnector(each) for each in terms},
        concurrency=4, lease=timedelta(seconds=1),
    )
    await poll_for_ever(parts)

asyncio.run(main())
"""


async def test_a_question_whose_poller_died_is_asked_again_and_counts_once(
    desk: Any, make_account: Any, database: str, tmp_path: Path
) -> None:
    names = [f"A-{number}" for number in range(6)]
    await desk.register(*(make_account(name, connector="stub") for name in names))
    desk.bank.balances = dict.fromkeys(names, "1000000")
    for name in names:
        tick = SweepTick(account_id=name, currency="AED", due_at=utc_now())
        await desk.tick(tick, f"account:{name}:AED")
    file = tmp_path / "connectors.yaml"
    file.write_text(desk.bank.file)
    # Killed when answers are on the log and nobody has noted it.
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", _CHILD, database, str(file)],
        env={**os.environ, "RECON_FAULTPOINT": "after_answer_before_mark:1"},
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == EXIT_CODE, done.stderr
    desk.poll()
    async with asyncio.timeout(20):
        while [row["state"] for row in await desk.sweeps()] != ["DECIDED"] * 6:
            await asyncio.sleep(0.1)
            await desk.decide("bank.balances")
    await asyncio.sleep(1.5)
    await desk.decide("bank.balances")
    rows = await desk.pool.fetch(
        "SELECT disposition, count(*) FROM book.input JOIN book.stream USING (stream) "
        "WHERE topic = 'bank.balances' GROUP BY 1"
    )
    counted = {row["disposition"]: row["count"] for row in rows}
    assert counted["OBSERVATION"] == 6
    assert counted.keys() <= {"OBSERVATION", "DUPLICATE"}
    assert {row["bank_state"] for row in await desk.sweeps()} == {"AGREES"}
    assert len(desk.bank.asked) >= 6
