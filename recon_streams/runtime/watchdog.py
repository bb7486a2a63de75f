"""Leaves the process when records wait and nothing moves: a stall without an error is the worst."""

import asyncio
from time import monotonic
from typing import Final

import msgspec

from recon_streams.log.record import TopicPartition
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.runtime.health import SideServer
from recon_streams.runtime.leaving import leave_process
from recon_streams.runtime.metrics import Metrics
from recon_streams.runtime.source import LogSource

TICK_SECONDS: Final = 1.0


class Standing(msgspec.Struct, frozen=True):
    """Where a partition stands, and since when."""

    position: int
    since: float


def stands_since(known: Standing | None, *, position: int, lag: int, now: float) -> Standing:
    """Return since when `position` has stood still with records waiting behind it. Pure."""
    if known is None or known.position != position or lag == 0:
        return Standing(position, now)
    return known


def is_stalled(standing: Standing, *, lag: int, now: float, limit_seconds: float) -> bool:
    """Return whether a partition has stood still for too long. Pure."""
    return lag > 0 and now - standing.since >= limit_seconds


async def watch_progress(
    source: LogSource, metrics: Metrics, server: SideServer, *, limit_seconds: float
) -> None:
    """Look at every partition each second; leave the process at the first that stands still.

    Runs for ever. Also shows how late the loop turns, which is what liveness is made of.
    """
    standings: dict[TopicPartition, Standing] = {}
    expected_at = monotonic()
    rebalances = 0
    while True:
        now = monotonic()
        server.turned_at = now
        metrics.loop_lag.set(max(0.0, now - expected_at))
        metrics.rebalances.inc(source.rebalances - rebalances)
        rebalances = source.rebalances
        lags = source.lag()
        for partition in set(standings) - set(lags):
            del standings[partition]
            metrics.lag.remove(partition.topic, str(partition.partition))
            metrics.standing.remove(partition.topic, str(partition.partition))
        for partition, lag in lags.items():
            position = source.settled.get(partition, 0)
            standing = stands_since(standings.get(partition), position=position, lag=lag, now=now)
            standings[partition] = standing
            labels = (partition.topic, str(partition.partition))
            metrics.lag.labels(*labels).set(lag)
            metrics.standing.labels(*labels).set(now - standing.since if lag else 0)
            if is_stalled(standing, lag=lag, now=now, limit_seconds=limit_seconds):
                where = f"{partition.topic}/{partition.partition} at {position}, {lag} wait"
                leave_process(f"stalled: {where}", ExitCode.STALLED)
        expected_at = now + TICK_SECONDS
        await asyncio.sleep(TICK_SECONDS)
