"""Instants that have come: payments fall due, sides fall silent, dwells end. Time as an input."""

from datetime import datetime

import asyncpg

from recon_streams.book.streams import decided_through, join_batches
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.positions import breaker_store, holding, store
from recon_streams.positions.directory import Account
from recon_streams.positions.event import Elapsed
from recon_streams.positions.known import Known
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.positions.telling import tell_of
from recon_streams.positions.working_set import WorkingSet

ACCOUNTS_MAX = 500


async def take_due(pool: asyncpg.Pool, directories: DirectoryCache, *, now: datetime) -> int:
    """Let the accounts whose instant has come be evaluated; return how many were.

    Only up to the instant through which every input has been decided: after an outage a payment
    must not count as overdue while the record that settles it still waits to be read.

    The event carries the instant that was due, not `now`, so the log reads the same however late
    it was noticed. Any number of workers may call this; each account goes to one of them.
    """
    async with UnitOfWork(pool) as unit:
        await join_batches(unit)
        through = await decided_through(unit.connection)
        if through is None:
            return 0
        until = min(now, through)
        due = await store.due_accounts(unit.connection, now=until, accounts_max=ACCOUNTS_MAX)
        if not due:
            return 0
        directory = await directories.current(unit.connection)
        states = await store.lock_states(unit.connection, [number for number, _ in due])
        before = dict(states)
        working = WorkingSet(directory, states, Known())
        for number, wake_at in due:
            _take(working, directory.by_number(number), wake_at)
        store.write(unit, working.steps)
        breaker_store.write_transitions(unit, working.steps)
        tell_of(unit, working.steps, before)
    return len(due)


def _take(working: WorkingSet, account: Account, at: datetime) -> None:
    """Let what was due `at` happen: pages that did not come are waited for no longer."""
    released = holding.overdue(working.states[account.number], at)
    working.record(account, Elapsed(at=at) if released is None else released)
