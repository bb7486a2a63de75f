"""Shows what the book counts, and asks it whether what must hold does; slowly, beside the work."""

import asyncio

import asyncpg

from recon_streams.book.streams import proven_through
from recon_streams.discrepancies import gauges as discrepancies
from recon_streams.discrepancies.invariants import INVARIANTS as OF_DISCREPANCIES
from recon_streams.discrepancies.invariants import DiscrepancyChecks
from recon_streams.kernel.clock import utc_now
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions.gauges import read_gauges
from recon_streams.positions.invariants import INVARIANTS, InvariantChecks
from recon_streams.runtime.metrics import Metrics
from recon_streams.runtime.telemetry import Telemetry
from topics.breaker import BreakerState
from topics.positions import Tier

_GAUGE_SECONDS = 5.0
# What they look for does not come and go.
_INVARIANT_SECONDS = 300.0


async def show_gauges(pool: asyncpg.Pool, metrics: Metrics) -> None:
    """Set the gauges that are counted in the book, again and again. Runs for ever."""
    while True:
        counted = await read_gauges(pool)
        metrics.set_counts(metrics.positions, counted.tiers, [tier.value for tier in Tier])
        metrics.set_counts(metrics.scopes, counted.breakers, [s.value for s in BreakerState])
        metrics.set_counts(metrics.waiting, counted.quarantine, [c.value for c in RefusalCode])
        metrics.set_discrepancies(await discrepancies.read_gauges(pool))
        metrics.shortages.set(counted.shortages)
        metrics.pool_in_use.set(pool.get_size() - pool.get_idle_size())
        through = await proven_through(pool)
        if through is not None:
            age = (utc_now() - through).total_seconds()
            metrics.evaluation_age.set(max(0.0, age))
        left = await pool.fetchval(
            "SELECT coalesce(extract(epoch FROM lease_until - clock_timestamp()), 0)::float8 "
            "FROM book.publisher"
        )
        metrics.lease_remaining.set(max(0.0, left))
        metrics.lease_gap.set(max(0.0, -left))
        await asyncio.sleep(_GAUGE_SECONDS)


async def check_invariants(pool: asyncpg.Pool, telemetry: Telemetry) -> None:
    """Ask the book whether what must hold does, again and again. Runs for ever."""
    checks, of_discrepancies = InvariantChecks(pool), DiscrepancyChecks(pool)
    telemetry.invariants_known((*INVARIANTS, *OF_DISCREPANCIES))
    while True:
        found = {**await checks.violations(), **await of_discrepancies.violations()}
        for invariant, count in found.items():
            if count is None:
                telemetry.invariant_unjudged(invariant)
            elif count:
                telemetry.invariant_violated(invariant, count)
        await asyncio.sleep(_INVARIANT_SECONDS)
