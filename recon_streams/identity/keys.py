"""Ed25519 keys of people: made, kept in files that only their owner reads, and named.

A key is named by the thumbprint of RFC 7638 over its public half as RFC 8037 writes it, so nobody
can choose the name of a key.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from recon_streams.identity.flaw import IdentityFlaw, NotBelieved

_KEY_BYTES: Final = 32
_PRIVATE_MODES: Final = frozenset({0o600, 0o400})
_OTHERS_WRITE: Final = 0o022
FILE_BYTES_MAX: Final = 1_000_000


class PublicKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The public half of an Ed25519 key, as a JSON Web Key (RFC 8037).

    Attributes:
        x: The 32 bytes in base64url without padding.
        kid: The thumbprint of the key (RFC 7638), which is its name.
    """

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    x: str
    kid: str

    def verifies(self, signature: bytes, payload: bytes) -> bool:
        """Return whether `signature` over `payload` was made with the private half."""
        try:
            Ed25519PublicKey.from_public_bytes(unspelled(self.x)).verify(signature, payload)
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """The private half; it signs, and never shows itself."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = public_key(spelled(raw))

    def sign(self, payload: bytes) -> bytes:
        """Return the 64 bytes of the signature over `payload`."""
        return self._key.sign(payload)

    def write(self, path: Path) -> None:
        """Write it as PKCS #8 in PEM to the new file `path`, readable by its owner alone.

        Raises:
            FileExistsError: There is something; a key is never written over another.
        """
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)


def new_key() -> PrivateKey:
    """Return a key that nobody has."""
    return PrivateKey(Ed25519PrivateKey.generate())


def read_private_key(path: Path) -> PrivateKey:
    """Return the private key in `path`.

    Raises:
        NotBelieved: The file cannot be read, others than its owner can read it, or it is no Ed25519
            key in PEM.
    """
    payload = read_guarded(path, private=True)
    try:
        key = load_pem_private_key(payload, password=None)
    except (ValueError, TypeError) as error:
        words = f"{path} holds no private key in PEM without a password"
        raise NotBelieved(IdentityFlaw.NOT_A_KEY, words) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise NotBelieved(IdentityFlaw.NOT_A_KEY, f"{path} holds a key that is not Ed25519")
    return PrivateKey(key)


def read_public_key(path: Path) -> PublicKey:
    """Return the public key in `path`, a JSON Web Key.

    Raises:
        NotBelieved: The file cannot be read, others may write it, or it is no such key.
    """
    try:
        key = msgspec.json.decode(read_guarded(path, private=False), type=PublicKey)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        words = f"{path} holds no public key of Ed25519 as a JSON Web Key: {error}"
        raise NotBelieved(IdentityFlaw.NOT_A_KEY, words) from error
    return checked(key)


def checked(key: PublicKey) -> PublicKey:
    """Return `key` if it is one and bears its own name.

    Raises:
        NotBelieved: It is not.
    """
    try:
        raw = unspelled(key.x)
    except ValueError as error:
        raise NotBelieved(IdentityFlaw.NOT_A_KEY, "x is not base64url") from error
    # The last character has bits to spare: a key has one spelling, or it would have two names.
    if len(raw) != _KEY_BYTES or spelled(raw) != key.x or key.kid != thumbprint(key.x):
        words = f"{key.kid[:64]!r} is not the name of a key of 32 bytes"
        raise NotBelieved(IdentityFlaw.NOT_A_KEY, words)
    return key


def public_key(x: str) -> PublicKey:
    """Return the public key whose bytes `x` spells."""
    return PublicKey(x=x, kid=thumbprint(x))


def thumbprint(x: str) -> str:
    """Return the name of the key `x` by RFC 7638."""
    required = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
    return spelled(sha256(required.encode()).digest())


def spelled(raw: bytes) -> str:
    """Return `raw` in base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def unspelled(text: str) -> bytes:
    """Return the bytes that `text` spells in base64url.

    Raises:
        ValueError: It spells none.
    """
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


def read_guarded(path: Path, *, private: bool) -> bytes:
    """Return what stands in `path`, if its mode keeps others away.

    A private file is read by its owner alone, any other is written by its owner alone.

    Raises:
        NotBelieved: It cannot be read, is too large, or its mode is wrong.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            payload = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        words = f"{path} cannot be read: {error.strerror}"
        raise NotBelieved(IdentityFlaw.UNREADABLE, words) from error
    if private and mode not in _PRIVATE_MODES:
        words = f"{path} has mode {mode:04o}; others could use the key: chmod 600 {path}"
        raise NotBelieved(IdentityFlaw.WRONG_MODE, words)
    if mode & _OTHERS_WRITE:
        words = f"{path} has mode {mode:04o}; others could write it: chmod go-w {path}"
        raise NotBelieved(IdentityFlaw.WRONG_MODE, words)
    if len(payload) > FILE_BYTES_MAX:
        words = f"{path} is larger than {FILE_BYTES_MAX} bytes"
        raise NotBelieved(IdentityFlaw.UNREADABLE, words)
    return payload
