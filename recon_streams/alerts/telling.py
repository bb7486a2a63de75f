"""How any part of the product tells on-call: within its own unit of work, once, at its end.

What is said while a unit works is collected. Just before the commit the rows of all its causes are
locked in one order, folded, and written beside the records that leave. So two units never wait for
each other in a circle, however many parts of each have spoken, and an alert is out if, and only if,
what led to it is in the book.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from recon_streams.alerts import store
from recon_streams.alerts.alarm import Alarm, AlarmState, Raised, Signal, storm_key
from recon_streams.alerts.machine import Advance, advance
from recon_streams.alerts.record import record_of
from recon_streams.alerts.storm import weathered
from recon_streams.alerts.storm_store import totals_of
from recon_streams.alerts.storm_totals import storm_facts
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.log.record import OutgoingRecord


class Telling:
    """What one unit of work says."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self.signals: list[Signal] = []

    async def end(self, unit: UnitOfWork) -> None:
        """Fold what was said into the alerts, and write and publish with `unit`."""
        said, self.signals = self.signals, []
        if not said:
            return
        said, known = await _locked(unit, said)
        alarms: dict[str, Alarm] = {}
        happened: list[tuple[Signal, Advance]] = []
        records: list[OutgoingRecord] = []
        for signal in said:
            before = alarms.get(signal.key) or known.get(signal.key)
            taken = advance(before, signal)
            if taken is None:
                continue
            alarms[signal.key] = taken.alarm
            if _is_worth_a_line(before, taken):
                happened.append((signal, taken))
            if taken.action is not None:
                records.append(record_of(signal.key, taken.alarm, taken.action, signal.at))
        store.write(unit, alarms, happened)
        unit.publish(records)


def tell(unit: UnitOfWork, signals: Iterable[Signal]) -> None:
    """Say `signals`, in order, when `unit` commits; nothing is said if it does not.

    Nothing is awaited here. The rows of the causes are locked at the end of the unit, so it does
    not matter what the caller locks before or after.
    """
    unit.at_end(Telling).signals.extend(signals)


async def _locked(unit: UnitOfWork, said: list[Signal]) -> tuple[list[Signal], dict[str, Alarm]]:
    """Return `said` as it is told in this weather, and what is known of its causes, locked."""
    connection = unit.connection
    raised = [signal for signal in said if isinstance(signal, Raised)]
    classes = {signal.facts.alert_class for signal in raised if not signal.facts.awaits_feed}
    keys = {signal.key for signal in said}
    begin: list[str] = []
    if raised:
        new = {signal.key for signal in raised}
        weather = await store.make_and_look(connection, new, classes, keys)
        said, begin = weathered(await _of_feeds(unit, said), weather)
    storms = {storm_key(alert_class) for alert_class in begin}
    if storms:
        # Those that begin come after everything else, with everybody.
        await store.make(connection, storms)
    known = await store.lock(connection, keys | storms)
    return said + [await _storm(unit, each, said, known) for each in begin], known


async def _of_feeds(unit: UnitOfWork, said: list[Signal]) -> list[Signal]:
    """Return `said`; what follows from the silence of a bank is told with that silence."""
    scopes = {
        signal.facts.scope
        for signal in said
        if isinstance(signal, Raised) and signal.facts.is_of_feed and signal.facts.scope is not None
    }
    if not scopes:
        return said
    silent = await store.silent_feeds(unit.connection, scopes)
    return [
        replace(signal, instead=silent.get(signal.facts.scope or ""))
        if isinstance(signal, Raised) and signal.facts.is_of_feed
        else signal
        for signal in said
    ]


async def _storm(
    unit: UnitOfWork, alert_class: str, said: list[Signal], known: Mapping[str, Alarm]
) -> Signal:
    """Return the beginning of a storm with all that it stands for: in the book, and in `said`."""
    speaking = {signal.key for signal in said}
    totals = await totals_of(unit.connection, alert_class, without_keys=speaking)
    newest = {
        signal.key: signal
        for signal in said
        if isinstance(signal, Raised) and signal.facts.alert_class == alert_class
    }
    for key, signal in newest.items():
        is_told = key in known and known[key].told is not None
        is_untold = signal.instead == storm_key(alert_class) and not is_told
        totals = totals.with_alert(signal.facts, is_untold=is_untold)
    *_, last = newest.values()
    facts = storm_facts(alert_class, last.facts.source, totals)
    return Raised(key=storm_key(alert_class), at=last.at, facts=facts)


def _is_worth_a_line(before: Alarm | None, taken: Advance) -> bool:
    """Return whether more happened than that the same was found again."""
    if before is None or taken.action is not None:
        return True
    after = taken.alarm
    was_over = before.state is AlarmState.RESOLVED
    return (
        before.state is not after.state
        or was_over
        or before.inhibited_by != after.inhibited_by
        or before.facts.alert_class != after.facts.alert_class
        or before.facts.severity is not after.facts.severity
    )
