"""Two people of the demo: one asks that an account may pay again, the other agrees."""

from typing import Final

import asyncpg

from recon_streams.approvals.desk import Desk, facts_sha256
from recon_streams.approvals.machine import Request
from recon_streams.approvals.subject import ApprovalKind, Wish
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker_desk.reset import BreakerReset
from recon_streams.identity.keys import PrivateKey, PublicKey, new_key
from recon_streams.identity.operators import (
    Operator,
    OperatorsList,
    operators_of,
    signed_file,
    with_key,
)
from recon_streams.identity.person import Role, Signed
from recon_streams.identity.statement import Deed, Statement, new_nonce, sign
from recon_streams.kernel.clock import utc_now
from recon_streams.positions.registry_store import DirectoryCache

MAKER: Final = "amina"
CHECKER: Final = "bongani"
_ROLES: Final = {MAKER: Role.MAKER, CHECKER: Role.CHECKER}


class TwoPeople:
    """A maker and a checker, each with a key of their own that only the demo ever sees.

    Attributes:
        root: The public half of the root key that vouches for both,
        file: and the file of operators that it has signed.
    """

    def __init__(self) -> None:
        """Make their keys, and the root key."""
        root = new_key()
        self.root: PublicKey = root.public
        self._keys = {subject: new_key() for subject in _ROLES}
        listed = OperatorsList(root_kid=root.public.kid)
        for subject, role in _ROLES.items():
            person = Operator(subject=subject, name=subject.capitalize(), roles=(role,))
            listed = with_key(listed, person, self._keys[subject].public)
        self.file: bytes = signed_file(listed, root)
        self._operators = operators_of(self.file, root.public)
        self._desk = Desk(
            self._operators, {ApprovalKind.BREAKER_RESET: BreakerReset(DirectoryCache())}
        )

    async def release(self, pool: asyncpg.Pool, scope: str, reason: str) -> tuple[str, ...]:
        """Let `scope` go again; return what forbade it, in words, or nothing."""
        request = await self._ask(pool, scope, reason)
        return await self._agree(pool, request, reason)

    async def _ask(self, pool: asyncpg.Pool, scope: str, reason: str) -> Request:
        wish = Wish(kind=ApprovalKind.BREAKER_RESET, subject=scope)
        async with UnitOfWork(pool) as unit:
            shown = await self._desk.show(unit, wish)
            statement = Statement(
                installation=self._operators.installation,
                deed=Deed.REQUEST,
                kind=wish.kind,
                subject=scope,
                details={},
                facts_sha256=facts_sha256(shown),
                epoch=shown.epoch,
                request_id=None,
                request_nonce=None,
                reason=reason,
                signer=MAKER,
                nonce=new_nonce(),
                at=utc_now(),
            )
            return await self._desk.request(unit, self._signed(statement), shown)

    async def _agree(self, pool: asyncpg.Pool, request: Request, reason: str) -> tuple[str, ...]:
        statement = Statement(
            installation=self._operators.installation,
            deed=Deed.APPROVE,
            kind=request.kind,
            subject=request.subject,
            details=request.details,
            facts_sha256=request.facts_sha256,
            epoch=request.epoch,
            request_id=request.request_id,
            request_nonce=request.nonce,
            reason=reason,
            signer=CHECKER,
            nonce=new_nonce(),
            at=utc_now(),
        )
        async with UnitOfWork(pool) as unit:
            outcome = await self._desk.decide(unit, self._signed(statement))
        return outcome.words

    def _signed(self, statement: Statement) -> Signed:
        key: PrivateKey = self._keys[statement.signer]
        return sign(statement, key)
