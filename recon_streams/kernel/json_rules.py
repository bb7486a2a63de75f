"""What a wrong value of a JSON field is called, and what would have been right.

Without this table a sender would be told "Expected `str` matching regex"; by field name, because
a name means the same in every contract.
"""

from typing import Final

from recon_streams.kernel.refusal import RefusalCode

_INSTANT: Final = (
    RefusalCode.INVALID_DATE,
    "an RFC 3339 instant with an offset, of a year from 1900 to 2999, such as 2026-11-20T08:15:30Z",
)
_RECORD_ID: Final = (RefusalCode.INVALID_IDENTIFIER, "1 to 64 of A-Z a-z 0-9 . _ : / -")

RULES: Final[dict[str, tuple[RefusalCode, str]]] = {
    "amount": (
        RefusalCode.INVALID_AMOUNT,
        (
            "a JSON string of 1 to 18 digits without leading zeros, optionally a point and 1 to 8 "
            "decimals; a JSON number is refused because readers turn it into a binary float"
        ),
    ),
    "currency": (
        RefusalCode.INVALID_CURRENCY,
        "three capital letters of ISO 4217, or the registered code of a token",
    ),
    "schema_version": (RefusalCode.UNKNOWN_SCHEMA_VERSION, "the integer 1"),
    "occurred_at": _INSTANT,
    "as_of": _INSTANT,
    "due_at": _INSTANT,
    "obtained_at": _INSTANT,
    "direction": (RefusalCode.INVALID_DIRECTION, 'one of "in", "out"'),
    "ledger_sequence": (
        RefusalCode.OUT_OF_RANGE,
        "a JSON integer from 1 to 2^53 - 1, without a point or an exponent",
    ),
    "reference": (
        RefusalCode.INVALID_IDENTIFIER,
        "1 to 35 printable ASCII characters, no space at either end",
    ),
    "rail": (RefusalCode.INVALID_IDENTIFIER, "1 to 32 printable ASCII characters"),
    "reason": (RefusalCode.OUT_OF_RANGE, "text of 1 to 140 characters, no control characters"),
    "balance": (
        RefusalCode.INVALID_AMOUNT,
        "a JSON string of a signed decimal amount, at most 24 digits and 8 decimals",
    ),
    "movement_id": _RECORD_ID,
    "request_id": _RECORD_ID,
    "balance_id": _RECORD_ID,
    "account_id": (RefusalCode.INVALID_IDENTIFIER, "1 to 64 of A-Z a-z 0-9 . _ : -"),
}

# Fields whose wrong value may be shown: it reaches alerts, and no person or account is in it.
QUOTABLE: Final = frozenset(
    {
        "amount",
        "currency",
        "schema_version",
        "occurred_at",
        "as_of",
        "due_at",
        "direction",
        "ledger_sequence",
    }
)
