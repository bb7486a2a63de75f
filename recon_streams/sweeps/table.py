"""The rolling table as sweeps see it: what a worker remembers of the accounts of its partitions.

The ticks of an account and its positions have one key and so one partition number; a worker that
has both has the account in its table. Where a group dealt them to two workers there is nothing to
compare, which is counted and never guessed at.
"""

from collections.abc import Callable
from typing import Protocol

from recon_streams.positions.rolling import Past, Rolling
from recon_streams.sweeps.sweep import TableState


class RollingTable(Protocol):
    """Rolling positions by scope."""

    def get(self, key: str) -> Rolling | None:
        """Return what is known of `key`."""
        ...

    def put(self, key: str, news: Past) -> bool:
        """Fold `news` into what is known of `key`."""
        ...


class RollingView:
    """The table of this worker once it has one, and the counts of what comparing it found."""

    def __init__(self, on_compared: Callable[[TableState], None] = lambda _state: None) -> None:
        """Begin without a table; every comparison is told to `on_compared`."""
        self._table: RollingTable | None = None
        self.on_compared = on_compared

    def attach(self, table: RollingTable) -> None:
        """Look into `table` from now on."""
        self._table = table

    def lookup(self, scope: str) -> Rolling | None:
        """Return what this worker remembers of `scope`, None if nothing."""
        return None if self._table is None else self._table.get(scope)

    def remember(self, scope: str, past: Past) -> None:
        """Let a look at a quiet account be a point of its past, as it will be after a restart."""
        if self._table is not None and self._table.get(scope) is not None:
            self._table.put(scope, past)
