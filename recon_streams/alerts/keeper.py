"""What no single unit can see: feeds that are silent as a whole, storms that end, long troubles.

Looks at the book every few seconds. What it finds goes through the same machine as everything
else, in one unit of work. If it stands still, nothing is lost: what waits is told at its next look.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import msgspec

from recon_streams.alerts.alarm import (
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
from recon_streams.alerts.classes import AlertClass, Component
from recon_streams.alerts.storm import TOLD_MAX
from recon_streams.alerts.storm_watch import raised_again, signals_of_storms, storms
from recon_streams.alerts.telling import tell
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from topics.alerts import Severity

_LOCK: Final = "SELECT pg_try_advisory_xact_lock($1)"
_KEEPER_LOCK: Final = 0x7265636F6E0C
# At one look; the rest has its turn at the next.
_ROWS_MAX: Final = 1_000
# What one look ends, the next one tells.
_LOOKS_MAX: Final = 5

# Of each feed: how many of its accounts it is silent for, and for how many nothing else is wrong.
_SILENT: Final = (
    "SELECT feed, count(*) AS silent, "
    "count(*) FILTER (WHERE (body -> 'facts' ->> 'awaits_feed')::boolean) AS waiting "
    "FROM alerts.alert WHERE feed IS NOT NULL AND state <> 'RESOLVED' GROUP BY feed"
)
_ACTIVE: Final = "SELECT dedup_key FROM alerts.alert WHERE alert_class = $1 AND state <> 'RESOLVED'"
_TOLD_OF_FEED: Final = (
    "SELECT DISTINCT d.dedup_key, p.feed FROM alerts.alert AS p JOIN alerts.alert AS d "
    "ON d.scope = p.scope AND d.state <> 'RESOLVED' AND d.is_told "
    "AND (d.body -> 'facts' -> CASE WHEN d.feed IS NULL THEN 'is_of_feed' ELSE 'awaits_feed' END)"
    "::boolean WHERE p.feed = ANY($1::text[]) AND p.state <> 'RESOLVED' "
    "ORDER BY d.dedup_key LIMIT $2"
)
# What is told by itself; beside it no more is told than anybody can read.
_TOLD_OF_CLASS: Final = (
    "SELECT alert_class, count(*) AS told FROM alerts.alert "
    "WHERE alert_class = ANY($1::text[]) AND is_told AND state <> 'RESOLVED' GROUP BY alert_class"
)
_INHIBITED: Final = (
    "SELECT a.dedup_key, a.alert_class, a.inhibited_by, "
    "a.inhibited_at, "
    "coalesce(b.state, 'RESOLVED') <> 'RESOLVED' AS is_on, b.last_seen AS ended_at "
    "FROM alerts.alert AS a LEFT JOIN alerts.alert AS b ON b.dedup_key = a.inhibited_by "
    "WHERE a.inhibited_by IS NOT NULL AND coalesce(a.quiet_until <= $2, true) "
    "AND coalesce(b.state, 'RESOLVED') = 'RESOLVED' ORDER BY a.dedup_key LIMIT $1"
)
_LONG: Final = (
    "SELECT dedup_key FROM alerts.alert WHERE state = 'FIRING' AND is_told AND told_at <= $1 "
    "AND severity IN ('critical', 'error') ORDER BY told_at LIMIT $2"
)


class KeeperTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the keeper is.

    Attributes:
        feed_hold: How long an account's silence waits for that of its feed, before it is told by
            itself; and how long accounts are given to be heard again when a feed has come back.
        repeat_after: How long until what nobody has in hand is told again.
    """

    feed_hold: timedelta = timedelta(seconds=30)
    repeat_after: timedelta = timedelta(hours=1)


async def keep(
    pool: asyncpg.Pool, feeds: Mapping[str, int], terms: KeeperTerms, *, now: datetime
) -> int:
    """Look until there is nothing more to say; return how much there was.

    Any number of processes may call this; one of them looks.

    Args:
        pool: The book.
        feeds: How many accounts each bank serves, of those that serve several.
        terms: How patient to be.
        now: The instant of the look.
    """
    said = 0
    for look in range(_LOOKS_MAX):
        async with UnitOfWork(pool) as unit:
            if not await unit.connection.fetchval(_LOCK, _KEEPER_LOCK):
                break
            signals = await _signals(unit.connection, feeds, terms, now)
            if look == 0:
                signals += await _long(unit.connection, terms, now)
            tell(unit, signals)
        said += len(signals)
        if not signals:
            break
    return said


