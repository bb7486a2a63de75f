"""What one record of `recon.breaker` says, or why it says nothing; the signature comes first."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from topics import breaker
from topics.breaker import BreakerRecord, LeaseRecord

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


class _Head(msgspec.Struct):
    schema_version: Any = 1
    state: Any = None
    epoch: Any = None
    seq: Any = None


def read(record: LogRecord, keys: Keys) -> BreakerRecord | LeaseRecord | Unusable:
    """Return what `record` says; nothing in it is looked at before its signature is good."""
    if record.value is None or len(record.value) > VALUE_BYTES_MAX:
        return Unusable("TOMBSTONE" if record.value is None else "UNREADABLE")
    signed = [(name, said or b"") for name, said in record.headers if name in _SIGNED_BY]
    headers = dict(signed)
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
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Unusable("UNREADABLE")


def _said(key: bytes | None, value: bytes) -> BreakerRecord | LeaseRecord | Unusable:
    head = msgspec.json.decode(value, type=_Head)
    has_number = isinstance(head.epoch, int) and isinstance(head.seq, int)
    number: Number = (head.epoch, head.seq) if has_number else ()
    if head.schema_version != 1:
        return Unusable("UNKNOWN_SCHEMA", number)
    if key == breaker.LEASE_KEY:
        return msgspec.json.decode(value, type=LeaseRecord)
    if head.state not in list(breaker.BreakerState) and has_number:
        return Unusable("UNKNOWN_STATE", number)
    said = msgspec.json.decode(value, type=BreakerRecord)
    return said if said.scope.encode() == key else Unusable("UNREADABLE")
