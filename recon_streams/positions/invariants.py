"""What must hold in the book at any moment, asked of it again and again; a yes is never assumed."""

from typing import Final

import asyncpg

# Each query counts violations. They see one snapshot, so a batch under way cannot disturb them.
INVARIANTS: Final = {
    "every_offset_has_one_row": (
        "SELECT count(*) FROM book.stream s WHERE s.next_offset - s.first_offset <> "
        "(SELECT coalesce(sum(i.span), 0) FROM book.input i WHERE i.stream = s.stream)"
    ),
    "account_logs_have_no_gaps": (
        "SELECT count(*) FROM positions.account_state s WHERE s.version <> "
        "(SELECT max(e.sequence) FROM positions.account_event e WHERE e.number = s.number)"
    ),
    "breakers_follow_their_record": (
        "SELECT count(*) FROM positions.account_state s WHERE s.breaker <> "
        "(SELECT t.to_state FROM positions.breaker_transition t WHERE t.number = s.number "
        "ORDER BY t.epoch DESC LIMIT 1)"
    ),
    "shortages_are_not_closed": (
        "SELECT count(*) FROM positions.account_state WHERE unexplained < 0 AND breaker = 'CLOSED'"
    ),
}


async def violations(pool: asyncpg.Pool) -> dict[str, int]:
    """Return how often each invariant is broken."""
    return {name: await pool.fetchval(query) for name, query in INVARIANTS.items()}
