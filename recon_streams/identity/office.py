"""Writing what others read: public keys and the file of operators, whole or not at all."""

import os
from pathlib import Path

import msgspec

from recon_streams.identity.keys import PublicKey


def write_public_key(path: Path, key: PublicKey) -> None:
    """Write `key` as a JSON Web Key to `path`."""
    replace_file(path, msgspec.json.format(msgspec.json.encode(key), indent=2) + b"\n", mode=0o644)


def replace_file(path: Path, content: bytes, *, mode: int) -> None:
    """Make `content` what stands in `path`; whoever reads it meets the old or the new."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        # The mask of the process may have taken from the mode, never added to it.
        os.fchmod(file.fileno(), mode)
    partial.rename(path)
