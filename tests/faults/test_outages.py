"""A machine that sleeps, a database that goes away: work waits, resumes, and counts once."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from recon_streams.book.streams import decided_through
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.testing.postgres import TestPostgres
from recon_streams.testing.traffic import Traffic

pytestmark = [pytest.mark.storm, pytest.mark.timeout(600)]

INPUTS = 3_000
AWAY_SECONDS = 30
LEASE_SECONDS = 15


@pytest.mark.kafka
@pytest.mark.parametrize("place", ["after_fetch", "before_commit"])
async def test_a_zombie_has_its_commit_refused_and_leaves(
    kafka_site: Any, make_traffic: Callable[..., Traffic], place: str
) -> None:
    site, traffic = kafka_site, make_traffic(inputs=INPUTS, accounts=8, seed=3)
    site.register(traffic)
    zombie, heir, publisher = site.worker(1), site.worker(2), site.publisher(1)
    zombie.start(f"{place}:4:stop")
    publisher.start(None)
    feeding = site.feed(traffic)
    try:
        await _until(lambda: _is_stopped(zombie), seconds_max=60)
        heir.start(None)
        # The session of the sleeper runs out, its partitions move, all of the input is decided.
        await asyncio.to_thread(feeding.join)
        await _until(lambda: site.is_drained(INPUTS), seconds_max=120)
        zombie.signal(signal.SIGCONT)
        await _until(zombie.has_ended, seconds_max=60)
        left = {ExitCode.FENCED, ExitCode.DATABASE_GONE, ExitCode.ASSERTION}
        assert set(zombie.exits) <= left, (site.directory / "worker-1.log").read_text()[-2000:]
        if place == "after_fetch":
            assert zombie.exits[ExitCode.FENCED] == 1
    finally:
        await asyncio.to_thread(_stop, zombie, heir, publisher)
    await site.compare(traffic)


@pytest.mark.kafka
async def test_a_database_that_is_away_for_thirty_seconds_loses_nothing(
    kafka_site: Any, postgres: TestPostgres, make_traffic: Callable[..., Traffic]
) -> None:
    site, traffic = kafka_site, make_traffic(inputs=INPUTS, accounts=8, seed=5)
    site.register(traffic)
    worker, publisher = site.worker(1), site.publisher(1)
    worker.start(None)
    publisher.start(None)
    feeding = site.feed(traffic)
    try:
        await _until(lambda: site.is_drained(500), seconds_max=60)
        lease_before = await _lease(site.dsn)
        await postgres.stop()
        await asyncio.sleep(AWAY_SECONDS)
        await postgres.start()
        lease_after = await _lease(site.dsn)
        assert lease_after["lease_seq"] - lease_before["lease_seq"] <= 1, "nobody leased meanwhile"
        assert not lease_after["is_valid"], "the lease lapsed: silence means no"
        await asyncio.to_thread(feeding.join)
        await _until(lambda: site.is_drained(INPUTS), seconds_max=120)
        await _until_async(lambda: _is_leased(site.dsn), seconds_max=30)
        assert not worker.has_ended(), "an outage within the bound is waited for"
    finally:
        await asyncio.to_thread(_stop, worker, publisher)
    await site.compare(traffic)


@pytest.mark.kafka
async def test_a_broker_that_falls_silent_lets_the_watermark_stand_and_the_lease_lapse(
    kafka_site: Any, make_traffic: Callable[..., Traffic]
) -> None:
    site, traffic = kafka_site, make_traffic(inputs=200, accounts=4, seed=9)
    site.register(traffic)
    worker, publisher = site.worker(1), site.publisher(1)
    worker.start(None)
    publisher.start(None)
    feeding = site.feed(traffic)
    try:
        await asyncio.to_thread(feeding.join)
        await _until(lambda: site.is_drained(200), seconds_max=60)
        await _until_async(lambda: _is_leased(site.dsn), seconds_max=30)
        idle = await _through(site.dsn)
        await asyncio.sleep(4)
        assert (await _through(site.dsn) - idle).total_seconds() > 2, "idleness is proven anew"
        os.kill(site.kafka.pid(), signal.SIGSTOP)
        try:
            await asyncio.sleep(1)  # what was answered before may still be on its way to the book
            silent = await _through(site.dsn)
            await asyncio.sleep(LEASE_SECONDS)
            assert await _through(site.dsn) == silent, "silence proves nothing"
            assert not await _is_leased(site.dsn)
        finally:
            os.kill(site.kafka.pid(), signal.SIGCONT)
        await _until_async(lambda: _is_later(site.dsn, silent), seconds_max=30)
        assert not worker.has_ended(), "a silence within the bound is waited for"
        publisher.has_ended()
        if publisher.running is None:  # its own bound for an answer is shorter
            publisher.start(None)
        await _until_async(lambda: _is_leased(site.dsn), seconds_max=30)
    finally:
        await asyncio.to_thread(_stop, worker, publisher)
    await site.compare(traffic)


async def _through(dsn: str) -> datetime:
    connection = await asyncpg.connect(dsn)
    try:
        through = await decided_through(connection)
        assert through is not None
        return through
    finally:
        await connection.close()


async def _is_later(dsn: str, than: datetime) -> bool:
    return await _through(dsn) > than + timedelta(seconds=LEASE_SECONDS)


async def _lease(dsn: str) -> asyncpg.Record:
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(
            "SELECT lease_seq, coalesce(lease_until > clock_timestamp(), false) AS is_valid "
            "FROM book.publisher"
        )
        assert row is not None
        return row
    finally:
        await connection.close()


async def _is_leased(dsn: str) -> bool:
    return bool((await _lease(dsn))["is_valid"])


def _is_stopped(process: Any) -> bool:
    try:
        status = open(f"/proc/{process.running.pid}/stat").read()  # noqa: SIM115, PTH123
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] == "T"


def _stop(*processes: Any) -> None:
    for each in processes:
        each.signal(signal.SIGCONT)
        each.signal(signal.SIGTERM)
    for each in processes:
        if each.running is not None:
            each.running.wait(30)


async def _until(condition: Callable[[], bool], *, seconds_max: float) -> None:
    deadline = time.monotonic() + seconds_max
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.1)


async def _until_async(condition: Callable[[], Any], *, seconds_max: float) -> None:
    deadline = time.monotonic() + seconds_max
    while not await condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.1)
