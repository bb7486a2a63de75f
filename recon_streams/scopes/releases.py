"""What let a scope go: its newest release, which two people must have agreed to."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.connection import Session
from topics.breaker import BreakerState

# Spelled as the index is. No payout hangs on a drill.
_RELEASE: Final = """((from_state = 'OPEN' AND to_state <> 'OPEN')
    OR reason IN ('RESET', 'OVERRIDE')) AND scope NOT LIKE 'drill:%'"""
_COLUMNS: Final = "scope, epoch, approval_id, maker, checker, override_until"
_OF_SCOPES: Final = f"""
SELECT s.scope, s.state, r.epoch, r.approval_id, r.maker, r.checker, r.override_until
FROM unnest($1::text[]) AS k (scope) JOIN breaker.scope AS s USING (scope)
CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM breaker.transition AS t
    WHERE t.scope = k.scope AND {_RELEASE} ORDER BY epoch DESC LIMIT 1) AS r
"""  # noqa: S608 - ours
_NEWEST: Final = f"""
SELECT s.state, r.* FROM (SELECT DISTINCT ON (scope) {_COLUMNS} FROM breaker.transition
    WHERE {_RELEASE} ORDER BY scope, epoch DESC) AS r JOIN breaker.scope AS s USING (scope)
"""  # noqa: S608 - ours
_ALL: Final = f"""
SELECT s.state, r.* FROM (SELECT {_COLUMNS} FROM breaker.transition WHERE {_RELEASE}) AS r
JOIN breaker.scope AS s USING (scope) ORDER BY r.scope, r.epoch
"""  # noqa: S608 - ours


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A transition that let a scope go, and who is said to have agreed to it.

    Attributes:
        state: Of the scope now.
        epoch: Of the release.
        override_until: When it ends, if the scope was forced for a while.
    """

    scope: str
    state: BreakerState
    epoch: int
    approval_id: int | None
    maker: str | None
    checker: str | None
    override_until: datetime | None


async def newest_releases(
    connection: Session | asyncpg.Pool, scopes: Collection[str] | None
) -> list[Release]:
    """Return the newest release of each of `scopes` that was ever let go; of every one if None."""
    if scopes is None:
        rows = await connection.fetch(_NEWEST)
    else:
        rows = await connection.fetch(_OF_SCOPES, list(scopes))
    return [_release(row) for row in rows]


async def all_releases(connection: Session | asyncpg.Pool) -> list[Release]:
    """Return every release there was."""
    return [_release(row) for row in await connection.fetch(_ALL)]


def _release(row: asyncpg.Record) -> Release:
    return Release(**(dict(row) | {"state": BreakerState(row["state"])}))
