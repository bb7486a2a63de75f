"""Accounts as the desk handles them: locked, moved by an event of a person, written and told."""

from collections.abc import Mapping, Sequence

from recon_streams.book.streams import join_batches
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker.scope import Transition
from recon_streams.positions import breaker_store, store
from recon_streams.positions.directory import Directory
from recon_streams.positions.event import Overridden, Reset, Tripped
from recon_streams.positions.known import Known
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.positions.state import AccountState
from recon_streams.positions.telling import tell_of
from recon_streams.positions.working_set import WorkingSet

PersonsEvent = Tripped | Reset | Overridden


class HeldAccounts:
    """Accounts that are locked until the unit ends."""

    def __init__(self, directory: Directory, states: Mapping[int, AccountState]) -> None:
        """Begin with `states`, by account number."""
        self.directory = directory
        self._before = dict(states)
        self._working = WorkingSet(directory, dict(states), Known())

    @classmethod
    async def hold(
        cls, unit: UnitOfWork, directories: DirectoryCache, numbers: Sequence[int]
    ) -> "HeldAccounts":
        """Lock the accounts `numbers`, in sorted order, and read the rules in force."""
        await join_batches(unit)
        directory = await directories.current(unit.connection)
        return cls(directory, await store.lock_states(unit.connection, numbers))

    def state(self, number: int) -> AccountState:
        """Return the state of an account, with what was recorded so far."""
        return self._working.states[number]

    def record(self, number: int, event: PersonsEvent) -> Transition | None:
        """Take `event` into the account's log; return the transition it led to."""
        self._working.record(self.directory.by_number(number), event)
        return self._working.steps[-1].step.transition

    def write(self, unit: UnitOfWork) -> None:
        """Write and tell what was recorded."""
        if steps := self._working.steps:
            store.write(unit, steps)
            breaker_store.write_transitions(unit, steps)
            tell_of(unit, steps, self._before)
