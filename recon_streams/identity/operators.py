"""The file of operators: who they are and which keys are theirs, signed by the root key.

Whoever can write the file cannot make a person up: only the root key can, and it lies in a safe.
Revoked keys stay in the file, so that none of them ever becomes somebody else's.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from recon_streams.identity.flaw import IdentityFlaw, NotBelieved
from recon_streams.identity.keys import (
    PrivateKey,
    PublicKey,
    checked,
    read_guarded,
    spelled,
    unspelled,
)
from recon_streams.identity.person import Person, Role, Signed, folded, is_subject
from recon_streams.identity.statement import PREFIX as STATEMENT
from recon_streams.identity.statement import statement_from

_PREFIX: Final = b"recon-streams/operators/1\n"
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class OperatorKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key of a person, and whether it still counts."""

    key: PublicKey
    revoked: bool = False


class Operator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person; `keys` are all they ever had."""

    subject: str
    name: str
    roles: tuple[Role, ...]
    keys: tuple[OperatorKey, ...] = ()


class OperatorsList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the root key signs. `version` rises by one with every change."""

    root_kid: str
    version: int = 1
    operators: tuple[Operator, ...] = ()
    schema_version: int = 1


class OperatorsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as it stands on disk; `signature` is in base64url."""

    signed: OperatorsList
    signature: str


class Operators:
    """The operators of a file that was verified; answers who made a statement.

    Attributes:
        content: The bytes of the file, and `sha256` of the list in it.
    """

    def __init__(self, listed: OperatorsList, content: bytes) -> None:
        self.listed = listed
        self.content = content
        self.sha256 = sha256(_ENCODER.encode(listed)).hexdigest()
        self._owners = {each.key.kid: (owner, each) for owner, each in _keys(listed)}

    @property
    def installation(self) -> str:
        """Return the name of the root key, by which installations differ."""
        return self.listed.root_kid

    def owner_of(self, kid: str) -> Operator:
        """Return whose key `kid` is.

        Raises:
            NotBelieved: It is nobody's.
        """
        if kid not in self._owners:
            words = f"no operator has the key {kid[:64]!r}"
            raise NotBelieved(IdentityFlaw.UNKNOWN_KEY, words)
        return self._owners[kid][0]

    def verified(self, *, kid: str, signature: bytes, payload: bytes) -> Person:
        """Return whose key `kid` is, if it made `signature` over `payload`.

        Raises:
            NotBelieved: The key is nobody's or revoked, or it did not.
        """
        self.owner_of(kid)
        owner, held = self._owners[kid]
        if held.revoked:
            words = f"the key {kid} of {owner.subject} was revoked"
            raise NotBelieved(IdentityFlaw.REVOKED, words)
        if not held.key.verifies(signature, payload):
            words = f"it was not signed with the key {kid} of {owner.subject}"
            raise NotBelieved(IdentityFlaw.BAD_SIGNATURE, words)
        roles = frozenset(owner.roles)
        return Person(subject=owner.subject, name=owner.name, roles=roles, kid=kid)

    def who(self, signed: Signed) -> Person:
        """Return who made the statement.

        Raises:
            NotBelieved: Nobody known did, or the statement names another signer than its key's.
        """
        person = self.verified(
            kid=signed.kid, signature=signed.signature, payload=STATEMENT + signed.statement
        )
        statement = statement_from(signed.statement)
        if statement is None:
            raise NotBelieved(IdentityFlaw.UNREADABLE, "what was signed is no statement")
        if statement.signer != person.subject or statement.installation != self.installation:
            words = f"{person.subject} signed a statement that is for somebody or somewhere else"
            raise NotBelieved(IdentityFlaw.OTHER_SIGNER, words)
        return person


def signed_file(listed: OperatorsList, root: PrivateKey) -> bytes:
    """Return the file of `listed`, signed with the root key.

    Raises:
        NotBelieved: The list cannot be: see `read_operators`.
    """
    _check(listed)
    signature = spelled(root.sign(_PREFIX + _ENCODER.encode(listed)))
    file = OperatorsFile(signed=listed, signature=signature)
    return msgspec.json.format(_ENCODER.encode(file), indent=2) + b"\n"


def read_operators(path: Path, root: PublicKey) -> Operators:
    """Return the operators in the file `path`, if `root` signed it.

    Raises:
        NotBelieved: The file cannot be read or others may write it; another root signed it or none;
            a subject or a key stands in it twice, or a name of either cannot be.
    """
    return operators_of(read_guarded(path, private=False), root)


def operators_of(content: bytes, root: PublicKey) -> Operators:
    """Return the operators in the bytes of a file; see `read_operators`."""
    try:
        file = msgspec.json.decode(content, type=OperatorsFile)
        signature = unspelled(file.signature)
    except (ValueError, msgspec.DecodeError) as error:
        words = f"this is no file of operators: {error}"
        raise NotBelieved(IdentityFlaw.UNREADABLE, words) from error
    listed = file.signed
    if listed.schema_version != 1:
        words = f"schema version {listed.schema_version}; this program knows version 1"
        raise NotBelieved(IdentityFlaw.UNREADABLE, words)
    if listed.root_kid != root.kid:
        words = f"it belongs to the root key {listed.root_kid[:64]!r}, not to {root.kid}"
        raise NotBelieved(IdentityFlaw.UNKNOWN_ROOT, words)
    if not root.verifies(signature, _PREFIX + _ENCODER.encode(listed)):
        words = f"the root key {root.kid} did not sign what stands in it"
        raise NotBelieved(IdentityFlaw.BAD_SIGNATURE, words)
    _check(listed)
    return Operators(listed, content)


def with_key(listed: OperatorsList, person: Operator, key: PublicKey | None) -> OperatorsList:
    """Return the next version: `person` with another key; known already, they keep those they had.

    The name and the roles become those of `person`.
    """
    others = [each for each in listed.operators if each.subject != person.subject]
    known = [each for each in listed.operators if each.subject == person.subject]
    keys = tuple(held for each in known for held in each.keys)
    if key is not None:
        keys = (*keys, OperatorKey(key=key))
    return _next(listed, (*others, replace(person, keys=keys)))


def without(listed: OperatorsList, subject: str, kid: str | None = None) -> OperatorsList:
    """Return the next version: the key `kid` of a subject revoked, or all of their keys."""
    found = [
        replace(
            each,
            keys=tuple(
                replace(held, revoked=held.revoked or kid in (None, held.key.kid))
                for held in each.keys
            ),
        )
        if each.subject == subject
        else each
        for each in listed.operators
    ]
    return _next(listed, tuple(found))


def _next(listed: OperatorsList, operators: tuple[Operator, ...]) -> OperatorsList:
    ordered = tuple(sorted(operators, key=lambda each: each.subject))
    return replace(listed, version=listed.version + 1, operators=ordered)


def _keys(listed: OperatorsList) -> Iterator[tuple[Operator, OperatorKey]]:
    for owner in listed.operators:
        for held in owner.keys:
            yield owner, held


def _check(listed: OperatorsList) -> None:
    subjects: set[str] = set()
    for each in listed.operators:
        if not is_subject(each.subject):
            words = f"{each.subject[:64]!r}: write 1 to 64 of a-z 0-9 . _ @ + -"
            raise NotBelieved(IdentityFlaw.BAD_SUBJECT, words)
        if folded(each.subject) in subjects:
            raise NotBelieved(IdentityFlaw.SUBJECT_TWICE, f"{each.subject} stands in it twice")
        subjects.add(folded(each.subject))
    owners: dict[str, str] = {}
    for owner, held in _keys(listed):
        kid = checked(held.key).kid
        if kid in owners:
            words = f"the key {kid} is of {owners[kid]} and of {owner.subject}"
            raise NotBelieved(IdentityFlaw.KEY_OF_TWO, words)
        owners[kid] = owner.subject
