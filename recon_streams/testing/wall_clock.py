"""A wall clock that jumps for one process, as after a wrong time server; its stop-watch goes on."""

from pathlib import Path
from typing import Final

import libfaketime  # type: ignore[import-untyped] # it has no types; one path of it is used

_LIBRARY: Final = Path(libfaketime.__file__).parent / "vendor/libfaketime/src/libfaketime.so.1"


class WallClock:
    """The wall clock of processes that were started with `environment`."""

    def __init__(self, directory: Path) -> None:
        """Right at first; what it says is kept in `directory`."""
        self._file = directory / "wall-clock"
        self._file.write_text("+0")

    @property
    def environment(self) -> dict[str, str]:
        """What a process must be told to go by this clock."""
        return {
            "LD_PRELOAD": str(_LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            # Under its older name, and its newer.
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, to: str) -> None:
        """Be off by `to`, such as `+1h` or `-2h`, from now on; `+0` is right again."""
        self._file.write_text(to)
