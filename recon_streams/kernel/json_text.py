"""JSON from strangers: strict, bounded, and refused with the field and the rule.

`msgspec` checks types and patterns exactly, but takes the last of two equal keys in silence; a
message that says `amount` twice means two things, so it is refused before anybody reads one.
"""

import json
import re
from typing import Any, Final, TypeVar

import msgspec

from recon_streams.kernel.refusal import RefusalCode, Refused

BYTES_MAX: Final = 65_536
_T = TypeVar("_T")

_AT: Final = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_MISSING: Final = re.compile(r"^Object missing required field `(?P<name>[^`]+)`")
_UNKNOWN_TAG: Final = re.compile(r"^Invalid value ")

# What a wrong value of a field is called, and what would have been right; by field name.
_RULES: Final[dict[str, tuple[RefusalCode, str]]] = {
    "amount": (
        RefusalCode.INVALID_AMOUNT,
        "a JSON string of 1 to 18 digits, optionally a point and at most 8 decimals; a JSON number "
        "is refused because readers turn it into a binary float",
    ),
    "currency": (
        RefusalCode.INVALID_CURRENCY,
        "three capital letters of ISO 4217, or the registered code of a token",
    ),
    "schema_version": (RefusalCode.UNKNOWN_SCHEMA_VERSION, "schema version 1"),
    "occurred_at": (RefusalCode.INVALID_DATE, "an RFC 3339 instant with an offset"),
    "as_of": (RefusalCode.INVALID_DATE, "an RFC 3339 instant with an offset"),
    "due_at": (RefusalCode.INVALID_DATE, "an RFC 3339 instant with an offset"),
    "direction": (RefusalCode.INVALID_DIRECTION, 'one of "in", "out"'),
    "ledger_sequence": (RefusalCode.OUT_OF_RANGE, "an integer from 1 to 2^53 - 1"),
    "reference": (RefusalCode.INVALID_IDENTIFIER, "1 to 35 printable ASCII characters"),
    "movement_id": (RefusalCode.INVALID_IDENTIFIER, "1 to 64 of A-Z a-z 0-9 . _ : / -"),
    "balance_id": (RefusalCode.INVALID_IDENTIFIER, "1 to 64 of A-Z a-z 0-9 . _ : / -"),
    "account_id": (RefusalCode.INVALID_IDENTIFIER, "1 to 64 of A-Z a-z 0-9 . _ : -"),
}


def decode(payload: bytes, decoder: msgspec.json.Decoder[_T], *, bytes_max: int = BYTES_MAX) -> _T:
    """Return the record that `payload` spells.

    Raises:
        Refused: with a JSON pointer to the field and the rule it breaks.
    """
    if not payload:
        raise Refused(RefusalCode.EMPTY_VALUE, "", "a record carries a JSON object")
    if len(payload) > bytes_max:
        raise Refused(
            RefusalCode.TOO_LARGE, "", f"at most {bytes_max} bytes", f"{len(payload)} bytes"
        )
    try:
        record = decoder.decode(payload)
        json.loads(payload, object_pairs_hook=_refuse_duplicates)
    except msgspec.ValidationError as error:
        raise _refused(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise Refused(
            RefusalCode.NOT_JSON, "", "one JSON object in UTF-8, nested at most 32 deep"
        ) from error
    return record


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        field = f"/{twice}" if twice in _RULES else ""
        raise Refused(RefusalCode.DUPLICATE_KEY, field, "each key stands once in its object")
    return record


def _refused(message: str) -> Refused:
    at = _AT.search(message)
    pointer = re.sub(r"[.\[]", "/", at["path"]).replace("]", "") if at else ""
    missing = _MISSING.match(message)
    if missing:
        field = f"{pointer}/{missing['name']}"
        return Refused(RefusalCode.MISSING_FIELD, field, "the field is required")
    name = pointer.rpartition("/")[2]
    if name in _RULES:
        code, rule = _RULES[name]
        return Refused(code, pointer, rule)
    # The rest of the text names types only; a value is quoted for an unknown tag alone.
    rule = message[: at.start()] if at else message
    if _UNKNOWN_TAG.match(rule):
        rule = "one of the kinds of the contract"
    return Refused(RefusalCode.WRONG_TYPE, pointer, rule)
