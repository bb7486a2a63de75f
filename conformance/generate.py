"""Writes `breaker-guard.json` again: what each case holds is said here, by hand; here it is signed.

The expected answers are part of the text below and are computed by nobody. The private keys are
made from public words. They are for these cases only: whoever pins one of them trusts everyone.

    python conformance/generate.py
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FILE = Path(__file__).parent / "breaker-guard.json"
A, B, CORRIDOR = "account:A:AED", "account:B:ZMW", "corridor:AE-IN"
SAFETY_MS = 500
MEBIBYTE = 1 << 20
NUMBER_MAX = (1 << 53) - 1
ABOUT = (
    "What a reader of recon.breaker must answer. README.md beside this file says how to run it. "
    "Written by generate.py; the keys are for tests only."
)


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


def state(scope: str, says: str, epoch: int, seq: int | None = None, **more: Any) -> dict[str, Any]:
    return {
        "scope": scope,
        "state": says,
        "epoch": epoch,
        "seq": epoch if seq is None else seq,
        "reason_code": "CONFORMANCE",
        "evidence_hash": "0" * 64,
        "decided_at": "2026-11-21T08:00:00Z",
        "inputs_through": {},
        **more,
    }


class Case:
    """One case: records, ends of the log and questions in the order in which they happen."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.steps: list[dict[str, Any]] = []
        self._offset = 0

    def end(self, at: int, end: int | None = None, **more: Any) -> "Case":
        """A question for the end of the log, sent at `at`; by default nothing is new."""
        said = {"asked_at_ms": at, "end": self._offset if end is None else end}
        self.steps.append({"end": said, **more})
        return self

    def doubt(self, at: int) -> "Case":
        """Somebody else answers now."""
        self.steps.append({"end": {"asked_at_ms": at, "end": None}})
        return self

    def at(self, offset: int) -> "Case":
        """The next record has this offset."""
        self._offset = offset
        return self

    def pass_over(self, offset: int) -> "Case":
        self._offset = offset
        self.steps.append({"pass_over": offset})
        return self

    def put(self, said: dict[str, Any], *, by: TestKey = FIRST, **more: Any) -> "Case":
        """A signed record."""
        key = more.pop("key", said.get("scope", ""))
        return self.text(json.dumps(said, separators=(",", ":")), by=by, key=key, **more)

    def text(
        self, said: str | bytes, *, by: TestKey = FIRST, key: str | None = A, **more: Any
    ) -> "Case":
        """A signed record with these bytes for its value, and perhaps spaces after them."""
        value = said.encode() if isinstance(said, str) else said
        whole = value * more.get("value_times", 1) + b" " * more.get("spaces", 0)
        return self.raw(key, value, by.headers(whole), **more)

    def raw(
        self,
        key: str | bytes | None,
        value: bytes | None,
        headers: list[list[str | None]] | list[list[str]] | None = None,
        **more: Any,
    ) -> "Case":
        record = {
            "offset": self._offset,
            "key": None if key is None else b64(key if isinstance(key, bytes) else key.encode()),
            "value": None if value is None else b64(value),
            "headers": headers or [],
            **more,
        }
        says = "a tombstone" if value is None else value[:120].decode(errors="backslashreplace")
        self.steps.append({"record": record, "says": f"{key}: {says}"})
        self._offset += 1
        return self

    def closed(self, scope: str, epoch: int, **more: Any) -> "Case":
        return self.put(state(scope, "CLOSED", epoch, **more))

    def open(self, scope: str, epoch: int, **more: Any) -> "Case":
        return self.put(state(scope, "OPEN", epoch, **more))

    def lease(self, seq: int, *, epoch: int = 1, by: TestKey = FIRST, **more: Any) -> "Case":
        said = {
            "publisher_id": f"publisher-{epoch}",
            "publisher_epoch": epoch,
            "lease_seq": seq,
            "ttl_ms": 15_000,
            "state_head": {"offset": max(0, self._offset - 1), "seq": 1},
            "covers": "all",
            "schema_version": 1,
            **more,
        }
        key = said.pop("key", "_lease")
        said.pop(said.pop("leave_out", None), None)
        return self.put(said, by=by, key=key)

    def ask(self, at: int | None, *scopes: str, **expect: Any) -> "Case":
        """A question; one that only names a reason is a denial."""
        expect = {"granted": expect.get("reason") == "GRANTED", **expect}
        self.steps.append({"ask": {"scopes": list(scopes), "at_ms": at}, "expect": expect})
        return self

    def leased(self, *, at: int = 0, first: int = 1, epoch: int = 1) -> "Case":
        """Two leases, three seconds apart; they run until 14 500 ms after the first."""
        self.end(at).lease(first, epoch=epoch)
        return self.end(at + 3_000).lease(first + 1, epoch=epoch)

    def leased_for(self, ttl_ms: int) -> "Case":
        """The first two leases of a reader that has caught up with A CLOSED, the second of these."""
        self.end(0, 1).closed(A, 3).end(0).lease(1)
        return self.end(3_000).lease(2, ttl_ms=ttl_ms)

    def denied(self, at: int, reason: str, *scopes: str, **more: Any) -> "Case":
        return self.ask(at, *(scopes or (A,)), reason=reason, **more)

    def granted(self, at: int, *scopes: str, **more: Any) -> "Case":
        return self.ask(at, *(scopes or (A,)), reason="GRANTED", **more)


def live(name: str) -> Case:
    """A reader that has caught up with A CLOSED at epoch 3 and holds a lease until 14 500."""
    return Case(name).end(0, 1).closed(A, 3).leased()


def document() -> dict[str, Any]:
    """Return the whole file."""
    # They are written with what stands above.
    from cases import every  # noqa: PLC0415

    found = every.cases()
    assert len({each.name for each in found}) == len(found), "a case has a name of its own"
    return {
        "about": ABOUT,
        "version": 1,
        "safety_ms": SAFETY_MS,
        "keys": {"keys": [FIRST.jwk, SECOND.jwk]},
        "cases": [{"name": each.name, "steps": each.steps} for each in found],
    }


def text() -> str:
    """Return the whole file as it is written: a step on each line."""
    whole = document()
    cases = [_lines(each["name"], each["steps"]) for each in whole.pop("cases")]
    head = json.dumps(whole, indent=1).removesuffix("\n}")
    return head + ',\n "cases": [\n' + ",\n".join(cases) + "\n ]\n}\n"


def _lines(name: str, steps: list[dict[str, Any]]) -> str:
    said = ",\n".join(f"   {json.dumps(step)}" for step in steps)
    return f'  {{"name": {json.dumps(name)}, "steps": [\n{said}\n  ]}}'


if __name__ == "__main__":
    FILE.write_text(text())
