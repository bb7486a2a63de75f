"""What the keeper sees of storms: how large each is now, whether that is news, and when it is over.

A storm is told when it begins, once more when its first seconds are over, when it becomes more
urgent, when it is twice what was told, and now and then while it grows; never more often than a
person can follow.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import msgspec

from recon_streams.alerts import store
from recon_streams.alerts.alarm import Alarm, Gone, Raised, Repeated, Signal, storm_key
from recon_streams.alerts.classes import AlertClass
from recon_streams.alerts.storm import TOLD_MAX
from recon_streams.alerts.storm_store import totals_of
from recon_streams.alerts.storm_totals import SEVERITIES, has_grown, storm_facts
from recon_streams.book.connection import Session

# Its sums are taken this often.
LOOK_EVERY: Final = timedelta(seconds=10)
# Twice what was told is told again, but not sooner than this; anything more, not sooner than that.
DOUBLED_TOLD_EVERY: Final = timedelta(seconds=30)
GROWN_TOLD_EVERY: Final = timedelta(minutes=5)

_STORMS: Final = (
    "SELECT s.dedup_key, s.body, s.told_at, "  # noqa: S608 - ours
    "EXISTS (SELECT FROM alerts.alert AS c WHERE c.inhibited_by = s.dedup_key "
    "AND c.state <> 'RESOLVED' AND array_position($3::text[], c.severity) "
    "< array_position($3::text[], s.severity)) AS has_news, "
    # What is told by itself, or will be as soon as the storm is over.
    "(SELECT count(*) FROM alerts.alert AS a "
    "WHERE a.alert_class = substr(s.dedup_key, $2) AND a.state <> 'RESOLVED' "
    f"AND {store.COUNTS}) AS there "
    "FROM alerts.alert AS s WHERE s.alert_class = $1 AND s.state <> 'RESOLVED' "
    "ORDER BY s.dedup_key"
)


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """A storm that is on.

    Attributes:
        told_at: When it was told last, by the clock.
        there: How many alerts there are of its class.
        has_news: It stands for something more urgent than it was told as.
    """

    alert_class: str
    alarm: Alarm
    told_at: datetime | None
    there: int
    has_news: bool


async def storms(connection: Session) -> list[Storm]:
    """Return the storms that are on."""
    severities = [each.value for each in SEVERITIES]
    rows = await connection.fetch(
        _STORMS, AlertClass.ALERT_STORM, len(storm_key("")) + 1, severities
    )
    return [
        Storm(
            alert_class=row["dedup_key"].removeprefix(storm_key("")),
            alarm=store.alarm_from(row["body"]),
            told_at=row["told_at"],
            there=row["there"],
            has_news=row["has_news"],
        )
        for row in rows
    ]


async def signals_of_storms(connection: Session, now: datetime) -> list[Signal]:
    """Return what is told of the storms that are on: their growth, and their end."""
    signals: list[Signal] = []
    for storm in await storms(connection):
        is_over = storm.there <= TOLD_MAX
        if not is_over and not storm.has_news and not _is_due(storm.alarm, now):
            continue
        raised = await raised_again(connection, storm.alert_class, storm.alarm, now)
        signals.append(raised)
        if is_over:
            signals.append(Gone(key=raised.key, at=now))
        else:
            signals += _growth(storm, raised)
    return signals


async def raised_again(
    connection: Session,
    alert_class: str,
    known: Alarm | None,
    now: datetime,
    *,
    with_keys: Collection[str] = (),
) -> Raised:
    """Return that there is a storm, with all that it stands for now.

    Args:
        connection: The keeper's.
        alert_class: Of the alerts.
        known: What is known of the storm, if it is on.
        now: The instant of the look.
        with_keys: Alerts that it did not stand for until now.
    """
    totals = await totals_of(connection, alert_class, with_keys=with_keys)
    facts = storm_facts(alert_class, "time", totals, None if known is None else known.facts)
    return Raised(key=storm_key(alert_class), at=now, facts=facts)


def _is_due(alarm: Alarm, now: datetime) -> bool:
    """Return whether it is time for sums: at each look while it is young, now and then later."""
    is_young = now - alarm.first_seen < LOOK_EVERY
    return is_young or not timedelta(0) <= now - alarm.last_seen < LOOK_EVERY


def _growth(storm: Storm, raised: Raised) -> list[Signal]:
    told, told_at = storm.alarm.told, storm.told_at
    if told is None or told_at is None or told.severity is not raised.facts.severity:
        return []  # a change of severity is told in any case
    age = raised.at - told_at
    if age >= DOUBLED_TOLD_EVERY and has_grown(raised.facts, told, twice=True):
        return [Repeated(key=raised.key, at=raised.at, is_worse=True)]
    # Whoever told its beginning did not know what others had not committed yet.
    is_first = timedelta(0) <= told_at - storm.alarm.first_seen < DOUBLED_TOLD_EVERY
    every = DOUBLED_TOLD_EVERY if is_first else GROWN_TOLD_EVERY
    if age >= every and has_grown(raised.facts, told, twice=False):
        return [Repeated(key=raised.key, at=raised.at)]
    return []
