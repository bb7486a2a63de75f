"""The SQL of alerts: the rows of causes, locked in one order, and what happened to them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from recon_streams.alerts.alarm import QUIET, Acknowledged, Alarm, Signal
from recon_streams.alerts.machine import Advance
from recon_streams.alerts.storm import COUNTED_MAX, TOLD_MAX, Weather
from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Alarm)

# Rows are made before any is locked, and both in the order of their keys, so that of two units
# that speak of the same causes one waits for the other and never both.
_MAKE: Final = (
    "INSERT INTO alerts.alert (dedup_key) SELECT key FROM unnest($1::text[]) AS k(key) "
    "ORDER BY key ON CONFLICT DO NOTHING"
)
_LOCK: Final = (
    "SELECT dedup_key, body FROM alerts.alert WHERE dedup_key = ANY($1::text[]) "
    "ORDER BY dedup_key FOR UPDATE"
)
# A storm counts what on-call would have to read, not what waits for a feed or is quiet.
COUNTS: Final = f"coalesce(a.inhibited_by NOT LIKE 'feed:%' AND a.inhibited_by <> '{QUIET}', true)"
_WEATHER: Final = (
    f"WITH made AS ({_MAKE}) "  # noqa: S608 - ours
    "SELECT k.alert_class, EXISTS (SELECT FROM alerts.alert AS s "
    "WHERE s.dedup_key = 'storm:' || k.alert_class AND s.state <> 'RESOLVED') AS is_storm, "
    "(SELECT count(*) FROM (SELECT FROM alerts.alert AS a WHERE a.alert_class = k.alert_class "
    f"AND a.state <> 'RESOLVED' AND {COUNTS} "
    "AND a.dedup_key <> ALL($3::text[]) LIMIT $4) AS c) AS others, "
    "(SELECT count(*) FROM (SELECT FROM alerts.alert AS a WHERE a.alert_class = k.alert_class "
    "AND a.is_told AND a.severity = 'critical' AND a.dedup_key <> ALL($3::text[]) "
    f"LIMIT {TOLD_MAX}) AS c) AS critical_told "
    "FROM unnest($2::text[]) AS k(alert_class)"
)
_COLUMNS: Final = {
    "dedup_key": "text",
    "alert_class": "text",
    "severity": "text",
    "state": "text",
    "scope": "text",
    "feed": "text",
    "is_told": "boolean",
    "inhibited_by": "text",
    "quiet_until": "timestamptz",
    "first_seen": "timestamptz",
    "last_seen": "timestamptz",
    "version": "bigint",
    "body": "jsonb",
}
_ALERT: Final = Bulk(
    "alert",
    tuple(_COLUMNS.items()),
    "UPDATE alerts.alert AS a SET "  # noqa: S608 - ours
    + ", ".join(f"{column} = r.{column}" for column in _COLUMNS if column != "dedup_key")
    # How long on-call has known, or waits, goes by the clock; what happened may be long ago.
    + ", told_at = CASE WHEN NOT r.is_told THEN NULL WHEN r.version = a.version THEN a.told_at "
    "ELSE clock_timestamp() END, inhibited_at = CASE WHEN r.inhibited_by IS NULL THEN NULL "
    "WHEN r.inhibited_by = a.inhibited_by THEN a.inhibited_at ELSE clock_timestamp() END"
    + " FROM {rows} AS r WHERE a.dedup_key = r.dedup_key",
)
_EVENT: Final = Bulk.insert(
    "alerts.event",
    {
        "dedup_key": "text",
        "at": "timestamptz",
        "what": "text",
        "action": "text",
        "version": "bigint",
        "state": "text",
        "severity": "text",
        "alert_class": "text",
        "summary": "text",
        "count": "int",
        "inhibited_by": "text",
        "actor": "text",
        "reason": "text",
    },
)


async def make_and_look(
    connection: Session, new: Collection[str], classes: Collection[str], keys: Collection[str]
) -> dict[str, Weather]:
    """Make rows for those of `new` that were never there; return the weather of `classes`.

    Both at once, because a unit that trips a breaker waits for it. `keys` are not counted.
    """
    rows = await connection.fetch(_WEATHER, sorted(new), sorted(classes), sorted(keys), COUNTED_MAX)
    return {
        row["alert_class"]: Weather(
            others=row["others"], critical_told=row["critical_told"], is_storm=row["is_storm"]
        )
        for row in rows
    }


async def silent_feeds(connection: Session, scopes: Collection[str]) -> dict[str, str]:
    """Return what is told instead of the silence of each of `scopes` that is not told by itself."""
    rows = await connection.fetch(
        "SELECT scope, inhibited_by FROM alerts.alert WHERE scope = ANY($1::text[]) "
        "AND state <> 'RESOLVED' AND inhibited_by = 'feed:' || feed",
        sorted(scopes),
    )
    return {row["scope"]: row["inhibited_by"] for row in rows}


async def make(connection: Session, keys: Collection[str]) -> None:
    """Make rows for the causes that were never there."""
    await connection.execute(_MAKE, sorted(keys))


async def lock(connection: Session, keys: Collection[str]) -> dict[str, Alarm]:
    """Lock the rows of `keys` until the unit ends; return what is known of those that ever were."""
    rows = await connection.fetch(_LOCK, sorted(keys))
    return {row["dedup_key"]: alarm_from(row["body"]) for row in rows if row["body"] is not None}


def alarm_from(body: str | bytes) -> Alarm:
    """Return the alarm that is spelled so in the book."""
    return _DECODER.decode(body)


def write(
    unit: UnitOfWork, alarms: Mapping[str, Alarm], happened: Iterable[tuple[Signal, Advance]]
) -> None:
    """Write the newest of each cause, and what happened."""
    unit.write(_ALERT, [_row(key, alarm) for key, alarm in alarms.items()])
    unit.write(_EVENT, [_event(signal, advance) for signal, advance in happened])


def _row(key: str, alarm: Alarm) -> tuple[object, ...]:
    facts = alarm.facts
    return (
        key,
        facts.alert_class,
        facts.severity.value,
        alarm.state.value,
        facts.scope,
        None if alarm.is_over else facts.feed,
        alarm.told is not None,
        alarm.inhibited_by,
        facts.quiet_until if alarm.inhibited_by == QUIET else None,
        alarm.first_seen,
        alarm.last_seen,
        alarm.version,
        _ENCODER.encode(alarm).decode(),
    )


def _event(signal: Signal, advance: Advance) -> tuple[object, ...]:
    alarm = advance.alarm
    person = signal if isinstance(signal, Acknowledged) else None
    return (
        signal.key,
        signal.at,
        type(signal).__name__.lower(),
        advance.action,
        alarm.version,
        alarm.state.value,
        alarm.facts.severity.value,
        alarm.facts.alert_class,
        alarm.facts.summary,
        alarm.count,
        alarm.inhibited_by,
        person.actor if person else None,
        person.reason if person else None,
    )
