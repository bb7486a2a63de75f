"""One process per data directory: two would take each other's database away when they stop."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunning(Exception):
    """Another process works in the directory."""

    def __init__(self, directory: Path, pid: str) -> None:
        super().__init__(
            f"{directory}: another recon-streams works there (process {pid or 'unknown'}); "
            "stop it first, or use a directory of its own"
        )


@contextmanager
def sole_owner(directory: Path) -> Iterator[None]:
    """Hold `directory`, which exists, until the end of the block or of the process.

    Raises:
        AlreadyRunning: Somebody else holds it.
    """
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            # The kernel lets go of it whatever the process dies of.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(directory, os.read(descriptor, 20).decode()) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
