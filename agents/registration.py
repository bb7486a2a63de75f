"""Applying the account registry: register, then let what waited for an account be decided."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
import structlog

from recon_streams.approvals import store as approvals
from recon_streams.book.intake import Intake
from recon_streams.book.replay import replay_codes
from recon_streams.book.streams import wait_for_batches
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.identity.flaw import NotBelieved
from recon_streams.identity.keys import read_public_key
from recon_streams.identity.operators import read_operators
from recon_streams.kernel.clock import utc_now
from recon_streams.kernel.disposition import Outcome
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions.authorship import Authorship
from recon_streams.positions.looser_rules import split
from recon_streams.positions.registry_store import RegistryChange, apply_in
from recon_streams.registry.definition import AccountDefinition
from recon_streams.registry.loosening import RuleChange
from recon_streams.runtime.settings import Settings

_log = structlog.get_logger()

# What a newer registry may answer.
WAITING_FOR_REGISTRY: Final = (RefusalCode.UNKNOWN_ACCOUNT, RefusalCode.CURRENCY_MISMATCH)


async def register(  # noqa: PLR0913 - what is applied, and as whose
    pool: asyncpg.Pool,
    definitions: Sequence[AccountDefinition],
    intakes: Mapping[str, Intake[Any]],
    *,
    source: str,
    actor: str,
    may_loosen: bool = True,
) -> tuple[RegistryChange, dict[int, Outcome]]:
    """Make `definitions` the registry and replay what waited for it.

    Returns what changed, and what became of each quarantined reason that was tried again.
    """
    authorship = Authorship(source=source, actor=actor, at=utc_now(), may_loosen=may_loosen)
    async with UnitOfWork(pool) as unit:
        change = await apply_in(unit, definitions, authorship)
    if not change.registered and not change.changed:
        return change, {}
    return change, await replay_waiting(pool, intakes, actor=actor)


async def replay_waiting(
    pool: asyncpg.Pool, intakes: Mapping[str, Intake[Any]], *, actor: str
) -> dict[int, Outcome]:
    """Let what waited for a newer registry be decided by it; return what became of each."""
    async with UnitOfWork(pool) as unit:
        # A batch under way may still decide by the registry before; what it holds back must be
        # seen below, or it would wait for ever.
        await wait_for_batches(unit)
    return await replay_codes(pool, WAITING_FOR_REGISTRY, intakes, actor=actor)


async def takes_two(settings: Settings, pool: asyncpg.Pool) -> bool:
    """Return whether days and rules take two people here: there are operators.

    Whoever leaves the operators out of the settings does not get around them: the book has seen
    them.
    """
    return settings.identity.operators_file is not None or await approvals.seen(pool) is not None


async def admit_operators(settings: Settings, pool: asyncpg.Pool) -> None:
    """Let the book see the operators that the settings name, so that nobody gets around them.

    A file that is not believed is told; nothing that takes two people can be done until it is.
    """
    identity = settings.identity
    if identity.operators_file is None or identity.root_key is None:
        return
    try:
        operators = read_operators(identity.operators_file, read_public_key(identity.root_key))
        async with UnitOfWork(pool) as unit:
            await approvals.admit(unit.connection, operators)
    except NotBelieved as error:
        _log.error("operators_not_believed", reason=str(error))


class OperatorsWatch:
    """Lets the book see the file of operators again whenever it was replaced."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool) -> None:
        self._settings = settings
        self._pool = pool
        self._seen: tuple[int, int] | None = None

    async def look(self) -> None:
        """Look whether there is another file than the last time, and take it into the book."""
        path = self._settings.identity.operators_file
        if path is None:
            return
        try:
            found = path.stat()
        except OSError:
            return
        now = found.st_ino, found.st_mtime_ns
        if now != self._seen:
            await admit_operators(self._settings, self._pool)
            self._seen = now


async def hold_loosened(
    pool: asyncpg.Pool, definitions: Sequence[AccountDefinition]
) -> tuple[list[AccountDefinition], dict[str, tuple[RuleChange, ...]]]:
    """Return what may be applied without a second person, and what each other account loosens."""
    async with UnitOfWork(pool) as unit:
        return await split(unit, definitions)


def words_of_loosened(loosened: Mapping[str, Sequence[RuleChange]]) -> list[str]:
    """Return a line for each rule that is loosened."""
    return [
        f"{account}: {change.path} {change.before} -> {change.after}"
        for account, changes in sorted(loosened.items())
        for change in changes
    ]
