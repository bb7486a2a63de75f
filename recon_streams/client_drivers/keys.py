"""The public keys that a payout service pins, from the file in which it has them."""

from base64 import urlsafe_b64decode as plain
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from recon_streams.client.records import Keys


def load_keys(path: Path) -> Keys:
    """Return the Ed25519 keys in the JWK Set at `path` (RFC 7517, 8037) by id; several may be live.

    Raises:
        ValueError: No such file, no JWK Set, or no such key in it.
    """
    try:
        found = msgspec.json.decode(path.read_bytes())["keys"]
        own = {each["kid"]: each["x"] for each in found if each["crv"] == "Ed25519"}
        keys = {kid: Ed25519PublicKey.from_public_bytes(plain(x + "==")) for kid, x in own.items()}
    except (OSError, ValueError, LookupError, TypeError, msgspec.DecodeError) as failure:
        raise ValueError(f"the breaker's public keys in {path}: {failure!r}") from failure
    if not keys:
        raise ValueError(f"the breaker's public keys in {path}: there is none of Ed25519")
    return keys
