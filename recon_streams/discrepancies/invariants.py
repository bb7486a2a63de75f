"""Whether each discrepancy is what its actions add up to; asked for ever, a part at a time."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

import asyncpg

from recon_streams.discrepancies import store
from recon_streams.discrepancies.action import action_from_text
from recon_streams.discrepancies.life import NotPossible, folded

ROW_IS_FOLD: Final = "discrepancies_are_the_fold_of_their_actions"
INVARIANTS: Final = (ROW_IS_FOLD,)

# A round takes some tenths of a second; the next one goes on where this one ended.
_ACTIONS_A_ROUND: Final = 20_000
_DISCREPANCIES_A_ROUND: Final = 2_000

_NOT_IN_TIME: Final = (
    TimeoutError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
)

# As many as have that many actions together, but one at least.
_NEXT: Final = f"""
WITH next AS (
    SELECT id FROM (
        SELECT id, version, sum(version) OVER (ORDER BY id) AS through FROM (
            SELECT id, version FROM discrepancies.discrepancy WHERE id > $1 ORDER BY id LIMIT $2
        ) AS following
    ) AS counted WHERE through - version < $3
)
SELECT {store.COLUMNS}, a.body
FROM next JOIN discrepancies.discrepancy AS d USING (id)
LEFT JOIN discrepancies.action AS a ON a.discrepancy = d.id
ORDER BY d.id, a.sequence
"""  # noqa: S608 - our own text


class DiscrepancyChecks:
    """The question, and up to which discrepancy it was asked."""

    def __init__(self, pool: asyncpg.Pool, *, actions_a_round: int = _ACTIONS_A_ROUND) -> None:
        """Ask the book of `pool`; one round reads about `actions_a_round` actions."""
        self._pool = pool
        self._actions_a_round = actions_a_round
        self._through = 0

    async def violations(self) -> Mapping[str, int | None]:
        """Return how many of the next discrepancies are broken; None if it took too long to say.

        After the last one it begins again with the first: what is in order can be spoiled later.
        """
        try:
            rows = await self._pool.fetch(
                _NEXT, self._through, _DISCREPANCIES_A_ROUND, self._actions_a_round
            )
        except _NOT_IN_TIME:
            return {ROW_IS_FOLD: None}
        self._through = rows[-1]["id"] if rows else 0
        grouped = groupby(rows, itemgetter("id"))
        return {ROW_IS_FOLD: sum(not _is_fold(list(actions)) for _, actions in grouped)}


def _is_fold(rows: Sequence[asyncpg.Record]) -> bool:
    """Return whether the discrepancy in the first of `rows` is the fold of the actions in all."""
    bodies = [row["body"] for row in rows if row["body"] is not None]
    if not bodies:
        return False
    try:
        life = folded(action_from_text(body) for body in bodies)
    except NotPossible:
        return False
    return life == store.discrepancy_of(rows[0]).life
