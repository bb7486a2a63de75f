"""A hand that writes beside the program, and the book it writes into: nothing is signed."""

import asyncio
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeVar

import asyncpg
import msgspec
from approval_people import Cast

from recon_streams.approvals import store
from recon_streams.book.connection import connect, open_pool

T = TypeVar("T")
RESET, OVERRIDE = "BREAKER_RESET", "BREAKER_OVERRIDE"


@dataclass
class Asked:
    number: int
    kind: str
    scope: str
    epoch: int
    maker: str
    maker_key: str
    nonce: str
    facts: str
    is_over: bool = False


@dataclass
class Scope:
    name: str
    epoch: int = 1
    state: str = "CLOSED"
    released: list[int] = field(default_factory=list)


TRANSITION = """
INSERT INTO breaker.transition (scope, epoch, seq, from_state, to_state, reason, evidence,
    evidence_hash, decided_at, parents, actor, words, approval_id, maker, checker, override_until)
VALUES ($1, $2, $2, $3, $4, $5, $6, $7, clock_timestamp(), '{all}', 'x', 'words', $8, $9, $10,
    CASE $5 WHEN 'OVERRIDE' THEN clock_timestamp() END)
"""
DECISION = """
INSERT INTO approvals.decision (request_id, decision, facts_sha256, reason, checker, checker_kid,
    nonce, statement, signature) VALUES ($1, $2, $3, 'looked', $4, $5, $6, $7, $8)
"""
REQUEST = """
INSERT INTO approvals.request (kind, subject, details, facts, facts_sha256, epoch, reason, maker,
    maker_kid, nonce, statement, signature, expires_at)
VALUES ($1, $2, '{}', $3, $4, $5, $6, $7, $8, $9, $10, $11,
    clock_timestamp() + interval '10 minutes') RETURNING request_id
"""
VOIDING = """
INSERT INTO approvals.voiding (request_id, cause, words) VALUES ($1, 'FACTS_CHANGED', 'x')
"""


class Book:
    """A book with operators and nothing else, written to as the application."""

    def __init__(self, dsn: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.cast = Cast()
        self.pool = self.do(open_pool(dsn, size_max=2))
        self.owner: asyncpg.Connection = self.do(connect(dsn))
        self.connection: asyncpg.Connection = self.do(self.pool.acquire())
        self.do(store.admit(self.connection, self.cast.operators))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def try_(self, *statements: tuple[str, tuple[Any, ...]]) -> Any:
        """Run `statements` as one transaction; return what the last one did, None if refused."""

        async def attempt() -> Any:
            found = None
            async with self.connection.transaction():
                for text, values in statements:
                    found = await self.connection.fetchval(text, *values)
            return True if found is None else found

        try:
            return self.do(attempt())
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.NoDataFoundError):
            return None

    def close(self) -> None:
        self.do(self.pool.release(self.connection))
        self.do(self.pool.close())
        self.do(self.owner.close())
        self.loop.close()

    def transition(
        self, scope: Scope, to_state: str, reason: str, **release: Any
    ) -> tuple[str, tuple[Any, ...]]:
        evidence = b"{}"
        return (
            TRANSITION,
            (
                scope.name,
                scope.epoch + 1,
                release.get("claims", scope.state),
                to_state,
                reason,
                evidence,
                sha256(evidence).hexdigest(),
                release.get("approval_id"),
                release.get("maker"),
                release.get("checker"),
            ),
        )

    def decision(
        self, asked: Asked, key: str, decision: str = "APPROVED", **lies: Any
    ) -> tuple[str, tuple[Any, ...]]:
        said = {
            "deed": "APPROVE" if decision == "APPROVED" else "REFUSE",
            "kind": asked.kind,
            "subject": asked.scope,
            "facts_sha256": asked.facts,
            "request_id": asked.number,
            "request_nonce": asked.nonce,
            "reason": "looked",
            "signer": self.cast.subject_of(key),
            "nonce": lies.get("nonce", secrets.token_hex(16)),
        } | lies.get("said", {})
        return (
            DECISION,
            (
                asked.number,
                decision,
                lies.get("facts", asked.facts),
                lies.get("checker", self.cast.subject_of(key)),
                self.cast.keys[lies.get("with_key", key)].public.kid,
                said["nonce"],
                msgspec.json.encode(said),
                bytes(64),
            ),
        )