async def _signals(
    connection: Session, feeds: Mapping[str, int], terms: KeeperTerms, now: datetime
) -> list[Signal]:
    signals = await _of_feeds(connection, feeds, now)
    signals += await signals_of_storms(connection, now)
    return signals + await _released(connection, signals, terms, now)


async def _long(connection: Session, terms: KeeperTerms, now: datetime) -> list[Signal]:
    """Return what has fired for long, and nobody has in hand."""
    rows = await connection.fetch(_LONG, now - terms.repeat_after, _ROWS_MAX)
    return [Repeated(key=row["dedup_key"], at=now) for row in rows]


async def _of_feeds(connection: Session, feeds: Mapping[str, int], now: datetime) -> list[Signal]:
    """Return which feeds became silent as a whole, and which have come back."""
    active = {
        row["dedup_key"] for row in await connection.fetch(_ACTIVE, AlertClass.BANK_FEED_STALE)
    }
    stale = {
        row["feed"]: feeds[row["feed"]]
        for row in await connection.fetch(_SILENT)
        if row["silent"] >= feeds.get(row["feed"], row["silent"] + 1) and row["waiting"]
    }
    signals: list[Signal] = [
        Raised(key=feed_key(feed), at=now, facts=_stale(feed, accounts))
        for feed, accounts in stale.items()
        if feed_key(feed) not in active
    ]
    # Those that were told before it was clear that it is all of them.
    rows = await connection.fetch(_TOLD_OF_FEED, list(stale), _ROWS_MAX)
    signals += [Covered(key=row["dedup_key"], at=now, by=feed_key(row["feed"])) for row in rows]
    back = active - {feed_key(feed) for feed in stale}
    return signals + [Gone(key=key, at=now) for key in sorted(back)]


def _stale(feed: str, accounts: int) -> Facts:
    return Facts(
        alert_class=AlertClass.BANK_FEED_STALE.value,
        severity=Severity.ERROR,
        summary=f"The bank {feed} is silent: nothing is heard of any of its {accounts} accounts, "
        "and payouts from them wait",
        component=Component.INPUTS.value,
        evidence="recon-streams alerts list --class BANK_SILENT",
    )


async def _released(
    connection: Session, said: list[Signal], terms: KeeperTerms, now: datetime
) -> list[Signal]:
    """Return what is told after all, because what was told instead is over, or never was there.

    Nothing of what waits for those that begin by what is `said` at this look. Too many of a class
    are a storm like any other.
    """
    end = {signal.key for signal in said if isinstance(signal, Gone)}
    begin = {signal.key for signal in said if isinstance(signal, Raised)} - end
    free: dict[str, list[Released]] = {}
    for row in await connection.fetch(_INHIBITED, _ROWS_MAX, now):
        waits = row["inhibited_by"].startswith(feed_key(""))
        since = max(at for at in (row["inhibited_at"], row["ended_at"]) if at is not None)
        if row["inhibited_by"] in begin or (waits and now - since < terms.feed_hold):
            continue
        free.setdefault(row["alert_class"], []).append(
            Released(key=row["dedup_key"], at=now, by=row["inhibited_by"])
        )
    if not free:
        return []
    rows = await connection.fetch(_TOLD_OF_CLASS, list(free))
    told = {row["alert_class"]: row["told"] for row in rows}
    on = {storm_key(each.alert_class): each.alarm for each in await storms(connection)}
    signals: list[Signal] = []
    for alert_class, released in free.items():
        storm = storm_key(alert_class)
        known = None if storm in end else on.get(storm)
        if known is None and told.get(alert_class, 0) + len(released) <= TOLD_MAX:
            signals += released
            continue
        keys = [each.key for each in released]
        signals.append(await raised_again(connection, alert_class, known, now, with_keys=keys))
        signals += [Covered(key=key, at=now, by=storm) for key in keys]
    return signals
