"""The life of an alert: one cause, one signal, and what on-call hears of it. Pure.

    (nothing) ──raised──▶ FIRING ──acknowledged──▶ ACKNOWLEDGED
                          ▲    │                     │   │
                          │    └────────gone─────────│───┤
                       raised        worse: FIRING ◀─┘   │
                          └───────── RESOLVED ◀──────────┘

What is inhibited lives in the same way and is not told. When the alert that is told instead ends,
what is still there is told. What is critical is told, whatever else is; only a storm of its own
class, which is then told as critical, stands for it.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from recon_streams.alerts.alarm import (
    QUIET,
    Acknowledged,
    Alarm,
    AlarmState,
    Covered,
    Facts,
    Gone,
    Raised,
    Released,
    Repeated,
    Signal,
    feed_key,
    storm_key,
)
from recon_streams.alerts.classes import ENDED_BY_ACKNOWLEDGEMENT
from recon_streams.kernel.money import multiply
from topics.alerts import AlertAction, Severity

_RANK: Final = {
    Severity.INFO: 0,
    Severity.WARNING: 1,
    Severity.ERROR: 2,
    Severity.CRITICAL: 3,
}
# A figure that grows slowly is told in strides: whoever looks sees the newest anyway.
_STRIDE: Final = Decimal(2)
_MEASURES: Final = ("unexplained", "difference")


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """The alarm after a signal, and what is told of it, if anything."""

    alarm: Alarm
    action: AlertAction | None = None


def advance(alarm: Alarm | None, signal: Signal) -> Advance | None:
    """Return what `signal` makes of `alarm`; None if it changes nothing.

    Args:
        alarm: What was known; None of a cause that was never there.
        signal: What is said of it now.
    """
    if isinstance(signal, Raised):
        return _raised(alarm, signal)
    if alarm is None or alarm.is_over:
        return None
    match signal:
        case Gone():
            return _ended(alarm, signal.at, source=signal.source)
        case Acknowledged():
            return _acknowledged(alarm, signal)
        case Covered():
            return _covered(alarm, signal)
        case Released() | Repeated():
            return _told_again(alarm, signal)
        case _:
            assert_never(signal)


def is_worse(facts: Facts, told: Facts) -> bool:
    """Return whether `facts` are more urgent than what was told, or much more money."""
    if _RANK[facts.severity] != _RANK[told.severity]:
        return _RANK[facts.severity] > _RANK[told.severity]
    for name in _MEASURES:
        if name in facts.amounts and name in told.amounts:
            now, before = abs(Decimal(facts.amounts[name])), abs(Decimal(told.amounts[name]))
            return now > multiply(before, _STRIDE)
    return False


def is_news(facts: Facts, told: Facts) -> bool:
    """Return whether whoever knows `told` must hear of `facts`."""
    return _identity(facts) != _identity(told) or is_worse(facts, told)


def _identity(facts: Facts) -> tuple[object, ...]:
    return (facts.alert_class, facts.severity, facts.tier, facts.status, facts.epoch, facts.scope)


def _raised(alarm: Alarm | None, signal: Raised) -> Advance:
    facts, at = signal.facts, signal.at
    if alarm is None or alarm.is_over or _ends_quiet(alarm, signal):
        alarm = Alarm(
            state=AlarmState.FIRING,
            facts=facts,
            first_seen=at,
            last_seen=at,
            lives=1 if alarm is None else alarm.lives + alarm.is_over,
            version=0 if alarm is None else alarm.version,
        )
    else:
        # Whoever has it in hand does not know that it became worse.
        is_new = is_worse(facts, alarm.told or alarm.facts)
        alarm = replace(
            alarm,
            state=AlarmState.FIRING if is_new else alarm.state,
            facts=facts,
            last_seen=max(at, alarm.last_seen),
            count=alarm.count + 1,
        )
    if alarm.told is None:
        return _first_told(alarm, signal)
    if _waits_for_feed(facts) and not alarm.told.awaits_feed:
        # Something else was told until now; this may be told as a part of another one.
        assert facts.feed is not None, "who waits for a feed has one"
        return _inhibited(alarm, feed_key(facts.feed))
    return _told(alarm) if is_news(facts, alarm.told) else Advance(alarm=alarm)


def _ends_quiet(alarm: Alarm, signal: Raised) -> bool:
    """Return whether what was no trouble yet is another one now: it began when that was found."""
    was_quiet = alarm.inhibited_by == QUIET
    return was_quiet and not signal.is_quiet and signal.facts.alert_class != alarm.facts.alert_class


def _first_told(alarm: Alarm, signal: Raised) -> Advance:
    """Return `alarm` told, or inhibited: by what inhibits it already, or by what `signal` names."""
    facts, by, storm = alarm.facts, alarm.inhibited_by, storm_key(alarm.facts.alert_class)
    inhibitor = None
    if facts.is_critical:
        inhibitor = storm if signal.instead == storm else None
    elif signal.is_quiet:
        inhibitor = QUIET
    else:
        # A storm goes on for as long as the class is the same; nothing else is kept.
        inhibitor = by if by == storm else signal.instead
        if facts.feed is not None and _waits_for_feed(facts):
            inhibitor = feed_key(facts.feed)
    if inhibitor is None:
        return _told(_uninhibited(alarm))
    if inhibitor == alarm.inhibited_by:
        return Advance(alarm=alarm)
    return Advance(alarm=replace(alarm, inhibited_by=inhibitor))


def _waits_for_feed(facts: Facts) -> bool:
    return facts.awaits_feed and facts.feed is not None and not facts.is_critical


def _covered(alarm: Alarm, signal: Covered) -> Advance | None:
    is_storm = signal.by == storm_key(alarm.facts.alert_class)
    if alarm.facts.is_critical and (alarm.told is not None or not is_storm):
        return None
    if alarm.inhibited_by == signal.by:
        return None
    return _inhibited(alarm, signal.by)


def _inhibited(alarm: Alarm, by: str) -> Advance:
    """Return `alarm` told no more, because `by` is told, or may be, instead."""
    was_told = alarm.told is not None
    alarm = replace(alarm, inhibited_by=by, told=None)
    if was_told:
        return Advance(alarm=replace(alarm, version=alarm.version + 1), action="resolve")
    return Advance(alarm=alarm)


def _acknowledged(alarm: Alarm, signal: Acknowledged) -> Advance | None:
    if alarm.facts.alert_class in ENDED_BY_ACKNOWLEDGEMENT:
        return _ended(alarm, signal.at, source="person")
    if alarm.state is AlarmState.ACKNOWLEDGED:
        return None
    alarm = replace(alarm, state=AlarmState.ACKNOWLEDGED)
    if alarm.told is None:
        return Advance(alarm=alarm)
    return Advance(alarm=replace(alarm, version=alarm.version + 1), action="acknowledge")


def _ended(alarm: Alarm, at: datetime, *, source: str) -> Advance:
    was_told = alarm.told is not None
    ended = replace(
        _uninhibited(alarm),
        state=AlarmState.RESOLVED,
        facts=replace(alarm.facts, source=source, feed=None, awaits_feed=False),
        last_seen=max(at, alarm.last_seen),
        told=None,
    )
    if was_told:
        return Advance(alarm=replace(ended, version=ended.version + 1), action="resolve")
    return Advance(alarm=ended)


def _told_again(alarm: Alarm, signal: Released | Repeated) -> Advance | None:
    if isinstance(signal, Released):
        is_due = alarm.inhibited_by == signal.by
    else:
        is_in_hand = alarm.state is AlarmState.ACKNOWLEDGED
        is_due = alarm.told is not None and (signal.is_worse or not is_in_hand)
        if signal.is_worse:
            alarm = replace(alarm, state=AlarmState.FIRING)
    return _told(_uninhibited(alarm)) if is_due else None


def _told(alarm: Alarm) -> Advance:
    told = replace(alarm, told=alarm.facts, version=alarm.version + 1)
    return Advance(alarm=told, action="trigger")


def _uninhibited(alarm: Alarm) -> Alarm:
    return replace(alarm, inhibited_by=None)
