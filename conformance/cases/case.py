"""One case, told in the words of the protocol: records, ends of the log, questions and answers."""

import json
from typing import Any

from cases.signing import FIRST, TestKey, b64

A, B, CORRIDOR = "account:A:AED", "account:B:ZMW", "corridor:AE-IN"
MEBIBYTE = 1 << 20
NUMBER_MAX = (1 << 53) - 1


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
