"""What is read from which topic: the input streams, their aliases, and how each is decided."""

from collections.abc import Mapping
from typing import Any

from agents.instants import Beside, make_beside
from recon_streams.acks.intake import BreakerAcks
from recon_streams.book.intake import Intake
from recon_streams.commands.intake import Commands
from recon_streams.positions.desk import PositionDesk
from recon_streams.positions.inputs import (
    BankNotifications,
    BankReports,
    BankStatements,
    LedgerBalances,
    LedgerMovements,
)
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.runtime.sections import LimitSettings
from topics.catalogue import inputs as input_contracts


def make_intakes(
    directories: DirectoryCache,
    limits: LimitSettings | None = None,
    beside: Beside | None = None,
) -> dict[str, Intake[Any]]:
    """Return the intake of each input stream, by its canonical topic; None means default limits."""
    options: dict[str, Any] = {}
    if limits is not None:
        options = {
            "bytes_max": limits.message_bytes_max,
            "validate_schema": limits.validate_schema,
            "accept_test_messages": limits.accept_test_messages,
        }
    kinds: tuple[Any, ...] = (
        BankNotifications(**options),
        BankReports(**options),
        BankStatements(**options),
        LedgerMovements(),
        LedgerBalances(),
    )
    found: dict[str, Intake[Any]] = {kind.name: PositionDesk(kind, directories) for kind in kinds}
    beside = beside or Beside()
    others: tuple[Intake[Any], ...] = (
        *make_beside(directories, beside),
        BreakerAcks(beside.clients),
        Commands(directories),
    )
    return found | {each.name: each for each in others}


def by_topic(intakes: Mapping[str, Intake[Any]]) -> dict[str, Intake[Any]]:
    """Return the intakes under every topic they are read from, aliases included."""
    found = dict(intakes)
    found.update({alias: intakes[name] for alias, name in aliases().items()})
    return found


def aliases() -> dict[str, str]:
    """Return alias -> canonical topic of every input."""
    return {alias: c.name for c in input_contracts() for alias in c.aliases}


def canonical(topic: str) -> str:
    """Return the stream's own name for a topic or one of its aliases."""
    return aliases().get(topic, topic)


def input_topics() -> list[str]:
    """Return every topic inputs are read from."""
    return [contract.name for contract in input_contracts()] + list(aliases())
