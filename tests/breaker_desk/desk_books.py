"""A book with accounts on corridors, the people of an installation, and the desks between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from recon_streams.approvals import store
from recon_streams.approvals.desk import Desk, Outcome, facts_sha256
from recon_streams.approvals.machine import Request
from recon_streams.approvals.subject import ApprovalKind, Wish
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker_desk.accounts import HeldAccounts
from recon_streams.breaker_desk.override import BreakerOverride
from recon_streams.breaker_desk.reset import BreakerReset
from recon_streams.breaker_desk.trip import TripDesk
from recon_streams.identity.keys import PrivateKey, new_key
from recon_streams.identity.operators import (
    Operator,
    OperatorsList,
    operators_of,
    signed_file,
    with_key,
    without,
)
from recon_streams.identity.person import Role, Signed
from recon_streams.identity.statement import Deed, Statement, new_nonce, sign
from recon_streams.positions.event import BankObserved, LedgerMoved
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening

ACCOUNT = "account:AE-1:AED"
OTHER = "account:AE-2:AED"
CORRIDOR = "corridor:AE-IN"
AS_OF = datetime.now(UTC) - timedelta(minutes=1)
REASON = "the bank has confirmed it in writing"
ROLES = (Role.MAKER, Role.CHECKER, Role.BREAKGLASS)


def definition(account_id: str, *corridors: str) -> AccountDefinition:
    return AccountDefinition(
        account_id=account_id,
        currency="AED",
        scale=2,
        bank_accounts=(BankAccount(identification=f"bank of {account_id}"),),
        corridors=corridors,
        opening=Opening(
            as_of=AS_OF,
            bank=Decimal("1000.00"),
            ledger=Decimal("1000.00"),
        ),
    )


class Book:
    """Short ways to let something happen, and to ask what came of it."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.directories = DirectoryCache()
        self.desk = TripDesk(self.directories)
        self._sequence = 0
        self._root = root = new_key()
        self.root = root.public
        self.keys: dict[str, PrivateKey] = {}
        listed = OperatorsList(root_kid=root.public.kid)
        for subject in ("amal", "bashir"):
            self.keys[subject] = new_key()
            person = Operator(subject=subject, name=subject.title(), roles=ROLES)
            listed = with_key(listed, person, self.keys[subject].public)
        self.operators = operators_of(signed_file(listed, root), root.public)
        reset, override = BreakerReset(self.directories), BreakerOverride(self.directories)
        self.approvals = Desk(self.operators, {reset.kind: reset, override.kind: override})

    async def begin(self) -> None:
        await self.register(definition("AE-1", "AE-IN"), definition("AE-2"))
        await self.pool.execute(
            "INSERT INTO book.stream (topic, part, first_offset, next_offset, through_at, "
            "proven_at) VALUES ('bank.notifications', 0, 0, 0, clock_timestamp(), "
            "clock_timestamp())"
        )

    async def register(self, *definitions: AccountDefinition) -> None:
        now = datetime.now(UTC)
        await apply_registry(self.pool, definitions, source="test", actor="t", now=now)

    # What happens

    async def trip(self, scope: str, reason: str = "case 4711") -> None:
        async with UnitOfWork(self.pool) as unit:
            at = datetime.now(UTC)
            await self.desk.trip(unit, scope, reason=reason, actor="fraud-desk", at=at)

    async def take(self, scope: str, event: Any) -> None:
        number = await self.pool.fetchval(
            "SELECT number FROM breaker.scope WHERE scope = $1", scope
        )
        async with UnitOfWork(self.pool) as unit:
            held = await HeldAccounts.hold(unit, self.directories, [number])
            held.record(number, event)
            held.write(unit)

    async def hear_the_bank(self, scope: str = ACCOUNT) -> None:
        await self.take(scope, BankObserved(at=datetime.now(UTC)))

    async def issue(self, amount: str, scope: str = ACCOUNT) -> None:
        self._sequence += 1
        now = datetime.now(UTC)
        await self.take(
            scope,
            LedgerMoved(
                at=now,
                amount=Decimal(amount),
                ledger_sequence=self._sequence,
                occurred_at=now,
            ),
        )

    async def ask(
        self, scope: str, kind: ApprovalKind = ApprovalKind.BREAKER_RESET, **details: str
    ) -> Request:
        wish = Wish(kind=kind, subject=scope, details=details)
        async with UnitOfWork(self.pool) as unit:
            shown = await self.approvals.show(unit, wish)
        statement = Statement(
            installation=self.operators.installation,
            deed=Deed.REQUEST,
            kind=kind,
            subject=scope,
            details=details,
            facts_sha256=facts_sha256(shown),
            epoch=shown.epoch,
            request_id=None,
            request_nonce=None,
            reason=REASON,
            signer="amal",
            nonce=new_nonce(),
            at=datetime.now(UTC),
        )
        async with UnitOfWork(self.pool) as unit:
            return await self.approvals.request(unit, sign(statement, self.keys["amal"]))

    async def two_release(self, scope: str) -> None:
        """Let both sides speak, and two people agree that `scope` may pay again."""
        if scope == ACCOUNT:
            await self.hear_the_bank()
        outcome = await self.approve(await self.ask(scope))
        assert outcome.words == ()

    async def revoke(self, subject: str) -> None:
        """Let the book see a file of operators in which the keys of `subject` are revoked."""
        listed = without(self.operators.listed, subject)
        self.operators = operators_of(signed_file(listed, self._root), self.root)
        async with UnitOfWork(self.pool) as unit:
            await store.admit(unit.connection, self.operators)

    async def approve(self, request: Request) -> Outcome:
        async with UnitOfWork(self.pool) as unit:
            return await self.approvals.decide(unit, self.agreed_to(request))

    def agreed_to(self, request: Request) -> Signed:
        """Return what a second person signs who agrees to `request`."""
        statement = Statement(
            installation=self.operators.installation,
            deed=Deed.APPROVE,
            kind=request.kind,
            subject=request.subject,
            details=request.details,
            facts_sha256=request.facts_sha256,
            epoch=request.epoch,
            request_id=request.request_id,
            request_nonce=request.nonce,
            reason="looked at it",
            signer="bashir",
            nonce=new_nonce(),
            at=datetime.now(UTC),
        )
        return sign(statement, self.keys["bashir"])

    # What came of it

    async def stands(self, scope: str) -> str:
        """Return state, reason and epoch of `scope`, as the record of all scopes has it."""
        row = await self.pool.fetchrow("SELECT * FROM breaker.scope WHERE scope = $1", scope)
        assert row is not None
        return f"{row['state']} by {row['reason']}, epoch {row['epoch']}"

    async def published(self, scope: str) -> dict[str, Any]:
        """Return the newest record of `scope` on its way to payout services."""
        payload = await self.pool.fetchval(
            "SELECT payload FROM book.outbox WHERE topic = 'recon.breaker' AND key = $1 "
            "ORDER BY outbox_id DESC LIMIT 1",
            scope.encode(),
        )
        found: dict[str, Any] = msgspec.json.decode(payload)
        return found

    async def alerts(self) -> list[str]:
        """Return what on-call was told, oldest first."""
        rows = await self.pool.fetch(
            "SELECT payload FROM book.outbox WHERE topic = 'recon.alerts' ORDER BY outbox_id"
        )
        told = [msgspec.json.decode(row["payload"]) for row in rows]
        return [f"{each['action']} {each['dedup_key']} {each['alert_class']}" for each in told]


@asynccontextmanager
async def open_book(database: str) -> AsyncIterator[Book]:
    """Give a book that has seen its operators. Whoever writes beside the desk may harm it."""
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    made = Book(pool)
    await made.begin()
    async with UnitOfWork(pool) as unit:
        await store.admit(unit.connection, made.operators)
    yield made
    await pool.close()
