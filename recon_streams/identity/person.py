"""A person as the installation knows them: a subject is one human, however many keys they have."""

import re
import unicodedata
from enum import StrEnum, unique
from typing import Final, Protocol

import msgspec

_SUBJECT: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}\Z", re.ASCII)


@unique
class Role(StrEnum):
    """What a person may take part in."""

    MAKER = "maker"  # may ask
    CHECKER = "checker"  # may agree or refuse
    BREAKGLASS = "breakglass"  # may ask for, or agree to, an override, with the role for either


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was verified just now.

    Attributes:
        subject: The one name of this person.
        name: What people call them.
        kid: The key they used; empty where another proof than a key was given.
    """

    subject: str
    name: str
    roles: frozenset[Role]
    kid: str


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A statement as it was signed: these bytes, with this key.

    Attributes:
        statement: Its bytes as `statement_bytes` spells them.
        kid: The name of the key.
        signature: The 64 bytes of an Ed25519 signature.
    """

    statement: bytes
    kid: str
    signature: bytes


class Identities(Protocol):
    """Who is this: today by keys that a file names, some day by an identity provider's word."""

    def who(self, signed: Signed) -> Person:
        """Return who made the statement.

        Raises:
            NotBelieved: Nobody known did, or somebody who is not known any more.
        """
        ...


def folded(subject: str) -> str:
    """Return `subject` without anything that lets one person look like two: case, space, form."""
    return "".join(unicodedata.normalize("NFKC", subject).casefold().split())


def is_subject(text: str) -> bool:
    """Return whether `text` can be the subject of a person: what `folded` leaves as it is."""
    return _SUBJECT.match(text) is not None
