"""How the commands of one machine find what runs there: a private file in the data directory."""

import os
from pathlib import Path
from typing import Final

import msgspec

ADDRESS_FILE: Final = "address.json"
# Twelve partitions bring nothing to one process; four keep a later second worker busy.
PARTITIONS: Final = 4


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a running installation on this machine; written by `up`."""

    dsn: str
    telemetry: str
    pid: int


class NotRunning(Exception):
    """No installation is running from the given data directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"nothing runs from {directory}; start it with: recon-streams up --data {directory}"
        )


def read_address(directory: Path) -> Address:
    """Return how to reach what runs from `directory`.

    Raises:
        NotRunning: Nothing does.
    """
    try:
        address = msgspec.json.decode((directory / ADDRESS_FILE).read_bytes(), type=Address)
        os.kill(address.pid, 0)
    except (FileNotFoundError, ProcessLookupError, msgspec.DecodeError) as error:
        raise NotRunning(directory) from error
    return address
