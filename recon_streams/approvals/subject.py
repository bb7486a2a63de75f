"""What can be asked for: a capability brings its kinds of request, this room brings the rules."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum, unique
from typing import Protocol

import msgspec

from recon_streams.book.unit_of_work import UnitOfWork


@unique
class ApprovalKind(StrEnum):
    """Everything that takes two people."""

    BREAKER_RESET = "BREAKER_RESET"
    BREAKER_OVERRIDE = "BREAKER_OVERRIDE"
    RULES_LOOSENED = "RULES_LOOSENED"
    DAY_CLOSE = "DAY_CLOSE"
    DAY_REOPEN = "DAY_REOPEN"


class NotAskable(Exception):
    """What was asked for makes no sense as things stand; the message says why, for a person."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants.

    Attributes:
        subject: What it is about, as its kind names things: a scope, a day, a file of accounts.
        details: Whatever else the kind needs, as text by name (`minutes`, `accounts`).
    """

    kind: ApprovalKind
    subject: str
    details: Mapping[str, str] = {}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The facts a decision rests on, exactly as they are shown to both people.

    Attributes:
        facts: Canonical JSON. Its SHA-256 is what both sign; facts that change void the request.
        epoch: Of the scope, where the subject is one; a newer epoch voids the request.
    """

    facts: bytes
    epoch: int | None = None


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """A request that another person has approved, about to be carried out.

    Attributes:
        request_id: Of the request; what is carried out records it.
        maker: The verified subject who asked,
        checker: and the other who agreed.
    """

    request_id: int
    wish: Wish
    shown: Shown
    reason: str
    maker: str
    checker: str
    at: datetime


class ApprovalSubject(Protocol):
    """One kind of request: how its facts are shown, what speaks against it, and how it is done.

    All three run inside the transaction of `unit`, with whatever they read locked by them, so that
    what was checked is still so when it is carried out.
    """

    @property
    def kind(self) -> ApprovalKind:
        """Which kind this is."""
        ...

    async def show(self, unit: UnitOfWork, wish: Wish) -> Shown:
        """Return the facts of `wish` as they are now.

        Raises:
            NotAskable: There is no such subject, or nothing to be done about it.
        """
        ...

    async def obstacles(self, unit: UnitOfWork, wish: Wish, *, now: datetime) -> tuple[str, ...]:
        """Return, in words, everything that forbids carrying it out now; empty if nothing does."""
        ...

    async def carry_out(self, unit: UnitOfWork, agreed: Agreed) -> None:
        """Do it, and record `agreed.request_id` with what was done."""
        ...
