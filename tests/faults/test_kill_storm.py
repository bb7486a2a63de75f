"""Whatever is killed, and wherever: nothing is lost, nothing counts twice, balances are exact."""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from recon_streams.testing.storm import Storm
from recon_streams.testing.traffic import Traffic

pytestmark = [pytest.mark.storm, pytest.mark.timeout(900)]

IS_LONG = os.environ.get("RECON_STORM") == "long"
INPUTS = 100_000 if IS_LONG else 20_000
KILLS = 100 if IS_LONG else 24


async def test_a_kill_storm_loses_nothing_and_doubles_nothing(
    site: Any, make_traffic: Callable[..., Traffic]
) -> None:
    traffic = make_traffic(inputs=INPUTS, accounts=24, seed=7)
    site.register(traffic)
    storm = Storm(
        processes=[site.worker(1), site.worker(2), site.publisher(1), site.publisher(2)],
        seed=11,
        kills_min=KILLS,
    )
    feeding = site.feed(traffic)
    try:
        await asyncio.to_thread(
            storm.run,
            lambda: not feeding.is_alive() and site.is_drained(INPUTS),
            seconds_max=600,
        )
    finally:
        await asyncio.to_thread(storm.stop)
        feeding.join()
    felt = sum((each.exits for each in storm.processes), start=Counter())
    assert storm.kills >= KILLS
    assert felt[-9], "SIGKILL was felt"
    assert felt[137], "fault points were felt"
    assert not felt[74], (site.directory / "worker-1.log").read_text()[-3000:]
    await site.compare(traffic)
