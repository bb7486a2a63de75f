"""Keys for publishers that tests start: every one signs, as in earnest."""

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recon_streams.signing.key_ring import KeyRing, own_key_ring
from recon_streams.signing.signer import Signer

PUBLIC_KEYS_FILE = "breaker-keys.json"


def new_key_ring() -> KeyRing:
    """Return keys that are in no file."""
    return KeyRing(signer=Signer(Ed25519PrivateKey.generate()))


def signing_environment(directory: Path) -> Mapping[str, str]:
    """Return the settings of a publisher whose keys are in `directory`, made at the first call.

    What a payout service is to pin is then in `directory / PUBLIC_KEYS_FILE`.
    """
    key_file, public = directory / "keys" / "breaker.pem", directory / PUBLIC_KEYS_FILE
    own_key_ring(key_file, public)
    return {
        "RECON__SIGNING__KEY_FILE": str(key_file),
        "RECON__SIGNING__PUBLIC_KEYS_FILE": str(public),
    }
