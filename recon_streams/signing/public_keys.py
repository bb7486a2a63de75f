"""The JWK Set that payout services pin: without it anybody who may write to the log may say yes.

RFC 7517 for the set, RFC 8037 for Ed25519 keys in it, RFC 7638 for the id of a key.
"""

import base64
import binascii
import hashlib
import os
from pathlib import Path
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_BYTES: Final = 32
FILE_BYTES_MAX: Final = 1_000_000


class KeyUnusable(Exception):
    """A file does not hold the keys it should, or others can read what it holds. Says which."""


class _Jwk(msgspec.Struct, frozen=True):
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str | None = None


class _JwkSet(msgspec.Struct, frozen=True):
    keys: tuple[msgspec.Raw, ...]


class PublicKey:
    """One public key that a reader may trust.

    Attributes:
        raw: Its 32 bytes.
        kid: Its RFC 7638 thumbprint, base64url without padding.
    """

    def __init__(self, raw: bytes) -> None:
        """Take the 32 bytes `raw`."""
        self._key = Ed25519PublicKey.from_public_bytes(raw)
        self.raw = raw
        # The members RFC 8037 requires, in the order of their names, without white space.
        required = f'{{"crv":"Ed25519","kty":"OKP","x":"{_base64url(raw)}"}}'
        self.kid = _base64url(hashlib.sha256(required.encode()).digest())

    def has_signed(self, value: bytes, signature: bytes) -> bool:
        """Return whether `signature` was made over `value` with the private half."""
        try:
            self._key.verify(signature, value)
        except InvalidSignature:
            return False
        return True

    def jwk(self) -> dict[str, str]:
        """Return it as a JSON Web Key."""
        return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(self.raw), "kid": self.kid}


PublicKeys = dict[str, PublicKey]  # by kid


def key_set_bytes(keys: PublicKeys) -> bytes:
    """Return `keys` as a JWK Set, as it stands in a file."""
    document = {"keys": [keys[kid].jwk() for kid in keys]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def parse_key_set(payload: bytes, *, name: str) -> PublicKeys:
    """Return the keys of a JWK Set by their ids; `name` is what an error calls it.

    Raises:
        KeyUnusable: It is none, a key in it is no Ed25519 key, or its id is not its thumbprint.
    """
    try:
        found = msgspec.json.decode(payload, type=_JwkSet)
        keys = [_public_key(msgspec.json.decode(each, type=_Jwk), name) for each in found.keys]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KeyUnusable(f"{name} is no JWK Set of Ed25519 keys: {error}") from error
    return {key.kid: key for key in keys}


def read_key_set(file: Path) -> PublicKeys:
    """Return the keys that `file` holds by their ids. Raises `KeyUnusable`."""
    try:
        with file.open("rb") as opened:
            payload = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise KeyUnusable(f"{file} cannot be read: {error.strerror}") from error
    if len(payload) > FILE_BYTES_MAX:
        raise KeyUnusable(f"{file} is larger than {FILE_BYTES_MAX} bytes")
    return parse_key_set(payload, name=str(file))


def write_key_set(file: Path, keys: PublicKeys) -> None:
    """Put `keys` into `file` so that a reader sees the old set or the new one, never half."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        partial.write_bytes(key_set_bytes(keys))
        partial.chmod(0o644)
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise KeyUnusable(f"{file} cannot be written: {error.strerror}") from error


def _public_key(jwk: _Jwk, name: str) -> PublicKey:
    try:
        raw = base64.b64decode(jwk.x + "=" * (-len(jwk.x) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyUnusable(f"{name} has a key whose x is not base64url") from error
    if len(raw) != KEY_BYTES:
        raise KeyUnusable(f"{name} has a key of {len(raw)} bytes; Ed25519 has {KEY_BYTES}")
    key = PublicKey(raw)
    if jwk.kid is not None and jwk.kid != key.kid:
        raise KeyUnusable(f"{name} calls a key {jwk.kid[:60]}; its RFC 7638 id is {key.kid}")
    return key


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
