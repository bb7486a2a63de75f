"""Accounts as others may look at them: their state, what moved lately, and word from the bank.

For checks that stand beside the position. They read, and may say that the bank was heard; nothing
here moves a figure.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.positions import breaker_store, holding, store
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.event import (
    AccountEvent,
    BankObserved,
    Elapsed,
    Evidence,
    event_from_bytes,
)
from recon_streams.positions.known import Known
from recon_streams.positions.state import AccountState, state_from_bytes
from recon_streams.positions.telling import tell_of
from recon_streams.positions.working_set import WorkingSet

# Of one account in the minutes since a bank answered; a busier one cannot be compared.
EVENTS_MAX: Final = 2_000
_FIRST_LOOK: Final = 8
# Neither a tick nor a balance is an announcement: a bank that sends those only sends no camt.054.
MESSAGE: Final = "bank.balances"


async def read_states(connection: Session, numbers: Collection[int]) -> dict[int, AccountState]:
    """Return the newest states of these accounts, without a lock."""
    rows = await connection.fetch(
        "SELECT number, state FROM positions.account_state WHERE number = ANY($1::int[])",
        list(numbers),
    )
    return {row["number"]: state_from_bytes(row["state"]) for row in rows}


async def events_since(
    connection: Session, since: Mapping[int, datetime]
) -> dict[int, Sequence[AccountEvent]]:
    """Return what happened to each account after its instant, the newest first.

    Events of several partitions are not recorded in the order in which they arrived: ask for a few
    minutes more. An account with `EVENTS_MAX` of them was not read to the end.
    """
    found = _until(await _newest(connection, since, _FIRST_LOOK), since)
    more = [number for number, events in found.items() if len(events) == _FIRST_LOOK]
    if more:
        found |= _until(await _newest(connection, more, EVENTS_MAX), since)
    return found


async def _newest(
    connection: Session, numbers: Collection[int], events_max: int
) -> dict[int, Sequence[bytes]]:
    rows = await connection.fetch(
        "SELECT k.number, ARRAY(SELECT event FROM positions.account_event AS e "
        "WHERE e.number = k.number ORDER BY sequence DESC LIMIT $2) AS events "
        "FROM unnest($1::int[]) AS k(number)",
        list(numbers),
        events_max,
    )
    return {row["number"]: row["events"] for row in rows}


def _until(
    payloads: Mapping[int, Sequence[bytes]], since: Mapping[int, datetime]
) -> dict[int, Sequence[AccountEvent]]:
    found: dict[int, Sequence[AccountEvent]] = {}
    for number, events in payloads.items():
        read: list[AccountEvent] = []
        for payload in events:
            read.append(event_from_bytes(payload))
            if read[-1].at <= since[number] and not _is_dated_back(read[-1]):
                break
        found[number] = read
    return found


def _is_dated_back(event: AccountEvent) -> bool:
    """Return whether the instant of `event` was long past when it was recorded."""
    return isinstance(event, BankObserved | Elapsed) or holding.is_of_time(event)


class Hearing:
    """Locked accounts to which the bank spoke."""

    def __init__(self, directory: Directory, states: dict[int, AccountState]) -> None:
        """Begin with `states`, locked until the unit ends."""
        self._before = dict(states)
        self._working = WorkingSet(directory, states, Known())

    @classmethod
    async def open(
        cls, unit: UnitOfWork, directory: Directory, numbers: Collection[int]
    ) -> "Hearing":
        """Lock the accounts and return them."""
        return cls(directory, await store.lock_states(unit.connection, numbers))

    def state(self, account: Account) -> AccountState:
        """Return the state of `account`, with what was heard so far."""
        return self._working.states[account.number]

    def heard(self, account: Account, *, at: datetime, evidence: Evidence) -> None:
        """Note that the bank confirmed our figure as of `at`."""
        event = BankObserved(at=at, evidence=evidence, message=MESSAGE)
        self._working.record(account, event)

    def write(self, unit: UnitOfWork) -> None:
        """Write what was heard, and tell others what it changed."""
        steps = self._working.steps
        if steps:
            store.write(unit, steps)
            breaker_store.write_transitions(unit, steps)
            tell_of(unit, steps, self._before)
