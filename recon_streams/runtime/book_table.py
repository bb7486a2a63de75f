"""A Faust table that remembers what the book knows: absolute, versioned, restored, never authority.

Faust's own tables recover from changelogs, slowly, and lose or resurrect values over restarts. This
one is restored from the book at assignment and fed by `recon.positions`; whatever it misses or sees
twice, the next value says it all.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from recon_streams.runtime.faust_app import MemoryTable, ReconApp

V = TypeVar("V")
N = TypeVar("N")


class BookTable(Generic[V, N]):
    """Values by key, each the fold of the news about it.

    Attributes:
        table: The Faust table, for agents that want one.
    """

    def __init__(self, app: ReconApp, name: str, push: Callable[[V | None, N], V]) -> None:
        """Make an empty table on `app`; `push` folds a piece of news into what was known."""
        self.table: Any = MemoryTable(app, name=name)
        self._push = push

    def put(self, key: str, news: N) -> bool:
        """Fold `news` into the value of `key`; return whether that changed anything."""
        known = self.get(key)
        folded = self._push(known, news)
        if folded is known:
            return False
        self.table[key] = folded
        return True

    def get(self, key: str) -> V | None:
        """Return the value of `key`, or None."""
        value: V | None = self.table.get(key)
        return value

    def restore(self, rows: Iterable[tuple[str, N]]) -> int:
        """Fold what the book knows; return how many keys it knew more of than the table."""
        return sum(self.put(key, news) for key, news in rows)

    def forget(self, belongs: Callable[[str], bool]) -> None:
        """Drop every key for which `belongs` says that somebody else now has it."""
        for key in [key for key in self if belongs(key)]:
            del self.table[key]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.table.keys()))

    def __len__(self) -> int:
        return len(self.table)
