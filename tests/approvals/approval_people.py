"""People with keys, a notebook that takes two of them to change, and the desk between them."""

from datetime import UTC, datetime, timedelta

import asyncpg
from msgspec.structs import replace

from recon_streams.approvals.desk import Desk, Outcome, facts_sha256
from recon_streams.approvals.machine import EXPIRES_AFTER, Request
from recon_streams.approvals.subject import Agreed, ApprovalKind, NotAskable, Shown, Wish
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.identity.keys import PrivateKey, new_key
from recon_streams.identity.operators import (
    Operator,
    Operators,
    OperatorsList,
    operators_of,
    signed_file,
    with_key,
)
from recon_streams.identity.person import Role, Signed
from recon_streams.identity.statement import Deed, Statement, new_nonce, sign

BOTH = (Role.MAKER, Role.CHECKER)
KIND = ApprovalKind.DAY_REOPEN


class Cast:
    """The operators: ada, ben and eve take both parts, cleo only asks, dan has two keys."""

    def __init__(self) -> None:
        self.root = new_key()
        self.keys: dict[str, PrivateKey] = {}
        listed = OperatorsList(root_kid=self.root.public.kid)
        for key, subject, roles in (
            ("ada", "ada", BOTH),
            ("ben", "ben", BOTH),
            ("cleo", "cleo", (Role.MAKER,)),
            ("dan", "dan", (*BOTH, Role.BREAKGLASS)),
            ("dan's other", "dan", (*BOTH, Role.BREAKGLASS)),
            ("eve", "eve", (*BOTH, Role.BREAKGLASS)),
        ):
            self.keys[key] = new_key()
            person = Operator(subject=subject, name=subject.title(), roles=roles)
            listed = with_key(listed, person, self.keys[key].public)
        self.operators = self.made(listed)

    def made(self, listed: OperatorsList) -> Operators:
        """Return the operators of `listed`, signed by the root."""
        return operators_of(signed_file(listed, self.root), self.root.public)

    def subject_of(self, key: str) -> str:
        return key.partition("'")[0]

    def sign(self, key: str, statement: Statement) -> Signed:
        return sign(statement, self.keys[key])


class Notebook:
    """A page is a text; to do it once more takes two people."""

    kind = KIND

    async def show(self, unit: UnitOfWork, wish: Wish) -> Shown:
        facts = await unit.connection.fetchval(
            "SELECT facts FROM notebook WHERE page = $1 FOR UPDATE", wish.subject
        )
        if facts is None:
            raise NotAskable(f"there is no page {wish.subject}")
        return Shown(facts=facts.encode())

    async def obstacles(self, unit: UnitOfWork, wish: Wish, *, now: datetime) -> tuple[str, ...]:
        del now
        facts = (await self.show(unit, wish)).facts
        return ("the page is wet",) if facts.startswith(b"wet") else ()

    async def carry_out(self, unit: UnitOfWork, agreed: Agreed) -> None:
        await unit.connection.execute(
            "UPDATE notebook SET done = done + 1 WHERE page = $1", agreed.wish.subject
        )


class Office:
    """The desk, what is on it, and short ways to use it."""

    def __init__(self, pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
        self.pool, self.owner = pool, owner
        self.cast = Cast()
        self.notebook = Notebook()
        self.expires_after = EXPIRES_AFTER

    @property
    def desk(self) -> Desk:
        return Desk(self.cast.operators, {KIND: self.notebook}, expires_after=self.expires_after)

    async def write(self, page: str, facts: str) -> None:
        await self.pool.execute(
            "INSERT INTO notebook VALUES ($1, $2, 0) ON CONFLICT (page) DO UPDATE SET facts = $2",
            page,
            facts,
        )

    async def done(self, page: str) -> int:
        return await self.pool.fetchval("SELECT done FROM notebook WHERE page = $1", page)

    async def asking(self, key: str, page: str) -> Signed:
        """Return what `key` signs to ask for `page` as it is now."""
        wish = Wish(kind=KIND, subject=page)
        async with UnitOfWork(self.pool) as unit:
            shown = await self.desk.show(unit, wish)
        statement = Statement(
            installation=self.cast.operators.installation,
            deed=Deed.REQUEST,
            kind=KIND,
            subject=page,
            details={},
            facts_sha256=facts_sha256(shown),
            epoch=None,
            request_id=None,
            request_nonce=None,
            reason="the bank has confirmed it in writing",
            signer=self.cast.subject_of(key),
            nonce=new_nonce(),
            at=datetime.now(UTC),
        )
        return self.cast.sign(key, statement)

    async def ask(self, key: str, page: str) -> Request:
        return await self.take(await self.asking(key, page))

    async def take(self, signed: Signed) -> Request:
        async with UnitOfWork(self.pool) as unit:
            return await self.desk.request(unit, signed)

    def answering(self, key: str, request: Request, deed: Deed = Deed.APPROVE) -> Signed:
        return self.cast.sign(key, self.answer_of(key, request, deed))

    def answer_of(self, key: str, request: Request, deed: Deed = Deed.APPROVE) -> Statement:
        return Statement(
            installation=self.cast.operators.installation,
            deed=deed,
            kind=request.kind,
            subject=request.subject,
            details=request.details,
            facts_sha256=request.facts_sha256,
            epoch=request.epoch,
            request_id=request.request_id,
            request_nonce=request.nonce,
            reason="looked at it",
            signer=self.cast.subject_of(key),
            nonce=new_nonce(),
            at=datetime.now(UTC),
        )

    async def give(self, signed: Signed) -> Outcome:
        async with UnitOfWork(self.pool) as unit:
            return await self.desk.decide(unit, signed)

    async def answer(self, key: str, request: Request, deed: Deed = Deed.APPROVE) -> Outcome:
        return await self.give(self.answering(key, request, deed))

    async def past_expiry(self, request: Request) -> None:
        """Make `request` as old as it can be; only the owner of the schema can."""
        await self.owner.execute(
            "UPDATE approvals.request SET requested_at = requested_at - $2::interval, "
            "expires_at = expires_at - $2::interval WHERE request_id = $1",
            request.request_id,
            EXPIRES_AFTER + timedelta(seconds=1),
        )


def changed(statement: Statement, **changes: object) -> Statement:
    """Return `statement` with `changes`."""
    return replace(statement, **changes)
