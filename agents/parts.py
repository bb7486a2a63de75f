"""What a worker is made of: everything it needs is handed to it, nothing is looked up."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from recon_streams.book.intake import Intake
from recon_streams.kernel.disposition import Outcome
from recon_streams.log.port import LogProbe, LogReader
from recon_streams.log.record import Batch
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.runtime.source import LogSource
from recon_streams.sweeps.table import RollingView


@dataclass(frozen=True, kw_only=True)
class WorkerParts:
    """What a worker is made of, and its bounds."""

    pool: asyncpg.Pool
    reader: LogReader
    probe: LogProbe
    intakes: Mapping[str, Intake[Any]]
    directories: DirectoryCache
    view: RollingView = field(default_factory=RollingView)
    records_max: int = 500
    wait_seconds: float = 0.5
    retry_seconds: float = 60.0
    beat_seconds: float = 1.0
    due_seconds: float = 0.25
    stop_seconds: float = 20.0
    on_committed: Callable[[Batch, Sequence[Outcome]], None] = field(
        default=lambda _batch, _outcomes: None
    )
    watch: Callable[[LogSource], Awaitable[None]] | None = None
