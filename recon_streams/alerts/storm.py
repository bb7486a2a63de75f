"""When telling each alert of a class would hide the one that matters. Pure.

A bank that is late leaves a thousand accounts without a statement, and a file that never came a
thousand payments without a partner. On-call is told of that once; what is critical is always told.
"""

from typing import Final, TypeGuard

import msgspec

from recon_streams.alerts.alarm import Facts, Raised, Signal, storm_key
from recon_streams.alerts.classes import AlertClass, Component
from topics.alerts import Severity

# Of one class; beyond, on-call reads the list.
TOLD_MAX: Final = 50
# Higher counts are not worth counting.
COUNTED_MAX: Final = 1_000


class Weather(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How many alerts of a class are there beside those a unit speaks of, and whether in a storm.

    Attributes:
        others: Counted up to `COUNTED_MAX`.
        is_storm: Whether on-call was told that there are too many, and not that it is over.
    """

    others: int
    is_storm: bool


def weathered(signals: list[Signal], weather: dict[str, Weather]) -> list[Signal]:
    """Return `signals` as they are told in this weather, and the storms that begin with them.

    Args:
        signals: What a unit says, of any class.
        weather: By alert class.
    """
    raised: dict[str, dict[str, Raised]] = {}
    for signal in signals:
        if _is_counted(signal):
            raised.setdefault(signal.facts.alert_class, {})[signal.key] = signal
    begin: list[Signal] = []
    stormy: set[str] = set()
    for alert_class, of_class in raised.items():
        found = weather.get(alert_class)
        if found is None:
            continue
        if found.is_storm:
            stormy.add(alert_class)
        elif found.others + len(of_class) > TOLD_MAX:
            stormy.add(alert_class)
            last = list(of_class.values())[-1]
            facts = storm_facts(alert_class, last.facts.source)
            begin.append(Raised(key=storm_key(alert_class), at=last.at, facts=facts))
    told = [
        msgspec.structs.replace(signal, instead=storm_key(signal.facts.alert_class))
        if _is_counted(signal) and signal.facts.alert_class in stormy
        else signal
        for signal in signals
    ]
    return told + begin


def _is_counted(signal: Signal) -> TypeGuard[Raised]:
    """Return whether it would be told by itself, as far as feeds are concerned."""
    return isinstance(signal, Raised) and not signal.facts.awaits_feed and signal.instead is None


def storm_facts(alert_class: str, source: str) -> Facts:
    """Return what is told of a storm that began with `source`."""
    return Facts(
        alert_class=AlertClass.ALERT_STORM.value,
        severity=Severity.ERROR,
        summary=f"{alert_class}: more than {TOLD_MAX} are firing, and only critical ones are told "
        "one by one",
        component=Component.ALERTS.value,
        source=source,
        evidence=f"recon-streams alerts list --class {alert_class}",
    )
