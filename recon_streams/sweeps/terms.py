"""What holds for all sweeps of an installation, and when an account of it is due."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from recon_streams.book.connection import Session
from recon_streams.positions.directory import Account
from recon_streams.registry.definition import (
    AccountDefinition,
    AccountSweep,
    definition_from_bytes,
)
from recon_streams.schedule.planner import next_aligned
from topics.ticks import SweepTick

KIND: Final = "sweep"


@dataclass(frozen=True, kw_only=True)
class SweepTerms:
    """What holds for all sweeps.

    Attributes:
        horizon: A drift that needs longer to its limit is no warning.
        confirm_after: When a bank that differs is asked again.
        give_up_after: When a question that nobody answered is over.
        window: How long one report is about.
        window_grace: How long after its end it is made.
    """

    horizon: timedelta = timedelta(hours=24)
    confirm_after: timedelta = timedelta(seconds=20)
    give_up_after: timedelta = timedelta(seconds=60)
    window: timedelta = timedelta(minutes=30)
    window_grace: timedelta = timedelta(seconds=180)


def next_sweep(definition: AccountDefinition, after: datetime) -> datetime:
    """Return the first instant after `after` at which the account is swept.

    Aligned to the hour, in UTC: a window of reports is whole for every account, and the hour that a
    change of clocks adds or takes has as many sweeps as any other.
    """
    return next_aligned(after, every=timedelta(minutes=definition.sweep.every_minutes))


def sweep_tick(definition: AccountDefinition, due_at: datetime) -> SweepTick:
    """Return the tick of an account at an instant."""
    return SweepTick(account_id=definition.account_id, currency=definition.currency, due_at=due_at)


@dataclass
class SweepPlans:
    """How each account is swept, by the definition its rules come from; read once for each."""

    _known: dict[tuple[int, int], AccountSweep] = field(default_factory=dict)

    async def of(
        self, connection: Session, accounts: Collection[Account]
    ) -> dict[int, AccountSweep]:
        """Return the terms of `accounts`, by number."""
        keys = {(account.number, account.rules.version) for account in accounts}
        missing = sorted(keys - self._known.keys())
        if missing:
            rows = await connection.fetch(
                "SELECT v.number, v.version, v.definition "
                "FROM unnest($1::int[], $2::int[]) AS k(number, version) "
                "JOIN positions.account_version AS v USING (number, version)",
                [number for number, _ in missing],
                [version for _, version in missing],
            )
            for row in rows:
                sweep = definition_from_bytes(row["definition"]).sweep
                self._known[row["number"], row["version"]] = sweep
        return {number: self._known[number, version] for number, version in keys}
