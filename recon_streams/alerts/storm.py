"""When telling each alert of a class would hide the one that matters. Pure.

A bank that is late leaves a thousand accounts without a statement, and a file that never came a
thousand payments without a partner. On-call is told of that once. What is critical is told one by
one as well, but no more of it than anybody can read: beyond that the storm itself is critical.
"""

from typing import Final, TypeGuard

import msgspec

from recon_streams.alerts.alarm import Raised, Signal, storm_key

# Of one class; beyond, on-call reads the list.
TOLD_MAX: Final = 50
# Higher counts are not worth counting.
COUNTED_MAX: Final = 1_000


class Weather(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How many alerts of a class are there beside those a unit speaks of, and whether in a storm.

    Attributes:
        others: Counted up to `COUNTED_MAX`.
        critical_told: Critical ones among them that are told by themselves.
        is_storm: Whether on-call was told that there are too many, and not that it is over.
    """

    others: int
    critical_told: int = 0
    is_storm: bool


def weathered(signals: list[Signal], weather: dict[str, Weather]) -> tuple[list[Signal], list[str]]:
    """Return `signals` as they are told in this weather, and the classes whose storm begins.

    Args:
        signals: What a unit says, of any class.
        weather: By alert class.
    """
    raised: dict[str, set[str]] = {}
    for signal in signals:
        if _is_counted(signal):
            raised.setdefault(signal.facts.alert_class, set()).add(signal.key)
    found = {name: weather[name] for name in raised if name in weather}
    begin = [
        name
        for name, seen in found.items()
        if not seen.is_storm and seen.others + len(raised[name]) > TOLD_MAX
    ]
    stormy = {name for name, seen in found.items() if seen.is_storm} | set(begin)
    # How many more critical ones are told by themselves.
    places = {name: TOLD_MAX - found[name].critical_told for name in stormy}
    told: list[Signal] = []
    for signal in signals:
        if not _is_counted(signal) or signal.facts.alert_class not in stormy:
            told.append(signal)
            continue
        alert_class = signal.facts.alert_class
        if signal.facts.is_critical and places[alert_class] > 0:
            places[alert_class] -= 1
            told.append(signal)
        else:
            told.append(msgspec.structs.replace(signal, instead=storm_key(alert_class)))
    return told, begin


def _is_counted(signal: Signal) -> TypeGuard[Raised]:
    """Return whether it would be told by itself, as far as feeds are concerned."""
    return (
        isinstance(signal, Raised)
        and not signal.facts.awaits_feed
        and not signal.is_quiet
        and signal.instead is None
    )
