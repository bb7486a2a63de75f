"""Ends transactions of processes that stand still, so that their locks do not stop their heirs.

The server's own `idle_in_transaction_session_timeout` begins to count when a command has ended. A
process that was frozen in the middle of sending one holds its locks for as long as it is frozen.
"""

import asyncpg

# Above the longest pause of a process that is well; below the patience of whoever waits.
STUCK_SECONDS = 15


async def end_stuck_sessions(pool: asyncpg.Pool) -> int:
    """End every session of ours whose transaction has waited for its client; return how many.

    The client loses what it had not committed and finds out when it wakes.
    """
    ended: int = await pool.fetchval("SELECT book.end_stuck_sessions($1)", STUCK_SECONDS)
    return ended
