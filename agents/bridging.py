"""Keeps what on-call hears in order, and brings it to where people look; beside the publisher.

A loop for each sink, so that one that is slow or down stops no other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

import asyncpg
import structlog

from agents.upkeep import keep_alerts_for_ever
from recon_streams.alerts.gauges import read_gauges
from recon_streams.alerts.keeper import KeeperTerms, keep
from recon_streams.bridges.bridge import Bridge, BridgeParts
from recon_streams.bridges.sink import Outcome, Sink
from recon_streams.bridges.sinks import make_sinks
from recon_streams.kernel.clock import utc_now
from recon_streams.log.errors import LogUnreachable, OffsetOutOfRange
from recon_streams.log.port import LogProbe
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.runtime.alert_metrics import AlertMetrics
from recon_streams.runtime.sections import AlertSettings, BridgeSettings
from recon_streams.runtime.settings import Settings

KEEP_SECONDS: Final = 2.0
# How soon a sink hears of what has reached the topic.
LOOK_SECONDS: Final = 0.5

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class AlertParts:
    """What alerts need of a process; `name` is unlike that of any other."""

    pool: asyncpg.Pool
    probe: LogProbe
    name: str
    alerts: AlertSettings
    bridges: BridgeSettings
    metrics: AlertMetrics


Loop = tuple[str, Callable[[], Awaitable[None]]]


def alert_loops(
    settings: Settings, pool: asyncpg.Pool, probe: LogProbe, *, name: str, metrics: AlertMetrics
) -> list[Loop]:
    """Return each loop with its name; each runs for ever, and may be begun again after a failure.

    Raises:
        ConfigurationInvalid: A file with a secret cannot be read, or what is in it is none.
    """
    parts = AlertParts(
        pool=pool,
        probe=probe,
        name=name,
        alerts=settings.alerts,
        bridges=settings.bridges,
        metrics=metrics,
    )
    kept_days = settings.alerts.kept_days
    loops: list[Loop] = [
        ("alerts", partial(keep_for_ever, parts)),
        ("alerts-upkeep", partial(keep_alerts_for_ever, pool, kept_days=kept_days)),
    ]
    loops += [
        (f"bridge-{sink.name}", partial(bridge_for_ever, parts, sink))
        for sink in make_sinks(settings.bridges)
    ]
    return loops


async def keep_for_ever(parts: AlertParts, *, every_seconds: float = KEEP_SECONDS) -> None:
    """Tell what no single unit of work can see, again and again, and show what there is."""
    directories = DirectoryCache()
    terms = KeeperTerms(
        feed_hold=timedelta(seconds=parts.alerts.feed_hold_seconds),
        repeat_after=timedelta(minutes=parts.alerts.repeat_minutes),
    )
    while True:
        directory = await directories.current(parts.pool)
        try:
            await keep(parts.pool, directory.feeds, terms, now=utc_now())
        except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError) as error:
            # Somebody else was first; the next look is soon.
            _log.warning("alerts_not_kept", reason=type(error).__name__)
        counted = await read_gauges(parts.pool)
        parts.metrics.set_firing(counted.firing, counted.inhibited)
        parts.metrics.set_failing(counted.failing_seconds)
        await asyncio.sleep(every_seconds)


async def bridge_for_ever(
    parts: AlertParts, sink: Sink, *, every_seconds: float = LOOK_SECONDS
) -> None:
    """Bring alerts to `sink`, for ever."""
    bridge = Bridge(
        BridgeParts(
            pool=parts.pool,
            probe=parts.probe,
            owner=parts.name,
            down_after=timedelta(seconds=parts.bridges.down_after_seconds),
            on_delivered=lambda name, outcome: _count(parts.metrics, name, outcome),
        ),
        sink,
    )
    try:
        while True:
            try:
                has_more = await bridge.turn()
            except (LogUnreachable, OffsetOutOfRange) as error:
                _log.warning("alerts_unreadable", sink=sink.name, reason=type(error).__name__)
                has_more = False
            await asyncio.sleep(0 if has_more else every_seconds)
    finally:
        await bridge.close()


def _count(metrics: AlertMetrics, sink: str, outcome: Outcome) -> None:
    metrics.deliveries.labels(sink, outcome.value).inc()
