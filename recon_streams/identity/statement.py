"""What a person signs: one thing, about certain facts, once.

A signature for one thing cannot be used for another: everything that makes up the deed is in the
statement, with a nonce that counts once and an instant it is not believed long after.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum, unique
from typing import Final

import msgspec

from recon_streams.identity.keys import PrivateKey
from recon_streams.identity.person import Signed

# What else is signed with the same key begins with other words.
PREFIX: Final = b"recon-streams/statement/1\n"
STATEMENT_BYTES_MAX: Final = 65_536
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_NONCE_BYTES: Final = 16


@unique
class Deed(StrEnum):
    """What a statement does."""

    REQUEST = "REQUEST"
    APPROVE = "APPROVE"
    REFUSE = "REFUSE"


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One deed of one person.

    Attributes:
        installation: The name of the root key of the operators, so that a statement for one
            installation says nothing in another.
        kind: What is asked for, such as BREAKER_RESET,
        subject: about what,
        details: and with what else.
        facts_sha256: The SHA-256 of the facts that were shown, in hexadecimal.
        epoch: Of the scope, where the subject is one.
        request_id: The request that is answered; None where one is made.
        request_nonce: The nonce of the request that is answered; numbers may be used again in a
            copy of the book, nonces are not.
        signer: The subject of whoever signs.
        nonce: Random; counts once.
        at: When it was signed, by the signer's clock.
    """

    installation: str
    deed: Deed
    kind: str
    subject: str
    details: Mapping[str, str]
    facts_sha256: str
    epoch: int | None
    request_id: int | None
    request_nonce: str | None
    reason: str
    signer: str
    nonce: str
    at: datetime


def statement_bytes(statement: Statement) -> bytes:
    """Return the one spelling of `statement`: JSON with sorted keys and no needless space."""
    return _ENCODER.encode(statement)


def statement_from(payload: bytes) -> Statement | None:
    """Return the statement that `payload` spells in its one spelling; None if it spells none."""
    if len(payload) > STATEMENT_BYTES_MAX:
        return None
    try:
        statement = msgspec.json.decode(payload, type=Statement)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if statement.at.tzinfo is None or statement_bytes(statement) != payload:
        return None
    return statement


def sign(statement: Statement, key: PrivateKey) -> Signed:
    """Return `statement` signed with `key`."""
    payload = statement_bytes(statement)
    return Signed(statement=payload, kid=key.public.kid, signature=key.sign(PREFIX + payload))


def new_nonce() -> str:
    """Return what was never used before."""
    return secrets.token_hex(_NONCE_BYTES)
