"""A folder into which a bank's files are dropped: which of them are complete, and where they go.

Nobody says when a file is complete, so a file is taken when two looks in a row see the same size
and time, or at once when a marker `NAME.done` stands beside it. Names that transfer programs use
while they write are left alone until they are renamed.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

TAKEN: Final = "taken"
REFUSED: Final = "refused"
DONE: Final = ".done"

# Names may have 255 bytes on the usual file systems.
_NAME_BYTES_MAX: Final = 200
_UNFINISHED: Final = (".part", ".tmp", ".filepart", ".partial", ".crdownload", ".swp")


class Seen(msgspec.Struct, frozen=True):
    """One file at one look."""

    bytes: int
    changed_nanoseconds: int


class Watched:
    """Remembers the last look."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._last: dict[str, Seen] = {}

    def ready(self, listing: Mapping[str, Seen]) -> list[str]:
        """Return the names in `listing` that are complete, in order.

        Args:
            listing: Every ordinary file of the folder by its name.
        """
        found = {name: seen for name, seen in listing.items() if not is_unfinished(name)}
        ready = [
            name
            for name, seen in found.items()
            if self._last.get(name) == seen or f"{name}{DONE}" in listing
        ]
        self._last = found
        return sorted(ready)

    def forget(self, name: str) -> None:
        """Forget a file that is gone, so that a new one of its name is looked at twice again."""
        self._last.pop(name, None)


def is_unfinished(name: str) -> bool:
    """Whether `name` is hidden, a marker, or one that a transfer has not renamed yet."""
    return name.startswith(".") or name.lower().endswith((*_UNFINISHED, DONE))


def free_name(name: str, taken: set[str]) -> str:
    """Return `name`, or with a number where a file of that name was moved there before."""
    if name not in taken:
        return name
    stem, point, suffix = name.partition(".")
    number = 2
    while f"{stem}-{number}{point}{suffix}" in taken:
        number += 1
    return f"{stem}-{number}{point}{suffix}"


def resting_name(name: str, taken: set[str]) -> str:
    """Return the name a file gets where it comes to rest: `name`, as far as a name may be so.

    What is not UTF-8 is written out, and what is too long loses its middle: beside it there must be
    room for a number and for the name of its reason.
    """
    written = name.encode("utf-8", "backslashreplace")
    if len(written) > _NAME_BYTES_MAX:
        half = _NAME_BYTES_MAX // 2
        written = written[:half] + b"..." + written[-half:]
    return free_name(written.decode("utf-8", "replace"), taken)


def reason_text(refused: list[tuple[str, str]], published: int) -> str:
    """Return what is written beside a file that was not, or not wholly, taken.

    Args:
        refused: Each document that was refused, and why.
        published: How many records of the file are in the log all the same.
    """
    lines = [f"{name}: {reason}" for name, reason in refused]
    return "\n".join([*lines, f"{published} records of this file were published.", ""])
