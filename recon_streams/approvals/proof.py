"""Whether what the book says two people agreed to is what the two have signed. Pure.

Whoever can write into the book can write down an agreement; nobody can sign one who lacks the keys.
What was agreed to is judged by the very rules of the desk, and by the operators in force then.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import msgspec

from recon_streams.approvals.machine import (
    WORDS,
    Request,
    Ruling,
    Situation,
    rule_decision,
    rule_request,
)
from recon_streams.approvals.subject import Shown
from recon_streams.identity.flaw import NotBelieved
from recon_streams.identity.keys import PublicKey
from recon_streams.identity.operators import Operators, operators_of
from recon_streams.identity.person import Person, Signed
from recon_streams.identity.statement import Deed, Statement, statement_from


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """What the book says of two people: one asked and another agreed.

    Attributes:
        request: As it was asked for, before anybody answered.
        asked: What the maker is said to have signed,
        agreed: and the checker.
        checker: Who is said to have agreed,
        nonce: with which nonce,
        at: and when, by the book's clock.
    """

    request: Request
    asked: Signed
    agreed: Signed
    checker: str
    nonce: str
    at: datetime


class RollRow(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the file of operators as the book keeps it, and when it came into the book."""

    version: int
    loaded_at: datetime
    content: bytes


class Rolls:
    """All operators the book has ever had, as far as the root key vouches for them.

    Attributes:
        forged: What is wrong with the versions that it does not vouch for, by version.
    """

    def __init__(self, rows: Sequence[RollRow], root: PublicKey) -> None:
        """Read `rows`, believing `root` alone."""
        self.forged: dict[int, str] = {}
        self._known: list[tuple[datetime, Operators]] = []
        for row in sorted(rows, key=lambda each: each.version):
            try:
                operators = operators_of(row.content, root)
            except NotBelieved as flaw:
                self.forged[row.version] = str(flaw)
                continue
            if operators.listed.version != row.version:
                self.forged[row.version] = f"the file is version {operators.listed.version}"
                continue
            self._known.append((row.loaded_at, operators))

    def in_force(self, at: datetime) -> Operators | None:
        """Return the operators of the instant `at`; None if nobody was known by then."""
        known = [operators for loaded_at, operators in self._known if loaded_at <= at]
        return known[-1] if known else None


def flaw_in(agreement: Agreement, rolls: Rolls) -> str | None:
    """Return, in words, why two people did not agree to this; None if they did."""
    operators = rolls.in_force(agreement.at)
    if operators is None:
        return "no operators were in force that the root key vouches for"
    request = agreement.request
    try:
        maker, asked = _said(operators, agreement.asked)
        checker, agreed = _said(operators, agreement.agreed)
    except NotBelieved as flaw:
        return str(flaw)
    if (maker.subject, checker.subject) != (request.maker, agreement.checker):
        return f"{maker.subject} and {checker.subject} signed, the book names others"
    return _flaw_in_request(request, maker, asked) or _flaw_in_answer(agreement, checker, agreed)


def _flaw_in_request(request: Request, maker: Person, asked: Statement) -> str | None:
    if not _is_same(asked, request):
        return f"{maker.subject} asked for something else"
    shown = Shown(facts=request.facts, epoch=request.epoch)
    ruling = rule_request(maker, asked, shown, _sha256(request), now=request.requested_at)
    if ruling is not Ruling.GRANTED:
        return f"what {maker.subject} asked for: {WORDS[ruling]}"
    return None


def _flaw_in_answer(agreement: Agreement, checker: Person, agreed: Statement) -> str | None:
    request = agreement.request
    situation = Situation(facts_sha256=_sha256(request), epoch=request.epoch, now=agreement.at)
    ruling = rule_decision(request, checker, agreed, situation)
    if ruling is not Ruling.GRANTED:
        return f"what {checker.subject} signed: {WORDS[ruling]}"
    if agreed.deed is not Deed.APPROVE or agreed.nonce != agreement.nonce:
        return f"{checker.subject} did not agree to it"
    return None


def _sha256(request: Request) -> str:
    return sha256(request.facts).hexdigest()


def _said(operators: Operators, signed: Signed) -> tuple[Person, Statement]:
    person = operators.who(signed)
    statement = statement_from(signed.statement)
    assert statement is not None, "who it is from was read in it"
    return person, statement


def _is_same(asked: Statement, request: Request) -> bool:
    return (asked.kind, asked.subject, asked.details, asked.reason, asked.nonce) == (
        request.kind,
        request.subject,
        request.details,
        request.reason,
        request.nonce,
    )
