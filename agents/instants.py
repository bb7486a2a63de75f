"""What time brings: which ticks there are, who decides each, and when they are due.

The one list of both. A kind that is planned and not handled would go to quarantine; one that is
handled and not planned would never come.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from recon_streams.closing.intake import DayTicks
from recon_streams.closing.planner import day_planner
from recon_streams.kernel.calendars import Calendars
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.registry.calendar_file import load_calendars
from recon_streams.runtime.sections import SweepSettings
from recon_streams.schedule.escalation import EscalationHandler, escalation_planner
from recon_streams.schedule.handler import TickHandler
from recon_streams.schedule.intake import TickIntake
from recon_streams.schedule.planner import AccountPlanner, Planner
from recon_streams.sweeps import terms
from recon_streams.sweeps.balances import BankBalances
from recon_streams.sweeps.handler import SweepHandler
from recon_streams.sweeps.table import RollingView
from recon_streams.sweeps.terms import SweepTerms
from recon_streams.sweeps.windows import WindowHandler, window_planner


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What intakes beside the position need; by default what an installation without settings has.

    Attributes:
        view: The rolling table of this worker; empty where there is no worker.
        clients: The payout services that are registered.
    """

    terms: SweepTerms = field(default_factory=SweepTerms)
    view: RollingView = field(default_factory=RollingView)
    calendars: Calendars = field(default_factory=load_calendars)
    clients: tuple[str, ...] = ()


def sweep_terms(settings: SweepSettings) -> SweepTerms:
    """Return the terms of sweeps as the settings say them."""
    return SweepTerms(
        horizon=timedelta(hours=settings.warning_hours),
        confirm_after=timedelta(seconds=settings.confirm_after_seconds),
        give_up_after=timedelta(seconds=settings.give_up_seconds),
        window=timedelta(minutes=settings.window_minutes),
        window_grace=timedelta(seconds=settings.window_grace_seconds),
    )


def make_planners(settings: SweepSettings, calendars: Calendars) -> tuple[Planner, ...]:
    """Return everything that is due at instants."""
    swept = sweep_terms(settings)
    return (
        AccountPlanner(kind=terms.KIND, next_due=terms.next_sweep, make=terms.sweep_tick),
        window_planner(swept),
        escalation_planner(),
        day_planner(calendars),
    )


def make_beside(directories: DirectoryCache, parts: Beside) -> tuple[TickIntake, BankBalances]:
    """Return the intakes of ticks, with everybody who decides some of them, and of answers."""
    handlers: Iterable[TickHandler] = (
        SweepHandler(parts.terms, parts.view),
        WindowHandler(parts.terms, directories, parts.calendars),
        EscalationHandler(parts.calendars),
        DayTicks(parts.calendars),
    )
    return TickIntake(directories, handlers), BankBalances(directories, parts.terms)
