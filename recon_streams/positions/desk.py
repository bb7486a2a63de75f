"""Where bank and ledger records are decided: lock, load, take, write, tell; one batch at a time."""

from collections.abc import Sequence
from typing import Final, Generic, Protocol, TypeVar

import asyncpg

from recon_streams.book.intake import DecisionFailed, Reading
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies import register
from recon_streams.discrepancies.finding import Cleared, Finding
from recon_streams.kernel.disposition import Held, Outcome, quarantined
from recon_streams.kernel.refusal import Refused
from recon_streams.log.record import Record
from recon_streams.positions import breaker_store, store
from recon_streams.positions.directory import Directory
from recon_streams.positions.event import Evidence
from recon_streams.positions.known import Known
from recon_streams.positions.known_store import Keys, load_known, write_known
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.positions.state import AccountState
from recon_streams.positions.telling import tell_of
from recon_streams.positions.working_set import WorkingSet

# The world's: the whole batch is tried again, and no record is to blame.
_OF_THE_WORLD: Final = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidTransactionStateError,
    asyncpg.LockNotAvailableError,
)

Read = TypeVar("Read")
Prepared = TypeVar("Prepared")


class PositionInput(Protocol[Read, Prepared]):
    """One kind of input about positions: read, prepare, ask, take. Pure."""

    @property
    def name(self) -> str:
        """The stream's canonical topic."""
        ...

    def read(self, record: Record) -> Read:
        """Return what `record` says, or raise `Refused`."""
        ...

    def prepare(self, read: Read, record: Record, directory: Directory) -> Prepared:
        """Return `read` resolved to accounts, or raise `Refused`."""
        ...

    def ask(self, prepared: Prepared, keys: Keys) -> None:
        """Add to `keys` what the book must be asked for `prepared`."""
        ...

    def take(self, prepared: Prepared, working: WorkingSet, record: Record) -> Outcome:
        """Decide `prepared` on `working`."""
        ...


class PositionDesk(Generic[Read, Prepared]):
    """An `Intake` for one kind of input about positions."""

    def __init__(
        self,
        kind: PositionInput[Read, Prepared],
        directories: DirectoryCache,
    ) -> None:
        """Decide inputs of `kind` by the registry in force, which `directories` finds."""
        self._kind = kind
        self._directories = directories

    @property
    def name(self) -> str:
        """The stream's canonical topic."""
        return self._kind.name

    def read(self, record: Record) -> Read:
        """Return what `record` says, or raise `Refused`."""
        return self._kind.read(record)

    async def decide(self, unit: UnitOfWork, readings: Sequence[Reading[Read]]) -> list[Outcome]:
        """Decide `readings` in order inside `unit`."""
        directory = await self._directories.current(unit.connection)
        prepared = [
            self._prepare(index, reading, directory) for index, reading in enumerate(readings)
        ]
        states, known = await self._load(unit, prepared)
        before = dict(states)
        working = WorkingSet(directory, states, known)
        outcomes = [
            self._take(index, item, reading.record, working)
            for index, (item, reading) in enumerate(zip(prepared, readings, strict=True))
        ]
        if working.steps or known.added_reports or known.bank.has_additions:
            store.write(unit, working.steps)
            write_known(unit, known)
            breaker_store.write_transitions(unit, working.steps)
            tell_of(unit, working.steps, before)
        await _note(unit, working)
        return outcomes

    async def _load(
        self, unit: UnitOfWork, prepared: Sequence[Prepared | Held]
    ) -> tuple[dict[int, AccountState], Known]:
        """Lock the accounts of `prepared` and load what the book knows of them.

        Raises:
            DecisionFailed: The book cannot be asked for one of them.
        """
        keys = self._keys_of(prepared)
        states = await store.lock_states(unit.connection, keys.accounts)
        try:
            async with unit.connection.transaction():
                return states, await load_known(unit.connection, keys)
        except _OF_THE_WORLD:
            raise
        except Exception as error:
            index = await self._find_unaskable(unit, prepared)
            if index is None:
                raise
            raise DecisionFailed(index) from error

    async def _find_unaskable(
        self, unit: UnitOfWork, prepared: Sequence[Prepared | Held]
    ) -> int | None:
        """Return the first of `prepared` that the book cannot be asked for by itself."""
        for index, item in enumerate(prepared):
            try:
                async with unit.connection.transaction():
                    await load_known(unit.connection, self._keys_of([item]))
            except _OF_THE_WORLD:
                raise
            except Exception:  # noqa: BLE001 - its caller raises the one that stopped the batch
                return index
        return None

    def _keys_of(self, prepared: Sequence[Prepared | Held]) -> Keys:
        keys = Keys()
        for index, item in enumerate(prepared):
            if isinstance(item, Held):
                continue
            try:
                self._kind.ask(item, keys)
            except Exception as error:
                raise DecisionFailed(index) from error
        return keys

    def _prepare(self, index: int, reading: Reading[Read], directory: Directory) -> Prepared | Held:
        if reading.held is not None:
            return reading.held
        assert reading.value is not None, "a reading has a value or a reason"
        try:
            return self._kind.prepare(reading.value, reading.record, directory)
        except Refused as refusal:
            return Held.of(refusal)
        except Exception as error:
            raise DecisionFailed(index) from error

    def _take(
        self, index: int, item: Prepared | Held, record: Record, working: WorkingSet
    ) -> Outcome:
        if isinstance(item, Held):
            return quarantined(item)
        try:
            return self._kind.take(item, working, record)
        except Exception as error:
            # Whatever the core trips over concerns this record alone: it goes to quarantine,
            # loudly, and the batch is decided again without it.
            raise DecisionFailed(index) from error


async def _note(unit: UnitOfWork, working: WorkingSet) -> None:
    """Tell the register of discrepancies what each input proved wrong, or right again."""
    for origin, said in working.said.items():
        findings = [word for word in said.words.values() if isinstance(word, Finding)]
        cleared = [word for word in said.words.values() if isinstance(word, Cleared)]
        await register.note(unit, findings, cleared, at=said.at, evidence=origin)


def evidence_of(record: Record, path: str = "") -> Evidence:
    """Return where `record` stands in the log."""
    return Evidence(topic=record.topic, partition=record.partition, offset=record.offset, path=path)
