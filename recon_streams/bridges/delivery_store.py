"""The SQL of bridges: where each sink has arrived, what it took, and who works for it now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import asyncpg
import msgspec
from msgspec.structs import replace

from recon_streams.alerts.record import alert_of
from recon_streams.alerts.store import alarm_from
from recon_streams.book.connection import Session
from recon_streams.bridges.sink import Answer, Delivery, Known
from topics.alerts import Alert

# Longer than one message takes with everything going wrong; then another process may go on.
TERM_SECONDS: Final = 60
_FIRING_MAX: Final = 5_000


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a sink stands.

    Attributes:
        next_offset: Of the alerts topic, not delivered yet.
        waits: It was left alone for a while that is not over.
        is_disabled: It wanted nothing any more.
        failures: In a row.
        failing_since: Of the first of them.
        renewal_age_seconds: Since it heard what fires; None if never.
    """

    next_offset: int
    waits: bool
    is_disabled: bool
    failures: int
    failing_since: datetime | None
    renewal_age_seconds: float | None


async def is_known(pool: asyncpg.Pool, sink: str) -> bool:
    """Return whether the sink has a place on the topic."""
    found: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT FROM alerts.bridge WHERE sink = $1)", sink
    )
    return found


async def begin(pool: asyncpg.Pool, sink: str, offset: int) -> None:
    """Let a sink that is new begin at `offset`."""
    await pool.execute(
        "INSERT INTO alerts.bridge (sink, next_offset) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        sink,
        offset,
    )


async def claim(pool: asyncpg.Pool, sink: str, owner: str) -> Standing | None:
    """Work for `sink` for a term; None if another process does."""
    row = await pool.fetchrow(
        "UPDATE alerts.bridge SET owner = $2, "
        "owned_until = clock_timestamp() + $3 * interval '1 second' "
        "WHERE sink = $1 AND (owner = $2 OR owned_until < clock_timestamp()) "
        "RETURNING next_offset, failures, failing_since, disabled_at IS NOT NULL AS is_disabled, "
        "coalesce(again_at > clock_timestamp(), false) AS waits, "
        "extract(epoch FROM clock_timestamp() - renewed_at)::float8 AS renewal_age_seconds",
        sink,
        owner,
        TERM_SECONDS,
    )
    return None if row is None else Standing(**dict(row))


async def known(
    pool: asyncpg.Pool, sink: str, dedup_key: str, delivery_id: str
) -> tuple[bool, Known | None]:
    """Return whether the sink was told this already, and what it was last told of the cause."""
    row = await pool.fetchrow(
        "SELECT EXISTS (SELECT FROM alerts.delivery WHERE sink = $1 AND delivery_id = $3) AS done, "
        "d.action, d.identity FROM (SELECT 1) AS one LEFT JOIN LATERAL (SELECT action, identity "
        "FROM alerts.delivery WHERE sink = $1 AND dedup_key = $2 AND outcome = 'SENT' "
        "ORDER BY off DESC LIMIT 1) AS d ON true",
        sink,
        dedup_key,
        delivery_id,
    )
    assert row is not None, "one row is asked for"
    if row["action"] is None:
        return row["done"], None
    identity = None if row["identity"] is None else msgspec.json.decode(row["identity"])
    return row["done"], Known(action=row["action"], identity=identity)


async def record(
    connection: Session, sink: str, offset: int, delivery: Delivery, answer: Answer
) -> None:
    """Record what became of one alert."""
    await connection.execute(
        "INSERT INTO alerts.delivery (sink, delivery_id, dedup_key, version, action, off, outcome, "
        "detail, identity) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        sink,
        delivery.id,
        delivery.alert.dedup_key,
        delivery.alert.version,
        delivery.alert.action,
        offset,
        answer.outcome.value,
        answer.detail,
        _json(answer.identity),
    )


async def passed(
    connection: Session | asyncpg.Pool, sink: str, owner: str, next_offset: int
) -> bool:
    """Go on at `next_offset`, with nothing in the way; return whether it is still our turn."""
    tag = await connection.execute(
        "UPDATE alerts.bridge SET next_offset = greatest(next_offset, $3), failures = 0, "
        "failing_since = NULL, again_at = NULL, trouble = NULL, "
        "owned_until = clock_timestamp() + $4 * interval '1 second' "
        "WHERE sink = $1 AND owner = $2",
        sink,
        owner,
        next_offset,
        TERM_SECONDS,
    )
    return bool(tag == "UPDATE 1")


async def failures(connection: Session, sink: str) -> int:
    """Return how often the sink has failed in a row."""
    found: int = await connection.fetchval(
        "SELECT failures FROM alerts.bridge WHERE sink = $1", sink
    )
    return found


async def failed(
    connection: Session, sink: str, owner: str, *, detail: str, wait_seconds: float
) -> float:
    """Leave the sink alone for a while; return for how many seconds it has been failing."""
    seconds: float | None = await connection.fetchval(
        "UPDATE alerts.bridge SET failures = failures + 1, trouble = $3, "
        "failing_since = coalesce(failing_since, clock_timestamp()), "
        "again_at = clock_timestamp() + $4 * interval '1 second' "
        "WHERE sink = $1 AND owner = $2 "
        "RETURNING extract(epoch FROM clock_timestamp() - failing_since)::float8",
        sink,
        owner,
        detail,
        wait_seconds,
    )
    return seconds or 0.0


async def disable(connection: Session, sink: str, *, detail: str) -> None:
    """Send nothing more until a person says so."""
    await connection.execute(
        "UPDATE alerts.bridge SET disabled_at = clock_timestamp(), trouble = $2 WHERE sink = $1",
        sink,
        detail,
    )


async def enable(connection: Session, sink: str) -> bool:
    """Send to the sink again, from where it was left; return whether it was disabled."""
    tag = await connection.execute(
        "UPDATE alerts.bridge SET disabled_at = NULL, trouble = NULL, failures = 0, "
        "failing_since = NULL, again_at = NULL WHERE sink = $1 AND disabled_at IS NOT NULL",
        sink,
    )
    return bool(tag == "UPDATE 1")


async def renewed(connection: Session, sink: str) -> None:
    """Note that the sink has heard what fires."""
    await connection.execute(
        "UPDATE alerts.bridge SET renewed_at = clock_timestamp() WHERE sink = $1", sink
    )


async def firing(pool: asyncpg.Pool) -> list[Alert]:
    """Return what was told and is not over, as it was told."""
    rows = await pool.fetch(
        "SELECT dedup_key, body FROM alerts.alert WHERE is_told ORDER BY dedup_key LIMIT $1",
        _FIRING_MAX,
    )
    alarms = [(row["dedup_key"], alarm_from(row["body"])) for row in rows]
    return [
        alert_of(key, replace(alarm, facts=alarm.told), "trigger", alarm.last_seen)
        for key, alarm in alarms
        if alarm.told is not None
    ]


def _json(identity: Mapping[str, str] | None) -> str | None:
    return None if identity is None else msgspec.json.encode(identity).decode()
