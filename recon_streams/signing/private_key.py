"""The private key of the publisher: made once, kept in a file that nobody else can read."""

import os
import stat
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from recon_streams.signing.public_keys import KeyUnusable, PublicKey

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_FILE_BYTES_MAX: Final = 10_000


def make_private_key(file: Path) -> Ed25519PrivateKey:
    """Make a key and keep it in the new `file`, PEM PKCS8, mode 0600. Nothing is overwritten.

    Raises:
        KeyUnusable: There is such a file already, or it cannot be written.
    """
    key = _new_key()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(pem)
            opened.flush()
            os.fsync(opened.fileno())
    except FileExistsError:
        raise KeyUnusable(f"{file} exists; a key is never overwritten: name another file") from None
    except OSError as error:
        raise KeyUnusable(f"{file} cannot be written: {error.strerror}") from error
    return key


def read_private_key(file: Path) -> Ed25519PrivateKey:
    """Return the key that `file` holds.

    Raises:
        KeyUnusable: It cannot be read, others may read it, or it is no Ed25519 key.
    """
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            pem = opened.read(_FILE_BYTES_MAX)
    except OSError as error:
        raise KeyUnusable(f"{file} cannot be read: {error.strerror}") from error
    if mode & _OTHERS:
        raise KeyUnusable(
            f"{file} may be read by others (mode {stat.S_IMODE(mode):04o}); write: chmod 600 {file}"
        )
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"{file} holds no private key in PEM (PKCS8) without password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"{file} holds another kind of key; Ed25519 is needed")
    return key


def _new_key() -> Ed25519PrivateKey:
    """Return a key whose id no command line takes for an option."""
    while True:
        key = Ed25519PrivateKey.generate()
        if not PublicKey(key.public_key().public_bytes_raw()).kid.startswith("-"):
            return key
