"""Signs what the breaker says, and tells a signature of ours from anything else."""

from collections.abc import Mapping
from enum import StrEnum, unique

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from recon_streams.log.record import Headers, OutgoingRecord
from recon_streams.signing.public_keys import PublicKey
from topics.breaker import ALGORITHM, ALGORITHM_HEADER, KEY_ID_HEADER, SIGNATURE_HEADER


@unique
class SignatureFlaw(StrEnum):
    """Why a record does not count as signed."""

    BAD_SIGNATURE = "BAD_SIGNATURE"  # none, several, of another kind, or not over these bytes
    UNKNOWN_KEY = "UNKNOWN_KEY"  # by a key that is not pinned


class Signer:
    """Signs with one private key.

    Attributes:
        public: The public half.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Sign with `key`."""
        self._key = key
        self.public = PublicKey(key.public_key().public_bytes_raw())

    def seal(self, record: OutgoingRecord) -> OutgoingRecord:
        """Return `record` with the headers that prove who wrote its value."""
        assert record.value is not None, "there are no bytes to sign in a tombstone"
        ours = (
            (ALGORITHM_HEADER, ALGORITHM),
            (KEY_ID_HEADER, self.public.kid.encode()),
            (SIGNATURE_HEADER, self._key.sign(record.value)),
        )
        return replace(record, headers=(*record.headers, *ours))


def signature_flaw(
    value: bytes, headers: Headers, keys: Mapping[str, PublicKey]
) -> SignatureFlaw | None:
    """Return why `value` does not count as signed by one of `keys`, or None if it does.

    A name that stands twice among the headers proves nothing: two readers might take two answers.
    """
    algorithm = _only(headers, ALGORITHM_HEADER)
    kid = key_id(headers)
    signature = _only(headers, SIGNATURE_HEADER)
    if algorithm != ALGORITHM or kid is None or signature is None:
        return SignatureFlaw.BAD_SIGNATURE
    key = keys.get(kid)
    if key is None:
        return SignatureFlaw.UNKNOWN_KEY
    return None if key.has_signed(value, signature) else SignatureFlaw.BAD_SIGNATURE


def key_id(headers: Headers) -> str | None:
    """Return the id of the key that `headers` name; None if they name none, or two."""
    kid = _only(headers, KEY_ID_HEADER)
    return None if kid is None else kid.decode("ascii", "replace")


def _only(headers: Headers, name: str) -> bytes | None:
    found = [each for header, each in headers if header == name]
    return found[0] if len(found) == 1 else None
