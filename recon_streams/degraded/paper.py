"""The permit file for when nobody can say that all is well: two signatures, named scopes, hours.

It is written, signed and checked without server, database or network. What it permits is what the
last known records of the breaker do not deny; see `recon_streams.degraded.grants`.
"""

import re
from datetime import datetime, timedelta
from enum import StrEnum, unique
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from recon_streams.identity.flaw import NotBelieved
from recon_streams.identity.keys import PrivateKey, read_guarded, spelled, unspelled
from recon_streams.identity.operators import Operators
from recon_streams.identity.person import Role, folded

HOURS_MAX: Final = 4
SCOPES_MAX: Final = 100
REASON_LENGTH_MIN: Final = 20
_PREFIX: Final = b"recon-streams/degraded/1\n"
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
# Never everything: whoever signs names what they answer for.
_SCOPE: Final = re.compile(r"account:[A-Za-z0-9._:-]{1,64}:[A-Z][A-Z0-9]{2,5}\Z", re.ASCII)


@unique
class PaperFlaw(StrEnum):
    """Why a permit file permits nothing."""

    UNREADABLE = "UNREADABLE"
    OTHER_INSTALLATION = "OTHER_INSTALLATION"
    BAD_SCOPE = "BAD_SCOPE"
    TOO_LONG = "TOO_LONG"
    NO_REASON = "NO_REASON"
    ONE_PERSON = "ONE_PERSON"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    NOT_YET = "NOT_YET"
    OVER = "OVER"


class NotPermitted(Exception):
    """A permit file permits nothing; says which flaw and why."""

    def __init__(self, flaw: PaperFlaw, words: str) -> None:
        super().__init__(f"{flaw}: {words}")
        self.flaw = flaw


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What both sign.

    Attributes:
        installation: The name of the root key of the operators.
        scopes: Accounts that may pay, each by its full name.
        not_before: From when on,
        not_after: and until when, at most four hours later.
        nonce: Random, so that two papers are never the same.
    """

    installation: str
    scopes: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    reason: str
    nonce: str
    schema_version: int = 1


class PaperSignature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The signature of one person, in base64url, with the key of theirs that made it."""

    subject: str
    kid: str
    signature: str


class Paper(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The permit file as it stands on disk."""

    terms: Terms
    signatures: tuple[PaperSignature, ...] = ()


def signed(paper: Paper, key: PrivateKey, subject: str) -> Paper:
    """Return `paper` with the signature of `subject`; an earlier one of theirs is replaced."""
    signature = PaperSignature(
        subject=subject, kid=key.public.kid, signature=spelled(key.sign(_signed_bytes(paper)))
    )
    others = tuple(each for each in paper.signatures if each.subject != subject)
    return replace(paper, signatures=(*others, signature))


def check_terms(terms: Terms, installation: str) -> None:
    """Refuse terms that nobody may sign.

    Raises:
        NotPermitted: They are for another installation, too long, unnamed or without a reason.
    """
    if terms.schema_version != 1:
        words = f"schema version {terms.schema_version}; this program knows version 1"
        raise NotPermitted(PaperFlaw.UNREADABLE, words)
    if terms.installation != installation:
        raise NotPermitted(PaperFlaw.OTHER_INSTALLATION, "it is for another installation")
    scopes = terms.scopes
    if not 1 <= len(scopes) <= SCOPES_MAX or not all(map(_SCOPE.match, scopes)):
        words = f"name 1 to {SCOPES_MAX} accounts, as account:ID:CURRENCY; never `all`"
        raise NotPermitted(PaperFlaw.BAD_SCOPE, words)
    if terms.not_before.tzinfo is None or terms.not_after.tzinfo is None:
        raise NotPermitted(PaperFlaw.UNREADABLE, "its instants have no offset")
    if not timedelta(0) < terms.not_after - terms.not_before <= timedelta(hours=HOURS_MAX):
        raise NotPermitted(PaperFlaw.TOO_LONG, f"it is for more than {HOURS_MAX} hours, or none")
    if len(terms.reason.strip()) < REASON_LENGTH_MIN:
        words = f"say why, in {REASON_LENGTH_MIN} characters or more"
        raise NotPermitted(PaperFlaw.NO_REASON, words)


def signers(paper: Paper, operators: Operators) -> tuple[str, ...]:
    """Return who has signed `paper`, every signature verified.

    Raises:
        NotPermitted: One of them is not what it says, or of somebody without the role.
    """
    found = []
    for each in paper.signatures:
        try:
            person = operators.verified(
                kid=each.kid, signature=unspelled(each.signature), payload=_signed_bytes(paper)
            )
        except (NotBelieved, ValueError) as error:
            raise NotPermitted(PaperFlaw.BAD_SIGNATURE, str(error)) from error
        if person.subject != each.subject or Role.BREAKGLASS not in person.roles:
            words = f"{each.subject[:64]} is not {person.subject}, or has not the role breakglass"
            raise NotPermitted(PaperFlaw.BAD_SIGNATURE, words)
        found.append(person.subject)
    return tuple(found)


def verify(paper: Paper, operators: Operators, now: datetime) -> Terms:
    """Return the terms of `paper` if it permits anything at `now`.

    Raises:
        NotPermitted: It does not; says why.
    """
    check_terms(paper.terms, operators.installation)
    if len({folded(each) for each in signers(paper, operators)}) < 2:  # noqa: PLR2004 - two people
        raise NotPermitted(PaperFlaw.ONE_PERSON, "it takes the signatures of two people")
    if now < paper.terms.not_before:
        raise NotPermitted(PaperFlaw.NOT_YET, f"it begins at {paper.terms.not_before}")
    if now >= paper.terms.not_after:
        raise NotPermitted(PaperFlaw.OVER, f"it ended at {paper.terms.not_after}")
    return paper.terms


def read_paper(path: Path) -> Paper:
    """Return the permit file at `path`.

    Raises:
        NotPermitted: It cannot be read, others may write it, or it is none.
    """
    try:
        return msgspec.json.decode(read_guarded(path, private=False), type=Paper)
    except NotBelieved as error:
        raise NotPermitted(PaperFlaw.UNREADABLE, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotPermitted(PaperFlaw.UNREADABLE, f"{path} is no permit file: {error}") from error


def paper_bytes(paper: Paper) -> bytes:
    """Return the file of `paper`, for people to read as well."""
    return msgspec.json.format(_ENCODER.encode(paper), indent=2) + b"\n"


def _signed_bytes(paper: Paper) -> bytes:
    return _PREFIX + _ENCODER.encode(paper.terms)
