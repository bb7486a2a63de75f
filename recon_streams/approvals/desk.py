"""The desk where two people meet: one asks, is shown the facts, and another agrees to the same.

Whoever agrees is shown the facts as they are at that moment, locked until it is done; what is not
what was asked for is void. The agreement and the deed are one transaction.
"""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256

import asyncpg
import msgspec

from recon_streams.alerts.telling import tell
from recon_streams.approvals import store
from recon_streams.approvals.machine import (
    EXPIRES_AFTER,
    VOIDS,
    WORDS,
    Request,
    RequestState,
    Ruling,
    Situation,
    rule_decision,
    rule_request,
    state_at,
)
from recon_streams.approvals.messages import asked_for, ended
from recon_streams.approvals.refusals import NoSuchRequest, NotAllowed
from recon_streams.approvals.subject import (
    Agreed,
    ApprovalKind,
    ApprovalSubject,
    NotAskable,
    Shown,
    Wish,
)
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.identity.flaw import IdentityFlaw, NotBelieved
from recon_streams.identity.operators import Operators
from recon_streams.identity.person import Person, Signed
from recon_streams.identity.statement import Deed, Statement, statement_from


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an answer to a request.

    Attributes:
        request: As it stands now.
        words: Why it is void or has expired, or everything that forbids carrying it out now; then
            it still waits. Empty when it was approved and done, or refused.
    """

    request: Request
    words: tuple[str, ...] = ()


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """A request and how things stand now, for a person who has to decide.

    Attributes:
        state: Where it stands now.
        left: Until it expires; zero when it has ended.
        facts_are_the_same: Whether the facts are still what was shown when it was asked.
        obstacles: Everything that forbids carrying it out now.
    """

    request: Request
    state: RequestState
    left: timedelta
    facts_are_the_same: bool
    obstacles: tuple[str, ...]


class Desk:
    """Takes requests and answers of verified people, each inside the transaction of a unit."""

    def __init__(
        self,
        operators: Operators,
        subjects: Mapping[ApprovalKind, ApprovalSubject],
        *,
        expires_after: timedelta = EXPIRES_AFTER,
    ) -> None:
        """Believe `operators`, and know how the kinds in `subjects` are shown and done."""
        self._operators = operators
        self._subjects = subjects
        self._expires_after = expires_after

    async def show(self, unit: UnitOfWork, wish: Wish) -> Shown:
        """Return the facts of `wish` as they are now.

        Raises:
            NotAskable: There is nothing to be done about it, or nobody does it here.
        """
        return await self._subject(wish.kind).show(unit, wish)

    async def request(
        self, unit: UnitOfWork, signed: Signed, shown: Shown | None = None
    ) -> Request:
        """Take a request: the facts are as the maker's statement says, or it is not taken.

        `shown` is what `show` returned in this very unit, if it was asked.

        Raises:
            NotBelieved: Nobody known signed it.
            NotAskable: There is nothing to be done about it.
            NotAllowed: A rule forbids it; nothing was written.
        """
        await store.admit(unit.connection, self._operators)
        person, statement = self._verified(signed)
        wish = _wish(statement)
        shown = shown or await self.show(unit, wish)
        now = await store.now(unit.connection)
        ruling = rule_request(person, statement, shown, facts_sha256(shown), now=now)
        if ruling is not Ruling.GRANTED:
            raise NotAllowed(ruling)
        try:
            number = await store.insert_request(
                unit.connection,
                statement,
                signed,
                facts=shown.facts,
                expires_at=now + self._expires_after,
            )
        except asyncpg.UniqueViolationError as error:
            raise NotAllowed(Ruling.ENDED, "the statement was used before") from error
        request = await store.find(unit.connection, number)
        assert request is not None, "it was written just now"
        tell(unit, [asked_for(request)])
        return request

    async def decide(self, unit: UnitOfWork, signed: Signed) -> Outcome:
        """Take the answer of a checker; what was agreed to is done in the same transaction.

        The unit is committed afterwards, whatever the outcome: that a request is void is kept.

        Raises:
            NotBelieved: Nobody known signed it.
            NoSuchRequest: What it answers does not exist.
            NotAllowed: A rule forbids it; nothing was written.
        """
        await store.admit(unit.connection, self._operators)
        person, statement = self._verified(signed)
        request = await self._locked(unit, statement.request_id)
        shown, changed = await self._shown_again(unit, request)
        now = await store.now(unit.connection)
        situation = Situation(
            facts_sha256="" if shown is None else facts_sha256(shown),
            epoch=request.epoch if shown is None else shown.epoch,
            now=now,
        )
        ruling = rule_decision(request, person, statement, situation)
        if ruling in VOIDS:
            return await self._void(unit, request, ruling, changed)
        if ruling is not Ruling.GRANTED:
            raise NotAllowed(ruling)
        if statement.deed is Deed.APPROVE:
            assert shown is not None, "facts that are gone are not those that were shown"
            wish = _wish(statement)
            obstacles = await self._subject(wish.kind).obstacles(unit, wish, now=now)
            if obstacles:
                return Outcome(request=request, words=obstacles)
        await self._write(unit, statement, signed, person)
        if statement.deed is Deed.APPROVE and shown is not None:
            await self._carry_out(unit, request, shown, person)
        return Outcome(request=await self._told(unit, request))

    async def sight(self, unit: UnitOfWork, request_id: int) -> Sight:
        """Return a request and how things stand now. The caller rolls `unit` back."""
        request = await self._locked(unit, request_id)
        now = await store.now(unit.connection)
        state = state_at(request, now)
        shown, changed = await self._shown_again(unit, request)
        wish = Wish(kind=request.kind, subject=request.subject, details=request.details)
        obstacles: tuple[str, ...] = (changed,) if changed else ()
        if shown is not None and state is RequestState.REQUESTED:
            obstacles = await self._subject(wish.kind).obstacles(unit, wish, now=now)
        is_waiting = state is RequestState.REQUESTED
        return Sight(
            request=request,
            state=state,
            left=request.expires_at - now if is_waiting else timedelta(0),
            facts_are_the_same=shown is not None
            and (facts_sha256(shown), shown.epoch) == (request.facts_sha256, request.epoch),
            obstacles=obstacles,
        )

    def _verified(self, signed: Signed) -> tuple[Person, Statement]:
        person = self._operators.who(signed)
        statement = statement_from(signed.statement)
        if statement is None or statement.kind not in ApprovalKind.__members__:
            raise NotBelieved(IdentityFlaw.UNREADABLE, "what was signed is no statement")
        return person, statement

    def _subject(self, kind: ApprovalKind) -> ApprovalSubject:
        if kind not in self._subjects:
            raise NotAskable(f"nobody here can do {kind}")
        return self._subjects[kind]

    async def _locked(self, unit: UnitOfWork, request_id: int | None) -> Request:
        request = await store.locked(unit.connection, request_id or 0)
        if request is None:
            raise NoSuchRequest(request_id or 0)
        return request

    async def _shown_again(self, unit: UnitOfWork, request: Request) -> tuple[Shown | None, str]:
        """Return the facts as they are now; None, and in words why, if there are none any more."""
        wish = Wish(kind=request.kind, subject=request.subject, details=request.details)
        try:
            return await self.show(unit, wish), ""
        except NotAskable as gone:
            return None, str(gone)

    async def _void(
        self, unit: UnitOfWork, request: Request, ruling: Ruling, changed: str
    ) -> Outcome:
        words = f"{WORDS[ruling]}: {changed}" if changed else WORDS[ruling]
        await store.insert_voiding(unit.connection, request.request_id, ruling, words=words)
        return Outcome(request=await self._told(unit, request), words=(words,))

    async def _write(
        self, unit: UnitOfWork, statement: Statement, signed: Signed, person: Person
    ) -> None:
        decision = "APPROVED" if statement.deed is Deed.APPROVE else "REFUSED"
        try:
            await store.insert_decision(
                unit.connection, statement, signed, person, decision=decision
            )
        except asyncpg.UniqueViolationError as error:
            raise NotAllowed(Ruling.ENDED, "it has ended, or was signed for before") from error

    async def _carry_out(
        self, unit: UnitOfWork, request: Request, shown: Shown, person: Person
    ) -> None:
        agreed = Agreed(
            request_id=request.request_id,
            wish=Wish(kind=request.kind, subject=request.subject, details=request.details),
            shown=shown,
            reason=request.reason,
            maker=request.maker,
            checker=person.subject,
            at=await store.now(unit.connection),
        )
        await self._subject(request.kind).carry_out(unit, agreed)

    async def _told(self, unit: UnitOfWork, request: Request) -> Request:
        """Return `request` as it ended, and tell of it."""
        after = await store.find(unit.connection, request.request_id)
        assert after is not None, "it was locked by this transaction"
        tell(unit, [ended(after)])
        return after


def facts_sha256(shown: Shown) -> str:
    """Return the hash of the facts, which is what people sign."""
    return sha256(shown.facts).hexdigest()


def _wish(statement: Statement) -> Wish:
    return Wish(
        kind=ApprovalKind(statement.kind), subject=statement.subject, details=statement.details
    )
