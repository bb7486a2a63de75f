"""What a check says that looks again and again: everything of its class that is true now.

What is new begins, what is no longer true ends, and what is as it was is left alone, so that a
check may run every second.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from recon_streams.alerts import store
from recon_streams.alerts.alarm import Alarm, Facts, Gone, Raised, Signal
from recon_streams.alerts.machine import is_news
from recon_streams.alerts.telling import tell
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork

# What is as it was, in the same words, is counted this often.
COUNTED_SECONDS = 60.0


def raise_alert(unit: UnitOfWork, key: str, facts: Facts, *, at: datetime) -> None:
    """Say that the cause `key` is there; it is told when `unit` commits."""
    tell(unit, [Raised(key=key, at=at, facts=facts)])


def resolve(unit: UnitOfWork, key: str, *, at: datetime, source: str = "time") -> None:
    """Say that the cause `key` is gone; nothing happens if it is not there."""
    tell(unit, [Gone(key=key, at=at, source=source)])


async def known_causes(connection: Session, keys: Iterable[str]) -> set[str]:
    """Return those of `keys` that were ever told of."""
    rows = await connection.fetch(
        "SELECT dedup_key FROM alerts.alert WHERE dedup_key = ANY($1::text[])", list(keys)
    )
    return {row["dedup_key"] for row in rows}


async def keep_true(
    unit: UnitOfWork, alert_class: str, causes: Mapping[str, Facts], *, at: datetime
) -> int:
    """Make the alerts of `alert_class` those of `causes`; return how many begin or end.

    Args:
        unit: The caller's.
        alert_class: Of all `causes`; no other part may raise alerts of this class.
        causes: What is true now, by a name within the class, such as that of a client.
        at: When it was looked at.
    """
    prefix = f"{alert_class.lower()}:"
    there = await _there(unit.connection, alert_class)
    signals: list[Signal] = []
    changes = 0
    for name, facts in causes.items():
        assert facts.alert_class == alert_class, "a check speaks of its own class"
        known = there.get(prefix + name)
        changes += known is None
        if known is None or _says_more(known, facts, at):
            signals.append(Raised(key=prefix + name, at=at, facts=facts))
    gone = there.keys() - {prefix + name for name in causes}
    signals += [Gone(key=key, at=at) for key in sorted(gone)]
    tell(unit, signals)
    return changes + len(gone)


async def _there(connection: Session, alert_class: str) -> dict[str, Alarm]:
    rows = await connection.fetch(
        "SELECT dedup_key, body FROM alerts.alert WHERE alert_class = $1 AND state <> 'RESOLVED'",
        alert_class,
    )
    return {row["dedup_key"]: store.alarm_from(row["body"]) for row in rows}


def _says_more(known: Alarm, facts: Facts, at: datetime) -> bool:
    # Other words for the same cause are kept with it, and told to nobody by themselves.
    return (
        is_news(facts, known.facts)
        or facts.summary != known.facts.summary
        or (at - known.last_seen).total_seconds() >= COUNTED_SECONDS
    )
