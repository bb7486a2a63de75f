"""What one record of `recon.breaker` says, or why it says nothing; the signature comes first."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from topics import breaker
from topics.breaker import LEASE_KEY, BreakerRecord, BreakerState, LeaseRecord

VALUE_BYTES_MAX: Final = 1 << 20
Number = tuple[int, int] | tuple[()]  # epoch, seq; the empty one is below all
_SIGNED_BY: Final = {breaker.ALGORITHM_HEADER, breaker.KEY_ID_HEADER, breaker.SIGNATURE_HEADER}
Keys = Mapping[str, Ed25519PublicKey]


class LogRecord(NamedTuple):
    """A record as the log has it."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Unusable(NamedTuple):
    """A record that denies its scope.

    Attributes:
        reason: What is wrong with it.
        number: Its (epoch, seq), where it was signed and could be read: no lower one may follow.
    """

    reason: str
    number: Number = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; of two fields of one name another reader might believe the other."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a field stands twice")
    return found


def read(record: LogRecord, keys: Keys) -> BreakerRecord | LeaseRecord | Unusable:
    """Return what `record` says; nothing in it is looked at before its signature is good."""
    if record.value is None or len(record.value) > VALUE_BYTES_MAX:
        return Unusable("TOMBSTONE" if record.value is None else "UNREADABLE")
    headers = dict(signed := [(n, said or b"") for n, said in record.headers if n in _SIGNED_BY])
    try:
        if len(headers) != len(signed) or headers[breaker.ALGORITHM_HEADER] != breaker.ALGORITHM:
            return Unusable("BAD_SIGNATURE")
        signature, kid = headers[breaker.SIGNATURE_HEADER], headers[breaker.KEY_ID_HEADER]
        keys[kid.decode(errors="replace")].verify(signature, record.value)
        return _said(record.key, record.value)
    except InvalidSignature:
        return Unusable("BAD_SIGNATURE")
    except KeyError:
        return Unusable("UNKNOWN_KEY" if headers.keys() == _SIGNED_BY else "BAD_SIGNATURE")
    except (ValueError, RecursionError):
        return Unusable("UNREADABLE")


def _said(key: bytes | None, value: bytes) -> BreakerRecord | LeaseRecord | Unusable:
    # By `int`, which cannot read NaN either: it is no JSON.
    found = json.loads(value.decode(), object_pairs_hook=_object, parse_constant=int)
    said = found if isinstance(found, dict) else {}
    kind: type[BreakerRecord | LeaseRecord] = BreakerRecord if key != LEASE_KEY else LeaseRecord
    number: Any = said.get("epoch"), said.get("seq")
    is_number = all(type(each) is int and 0 <= each <= breaker.NUMBER_MAX for each in number)
    # Another scope's number would keep this one denied until it is as high.
    number = number if is_number and str(said.get("scope")).encode() == key else ()
    if repr(said.get("schema_version", 1)) != "1":
        return Unusable("UNKNOWN_SCHEMA", number)
    if number and isinstance(state := said.get("state"), str) and state not in list(BreakerState):
        return Unusable("UNKNOWN_STATE", number)
    with suppress(msgspec.DecodeError):
        if number or kind is LeaseRecord:
            return msgspec.json.decode(value, type=kind)
    return Unusable("UNREADABLE", number)
