"""Key pairs made from words: public, for these cases only. Whoever pins one trusts everyone."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TestKey:
    """A key pair made from a word."""

    def __init__(self, word: str) -> None:
        seed = hashlib.sha256(f"recon-streams conformance, test only: {word}".encode()).digest()
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        x = b64url(self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        named = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
        self.kid = b64url(hashlib.sha256(named.encode()).digest())
        self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "use": "sig"}

    def headers(self, value: bytes) -> list[list[str]]:
        signature = self._private.sign(value)
        said = {"alg": b"Ed25519", "kid": self.kid.encode(), "sig": signature}
        return [[name, b64(each)] for name, each in said.items()]


FIRST, SECOND, STRANGER = TestKey("first"), TestKey("second"), TestKey("nobody pins it")
