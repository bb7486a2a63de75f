"""What must hold in the book at any moment, asked of it again and again; a yes is never assumed.

The book grows for ever, and a question may not: what was found in order once is not read again, as
nobody may change or delete it. What cannot be judged in time is said to be so.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import asyncpg

# Each query counts violations. They see one snapshot, so a batch under way cannot disturb them.
# They take a step or two by the key for each account, however long its history is.
_BY_ACCOUNT: Final = {
    "account_logs_have_no_gaps": (
        "SELECT count(*) FROM positions.account_state s WHERE s.version <> "
        "(SELECT max(e.sequence) FROM positions.account_event e WHERE e.number = s.number)"
    ),
    "breakers_follow_their_record": (
        "SELECT count(*) FROM positions.account_state AS s LEFT JOIN breaker.scope AS b "
        "USING (number) WHERE b.state IS DISTINCT FROM s.breaker"
    ),
    # What is newest is what was recorded last, and of a scope that is no account its own state too.
    "scopes_follow_their_record": (
        "SELECT count(*) FROM breaker.scope AS b LEFT JOIN LATERAL (SELECT epoch, to_state, reason "
        "FROM breaker.transition AS t WHERE t.scope = b.scope ORDER BY epoch DESC LIMIT 1"
        ") AS t ON true WHERE (b.epoch, b.state, b.reason) IS DISTINCT FROM "
        "(t.epoch, t.to_state, t.reason) OR (b.fold IS NOT NULL AND "
        "convert_from(b.fold, 'UTF8')::json ->> 'state' IS DISTINCT FROM b.state)"
    ),
    # Of each release: two people, what they agreed to, and the epoch they were shown.
    "releases_were_agreed_to": (
        "SELECT count(*) FROM breaker.transition AS t WHERE ((t.from_state = 'OPEN' "
        "AND t.to_state <> 'OPEN') OR t.reason IN ('RESET', 'OVERRIDE')) "
        "AND t.scope NOT LIKE 'drill:%' AND NOT EXISTS (SELECT "
        "FROM approvals.request AS r JOIN approvals.decision AS d USING (request_id) "
        "WHERE r.request_id = t.approval_id AND r.subject = t.scope AND r.epoch = t.epoch - 1 "
        "AND r.maker = t.maker AND d.checker = t.checker AND d.decision = 'APPROVED' "
        "AND breaker.are_two(r.maker, d.checker))"
    ),
    "forced_states_end": (
        "SELECT count(*) FROM breaker.scope "
        "WHERE override_until < clock_timestamp() - interval '1 minute'"
    ),
    # The anchor is the closing of a statement that counts, and what was booked on later days is on
    # top of it, nothing else, and nothing that waits for pages.
    "bank_figures_follow_their_statements": (
        "SELECT count(*) FROM (SELECT number, bank, convert_from(state, 'UTF8')::json AS state "
        "FROM positions.account_state WHERE position('\"stated_on\"' IN state) > 0) AS s "
        "CROSS JOIN LATERAL (SELECT (s.state ->> 'stated_on')::date AS closing_on, "
        "(s.state #>> '{bank,anchor}')::numeric AS closing) AS a "
        "WHERE s.bank <> a.closing + (SELECT coalesce(sum(d.net), 0) FROM positions.bank_day AS d "
        "WHERE d.number = s.number AND d.day > a.closing_on) "
        "- (SELECT coalesce(sum(w.value::numeric), 0) FROM json_each(s.state -> 'held') AS h, "
        "json_each_text(h.value -> 'days') AS w WHERE w.key::date > a.closing_on) OR NOT EXISTS "
        "(SELECT FROM positions.statement AS t WHERE t.number = s.number AND t.closing = a.closing "
        "AND t.closing_on = a.closing_on AND t.status = 'ACCEPTED')"
    ),
    "shortages_are_not_closed": (
        "SELECT count(*) FROM positions.account_state AS s JOIN breaker.scope AS b USING (number) "
        "WHERE s.unexplained < 0 AND s.breaker = 'CLOSED' AND b.override_until IS NULL"
    ),
}
_ONE_ROW: Final = "every_offset_has_one_row"
INVARIANTS: Final = (_ONE_ROW, *_BY_ACCOUNT)

# How far the rows that follow `$2` go, and how many offsets they cover, in one snapshot with the
# position.
_ROWS: Final = """
SELECT s.next_offset, count(i.off) AS rows, coalesce(sum(i.span), 0)::bigint AS covered,
    coalesce(max(i.off + i.span), $2) AS until
FROM book.stream s LEFT JOIN LATERAL (
    SELECT off, span FROM book.input
    WHERE stream = s.stream AND off >= $2 AND off < s.next_offset ORDER BY off LIMIT $3
) AS i ON true
WHERE s.stream = $1 GROUP BY s.next_offset
"""
# Some tenths of a second from a cold disk; and some minutes' worth of inputs under full load.
_ROWS_AT_ONCE: Final = 10_000
_ROWS_A_ROUND: Final = 2_000_000

_NOT_IN_TIME: Final = (
    TimeoutError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
)


class InvariantChecks:
    """The questions, and how far the inputs of each stream were found in order."""

    def __init__(self, pool: asyncpg.Pool, *, rows_at_once: int = _ROWS_AT_ONCE) -> None:
        """Ask the book of `pool`; one statement reads at most `rows_at_once` inputs."""
        self._pool = pool
        self._rows_at_once = rows_at_once
        self._through: dict[int, int] = {}
        self._torn = 0

    async def violations(self) -> Mapping[str, int | None]:
        """Return how often each invariant is broken; None where that took too long to say."""
        found = {_ONE_ROW: await _in_time(self._torn_inputs)}
        for name, query in _BY_ACCOUNT.items():
            found[name] = await _in_time(partial(self._pool.fetchval, query))
        return found

    async def _torn_inputs(self) -> int:
        """Return how many stretches of inputs did not cover their offsets once, so far."""
        for stream, first in await self._pool.fetch("SELECT stream, first_offset FROM book.stream"):
            self._through.setdefault(stream, first)
            for _ in range(_ROWS_A_ROUND // self._rows_at_once):
                if not await self._read_on(stream):
                    break
        return self._torn

    async def _read_on(self, stream: int) -> bool:
        """Judge the next rows of `stream`; return whether more may follow."""
        checked = self._through[stream]
        row = await self._pool.fetchrow(_ROWS, stream, checked, self._rows_at_once)
        assert row is not None, "streams are never deleted"
        is_last = row["rows"] < self._rows_at_once
        until = row["next_offset"] if is_last else row["until"]
        self._torn += row["covered"] != until - checked
        self._through[stream] = max(until, row["until"])
        return not is_last


async def _in_time(ask: Callable[[], Awaitable[int]]) -> int | None:
    try:
        return await ask()
    except _NOT_IN_TIME:
        return None
