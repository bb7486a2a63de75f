"""What on-call is told of a breaker: which of its states are worth a page, and how urgent. Pure.

An account has one alert, for its position and its breaker together: a shortage that opens the
breaker is one page, and stays one until both are in order again. Scopes above accounts have their
own. A state that people forced is told beside all that, loudly, for as long as it lasts.
"""

from datetime import datetime
from typing import Final

import msgspec

from recon_streams.alerts.alarm import Facts, Gone, Raised, Signal
from recon_streams.alerts.classes import AlertClass, Component
from topics.alerts import Severity
from topics.breaker import BreakerState

_DRILL: Final = "drill:"


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A scope of the breaker, as on-call must know it.

    Attributes:
        reason: The reason code of its newest transition.
        since: When it entered this state.
        flapping: Whether it changed too often and is held.
        forced_until: When a state ends that two people forced; None if none is forced.
    """

    scope: str
    state: BreakerState
    epoch: int
    reason: str
    since: datetime
    flapping: bool = False
    forced_until: datetime | None = None

    @property
    def alert_class(self) -> AlertClass | None:
        """Return what there is to tell of the state; None of one that lets payouts pass."""
        if self.state is BreakerState.CLOSED:
            return None
        if self.flapping:
            return AlertClass.FLAPPING
        is_open = self.state is BreakerState.OPEN
        return AlertClass.BREAKER_OPEN if is_open else AlertClass.BREAKER_SUSPENDED

    @property
    def severity(self) -> Severity:
        """Return how urgent the state is by itself; what led to it may be more so."""
        match self.alert_class:
            case AlertClass.BREAKER_OPEN | AlertClass.FLAPPING:
                return Severity.ERROR
            case AlertClass.BREAKER_SUSPENDED:
                return Severity.WARNING
            case _:
                return Severity.INFO

    def summary(self) -> str:
        """Return what is told of the state, in words."""
        match self.alert_class:
            case AlertClass.BREAKER_OPEN:
                what = "all payouts are stopped until two people release them"
            case AlertClass.FLAPPING:
                what = "the breaker changed too often and is held until it has been calm"
            case _:
                what = "no new payouts until enough proof has come"
        return f"{self.scope} is {self.state.value} by {self.reason}: {what}"


def scope_signals(stop: Stop, *, at: datetime, source: str = "person") -> list[Signal]:
    """Return what is told of a scope that is not an account, after a transition of it."""
    if stop.scope.startswith(_DRILL):
        return []  # no payout hangs on it
    key = f"breaker:{stop.scope}"
    alert_class = stop.alert_class
    told: Signal = Gone(key=key, at=at, source=source)
    if alert_class is not None:
        told = Raised(
            key=key,
            at=at,
            facts=Facts(
                alert_class=alert_class.value,
                # Of many accounts at once, not of one.
                severity=Severity.CRITICAL if stop.state is BreakerState.OPEN else stop.severity,
                summary=stop.summary(),
                component=Component.BREAKER.value,
                source=source,
                scope=stop.scope,
                status=stop.state.value,
                epoch=stop.epoch,
                evidence=f"recon-streams breaker history {stop.scope}",
            ),
        )
    return [told, *override_signals(stop, at=at, source=source)]


def override_signals(stop: Stop, *, at: datetime, source: str) -> list[Signal]:
    """Return that the state of a scope is forced, or that it is not, or not any more."""
    key = f"override:{stop.scope}"
    if stop.forced_until is None:
        return [Gone(key=key, at=at, source=source)]
    since, until = f"{stop.since:%F %H:%M:%S}Z", f"{stop.forced_until:%H:%M:%S}Z"
    facts = Facts(
        alert_class=AlertClass.OVERRIDE_ACTIVE.value,
        severity=Severity.CRITICAL,
        summary=f"{stop.scope} lets payouts pass since {since} and until {until} because two "
        "people forced it, against what the evidence says",
        component=Component.BREAKER.value,
        source="person",
        scope=stop.scope,
        status=stop.state.value,
        epoch=stop.epoch,
        evidence=f"recon-streams breaker history {stop.scope}",
    )
    return [Raised(key=key, at=at, facts=facts)]
