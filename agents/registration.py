"""Applying the account registry: register, then let what waited for an account be decided."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg

from recon_streams.book.intake import Intake
from recon_streams.book.replay import replay_codes
from recon_streams.book.streams import wait_for_batches
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.clock import utc_now
from recon_streams.kernel.disposition import Outcome
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions.registry_store import RegistryChange, apply_registry
from recon_streams.registry.definition import AccountDefinition

# What a newer registry may answer.
WAITING_FOR_REGISTRY: Final = (RefusalCode.UNKNOWN_ACCOUNT, RefusalCode.CURRENCY_MISMATCH)


async def register(
    pool: asyncpg.Pool,
    definitions: Sequence[AccountDefinition],
    intakes: Mapping[str, Intake[Any]],
    *,
    source: str,
    actor: str,
) -> tuple[RegistryChange, dict[int, Outcome]]:
    """Make `definitions` the registry and replay what waited for it.

    Returns what changed, and what became of each quarantined reason that was tried again.
    """
    change = await apply_registry(pool, definitions, source=source, actor=actor, now=utc_now())
    if not change.registered and not change.changed:
        return change, {}
    async with UnitOfWork(pool) as unit:
        # A batch under way may still decide by the registry before; what it holds back must be
        # seen below, or it would wait for ever.
        await wait_for_batches(unit)
    return change, await replay_codes(pool, WAITING_FOR_REGISTRY, intakes, actor=actor)
